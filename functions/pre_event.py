"""onConversationAdd, before the conversation exists: its friendly name and avatar.

Twilio waits for the answer and drops the customer's message on any 4xx or 5xx, so this function answers in time
whatever Firestore does: the look-up runs on another thread and is abandoned when it takes too long.
https://www.twilio.com/docs/conversations/conversations-webhooks#onconversationadd
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextvars import copy_context
from functools import cache
from typing import Any

from domain import limits
from domain.customer import Customer
from functions.http.answers import Answer, TryAgain
from functions.http.forms import Bound, Form, parse
from providers import clock, customers

_UNCHANGED: dict[str, Any] = {}


class ConversationAdd(Bound):
    """onConversationAdd, before the conversation exists."""


def handle(form: Form) -> Answer:
    """Answer with the changes for a conversation with a customer, with none for any other."""
    event = parse(ConversationAdd, form)
    if event.event_type != "onConversationAdd" or event.customer_address is None:
        return Answer(_UNCHANGED)
    return Answer(changes(event, _look_up(event.customer_address)))


def changes(event: ConversationAdd, customer: Customer) -> dict[str, Any]:
    """Return the fields that Twilio is to change: a known customer's name and avatar, else the address as the name."""
    fields: dict[str, Any] = {"friendly_name": customer.display_name[: limits.NAME]}
    attributes = limits.with_room_for(
        event.attributes(), {"avatar": customer.avatar}, limits.CONVERSATION_ATTRIBUTES
    )
    if customer.avatar and limits.fits(attributes, limits.CONVERSATION_ATTRIBUTES):
        fields["attributes"] = limits.as_json(attributes)
    return fields


def _look_up(address: str) -> Customer:
    """Find the customer within the time left. Raises TryAgain if Firestore does not answer in time."""
    search = _threads().submit(copy_context().run, customers.find, address)
    try:
        return search.result(timeout=clock.remaining())
    except TooLate:
        raise TryAgain("Firestore did not answer in time.") from None


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="look-up")
