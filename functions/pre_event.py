"""onConversationAdd, before the conversation exists: its friendly name and avatar.

Twilio waits for the answer and drops the customer's message on any 4xx or 5xx, so this one answers in time
whatever Firestore does: the look-up runs aside and is left behind when it takes too long.
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
    event = parse(ConversationAdd, form)
    if event.event_type != "onConversationAdd" or event.customer_address is None:
        return Answer(_UNCHANGED)
    return Answer(changes(event, _look_up(event.customer_address)))


def changes(event: ConversationAdd, customer: Customer) -> dict[str, Any]:
    """What Twilio is to change: a known customer's name and avatar, else the address itself as the name."""
    wanted: dict[str, Any] = {"friendly_name": customer.display_name[: limits.NAME]}
    known = {"avatar": customer.avatar}
    attributes = limits.with_room_for(
        event.attributes(), known, limits.CONVERSATION_ATTRIBUTES
    )
    if customer.avatar and limits.fits(attributes, limits.CONVERSATION_ATTRIBUTES):
        wanted["attributes"] = limits.as_json(attributes)
    return wanted


def _look_up(address: str) -> Customer:
    aside = _threads().submit(copy_context().run, customers.find, address)
    try:
        return aside.result(timeout=clock.remaining())
    except TooLate:
        raise TryAgain("Firestore did not answer in time.") from None


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="look-up")
