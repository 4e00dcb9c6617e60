"""Content templates: what a message may be made of, and when a channel delivers one. The caller holds the lock.

https://www.twilio.com/docs/content, https://www.twilio.com/docs/api/errors/50542, .../21656, .../63016
"""

import json
import re
from datetime import timedelta
from typing import Any

from local.twilio.account import Account
from local.twilio.errors import ApiError
from local.twilio.records import Content, Message, Participant, address_type

IN_CONVERSATIONS = frozenset(
    f"twilio/{name}"
    for name in (
        "text",
        "media",
        "location",
        "quick-reply",
        "call-to-action",
        "list-picker",
        "card",
    )
)
NEVER_FIRST = frozenset(
    ("twilio/list-picker", "twilio/location")
)  # these cannot begin a WhatsApp conversation
WITH_WINDOW = ("whatsapp", "messenger")
WINDOW = timedelta(hours=24)
OUTSIDE_THE_WINDOW = 63016
LONGEST_VALUE = 1600
_SID = re.compile(r"HX[0-9a-fA-F]{32}")
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_BREAKS = re.compile(r"[\n\r\t]| {5,}")


def filled(account: Account, sid: str | None, variables: str | None) -> str | None:
    """The text of a message made of this content; None for a message without one. ApiError as documented."""
    if not sid:
        if variables:
            raise ApiError(50528)
        return None
    if not _SID.fullmatch(sid):
        raise ApiError(50526, sid)
    content = account.contents.get(sid)
    if content is None:
        raise ApiError(21655, sid)
    if not IN_CONVERSATIONS.intersection(content.types):
        raise ApiError(50542, ", ".join(content.types))
    values = {**content.variables, **_values(variables)}
    return _PLACEHOLDER.sub(
        lambda found: values.get(found[1], found[0]), text_of(content)
    )


def text_of(content: Content) -> str:
    """What a client that shows no rich content shows instead."""
    kinds = [
        content.types[name]
        for name in sorted(IN_CONVERSATIONS.intersection(content.types))
    ]
    words = (kind.get(name) for kind in kinds for name in ("body", "title", "label"))
    return next((str(word) for word in words if word), "")


def _values(variables: str | None) -> dict[str, str]:
    if not variables:
        return {}
    try:
        found: Any = json.loads(variables)
    except ValueError:
        raise ApiError(50527, variables[:80]) from None
    if not isinstance(found, dict):
        raise ApiError(21656, variables[:80])
    for name, value in found.items():
        if not isinstance(value, str) or not value.strip() or _BREAKS.search(value):
            raise ApiError(21656, f"{name}: {value!r}"[:80])
        if len(value) > LONGEST_VALUE:
            raise ApiError(21658, name)
    return found


def refusal(account: Account, message: Message, person: Participant) -> int:
    """The error with which this channel fails the message; 0: it delivers it."""
    channel = address_type(person.address or "")
    if channel not in WITH_WINDOW or person.proxy_address is None:
        return 0
    wrote_at = account.wrote_at.get((person.address or "", person.proxy_address))
    if wrote_at is not None and message.created - wrote_at < WINDOW:
        return 0
    content = account.contents.get(message.content_sid or "")
    is_approved = content is not None and content.approval.get("status") == "approved"
    is_approved = is_approved and not NEVER_FIRST.issuperset(
        content.types if content else ()
    )
    return 0 if channel == "whatsapp" and is_approved else OUTSIDE_THE_WINDOW
