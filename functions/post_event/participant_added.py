"""onParticipantAdded: tells who the customer is; notes a worker whom a person added by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from functions import decisions, worker_records
from functions.answers import NOTHING_TO_DO, Answer, TryAgain
from functions.parameters import ParticipantEvent, parse
from functions.webhook import Form
from providers import clock, configuration, conversations, customers, database, log, settings, twilio
from providers.conversations import CLOSED, Load
from providers.customers import Customer
from providers.twilio import Outcome, Place

_LARGEST = 4096  # bytes of a participant's attributes; https://www.twilio.com/docs/conversations/conversations-limits


def handle(form: Form) -> Answer:
    event = parse(ParticipantEvent, form)
    if event.is_customer:
        _introduce(event)
    elif event.identity:
        database.until_it_holds(lambda: _joined(event, event.identity or ""))
    return NOTHING_TO_DO


def introduced(attributes: dict[str, Any], customer: Customer) -> dict[str, Any]:
    """The participant's attributes with what we know of the customer; what is there already stays."""
    known = {
        "customer_id": customer.customer_id,
        "display_name": customer.display_name,
        "avatar": customer.avatar,
    }
    return {name: value for name, value in known.items() if value} | attributes


def _introduce(event: ParticipantEvent) -> None:
    customer = customers.find(event.customer_address or "")
    if not customer.known and settings.load().create_customers:
        customer = customers.create(customer)
    wanted = introduced(event.attributes, customer)
    if len(json.dumps(wanted, ensure_ascii=False).encode()) > _LARGEST:
        wanted = introduced(event.attributes, replace(customer, avatar=None))
    if wanted == event.attributes:
        return
    place = Place(event.service_sid or configuration.twilio().service_sid, event.sid)
    answer = twilio.set_attributes(place, event.participant_sid, wanted)
    if answer.outcome is Outcome.RETRY:
        raise TryAgain(f"The customer is not introduced yet: {answer.why}")
    if answer.outcome is not Outcome.DONE:
        log.error(f"The customer could not be introduced: {answer.why}", conversation=event.sid)


def _joined(event: ParticipantEvent, identity: str) -> None:
    """The conversation counts as theirs and leaves the queue, unless it is another worker's already."""
    before = conversations.load(event.sid)
    if before.state == CLOSED:
        return
    if before.worker == identity:
        if before.participant_sid != event.participant_sid:
            _arrived(before, event)
        return
    if before.worker is not None:
        if identity not in before.others:
            conversations.move(before, replace(before, others=(*before.others, identity)))
        return
    worker = worker_records.load_or_new(identity)
    now = clock.now()
    service_sid = before.service_sid or event.service_sid
    after = decisions.joined_by_hand(
        replace(before, service_sid=service_sid), worker, event.participant_sid, now
    )
    conversations.move(before, after, [Load(worker, worker_records.capacity_of(worker), assigned_at=now)])
    log.info("assigned by hand", conversation=event.sid, worker=identity)


def _arrived(before: conversations.Conversation, event: ParticipantEvent) -> None:
    """Twilio tells that the worker is in it: that confirms a claim, and says which membership it is."""
    if before.lease_until is not None:
        after = decisions.confirmed(before, event.participant_sid, clock.now())
    else:
        after = replace(before, participant_sid=event.participant_sid)
    conversations.move(before, after)
