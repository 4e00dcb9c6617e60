"""onConversationAdd, before the conversation exists: its friendly name and avatar.

Twilio waits for the answer and drops the customer's message on any 4xx or 5xx, so this one answers in time
whatever Firestore does: the look-up runs aside and is left behind when it takes too long.
https://www.twilio.com/docs/conversations/conversations-webhooks#onconversationadd
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextvars import copy_context
from functools import cache
from typing import Any

from functions.answers import Answer, TryAgain
from functions.parameters import ConversationAdd, parse
from functions.webhook import Form
from providers import customers, deadline
from providers.customers import Customer

LONGEST_NAME = 256  # https://www.twilio.com/docs/conversations/conversations-limits
_UNCHANGED: dict[str, Any] = {}


def handle(form: Form) -> Answer:
    event = parse(ConversationAdd, form)
    if event.event_type != "onConversationAdd" or event.customer_address is None:
        return Answer(_UNCHANGED)
    return Answer(changes(event, _look_up(event.customer_address)))


def changes(event: ConversationAdd, customer: Customer) -> dict[str, Any]:
    """What Twilio is to change: a known customer's name and avatar, else the address itself as the name."""
    wanted: dict[str, Any] = {"friendly_name": customer.display_name[:LONGEST_NAME]}
    if customer.avatar:
        wanted["attributes"] = json.dumps({"avatar": customer.avatar} | event.attributes, ensure_ascii=False)
    return wanted


def _look_up(address: str) -> Customer:
    aside = _threads().submit(copy_context().run, customers.find, address)
    try:
        return aside.result(timeout=deadline.remaining())
    except TooLate:
        raise TryAgain("Firestore did not answer in time.") from None


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="look-up")
