"""onParticipantAdded: tells who the customer is; notes a worker whom a person added by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

from domain import limits
from functions import membership
from functions.answers import NOTHING_TO_DO, Answer, TryAgain
from functions.parameters import ParticipantEvent, parse
from functions.webhook import Form
from providers import configuration, customers, database, log, settings, twilio
from providers.customers import Customer
from providers.twilio import Outcome, Place


def handle(form: Form) -> Answer:
    event = parse(ParticipantEvent, form)
    if event.projected_address and event.identity is None:
        learn = partial(membership.learn_projected, event.sid, event.projected_address)
        database.until_it_holds(learn)
    if event.is_customer:
        _introduce(event)
    elif identity := event.identity:
        join = partial(membership.joined, event.sid, event.service_sid, identity, event.participant_sid)
        database.until_it_holds(join)
    return NOTHING_TO_DO


def introduced(attributes: dict[str, Any], customer: Customer) -> dict[str, Any]:
    """The participant's attributes with what we know of the customer; what is there already stays."""
    known = {
        "customer_id": customer.customer_id,
        "display_name": customer.display_name[: limits.NAME],
        "avatar": customer.avatar,
    }
    return limits.with_room_for(attributes, known, limits.PARTICIPANT_ATTRIBUTES)


def _introduce(event: ParticipantEvent) -> None:
    customer = customers.find(event.customer_address or "")
    if not customer.known and settings.load().create_customers:
        customer = customers.create(customer)
    wanted = introduced(event.attributes, customer)
    if wanted == event.attributes:
        return
    place = Place(configuration.service_in_use(event.service_sid), event.sid)
    answer = twilio.set_attributes(place, event.participant_sid, wanted)
    if answer.outcome is Outcome.RETRY:
        raise TryAgain(f"The customer is not introduced yet: {answer.why}")
    if answer.outcome is not Outcome.DONE:
        log.error(f"The customer could not be introduced: {answer.why}", conversation=event.sid)
