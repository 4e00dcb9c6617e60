"""The customer's details, copied to their participant: customer_id, display_name, avatar."""

from __future__ import annotations

from typing import Any

from domain import limits
from domain.customer import Customer
from functions.http.answers import TryAgain
from functions.post_event.events import ParticipantEvent
from providers import configuration, customers, log, settings, twilio
from providers.twilio import Outcome, Place


def introduce(event: ParticipantEvent) -> None:
    """Write the customer's details to their participant, after creating a record if the settings ask for one.

    Raises TryAgain while Twilio is busy.
    """
    address = event.customer_address or ""
    customer = customers.find(address)
    if not customer.known and settings.load().create_customers:
        customer = customers.create(customer, address)
    current = event.attributes()
    complete = attributes(current, customer)
    if complete == current:
        return
    place = Place(configuration.service_in_use(event.service_sid), event.sid)
    result = twilio.set_attributes(place, event.participant_sid, complete)
    if result.outcome is Outcome.RETRY:
        raise TryAgain(f"The customer is not introduced yet: {result.why}")
    if result.outcome is not Outcome.DONE:
        log.error(
            f"The customer could not be introduced: {result.why}",
            conversation=event.sid,
        )


def attributes(there: dict[str, Any], customer: Customer) -> dict[str, Any]:
    """Add the customer's details to the participant's attributes; existing attributes stay."""
    details = {
        "customer_id": customer.customer_id,
        "display_name": customer.display_name[: limits.NAME],
        "avatar": customer.avatar,
    }
    return limits.with_room_for(there, details, limits.PARTICIPANT_ATTRIBUTES)
