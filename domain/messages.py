"""What a message changes in a conversation's record, whoever tells of it: Twilio's webhook, or the sweep that asks.

A record remembers the newest 20 messages without their text (`heard`), so that one which comes twice, or after later
ones, leads to the same record as each of them once and in order. What an index means: a customer's message is
answered by any of a worker's with a larger one, and read by it, too. The service's own messages and those of bots
answer nobody. The arrival of a conversation presumes its first message: since `created_at` an answer is awaited.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain import addresses, json_text
from domain.conversation import (
    CUSTOMER,
    LONGEST_TEXT,
    MOST_HEARD,
    MOST_UNDELIVERED,
    SERVICE,
    WORKER,
    Conversation,
    Heard,
    LastMessage,
    Undelivered,
)
from domain.fields import cut
from domain.rules import in_words
from domain.worker import is_identity

BY_SERVICE = {"sent_by": "service"}  # in the attributes of every message that the service itself sends
_OWN = "system"  # the author of what was sent without naming one
_PEOPLES_APPS = ("SDK", "API")  # all other sources of a message are a customer's channel


@dataclass(frozen=True)
class Message:
    """One message as Twilio tells of it. `source` is known from webhooks only."""

    index: int
    at: datetime
    author: str
    text: str = ""
    attributes: Mapping[str, Any] | None = None
    source: str | None = None


def text_of(body: str | None, has_media: bool) -> str:
    """What the record keeps of a message, before it is cut: one without words says what it has instead."""
    return (body or "").strip() or ("(attachment)" if has_media else "")


def attributes(text: str | None) -> Mapping[str, Any] | None:
    """A message's attributes, which Twilio keeps as one string of JSON; None for anything but an object."""
    try:
        parsed = json_text.parsed(text or "{}", json_text.MOST_ATTRIBUTES)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def sender_of(message: Message, conversation: Conversation) -> str | None:
    """From whom it is; None: from somebody whom the record does not name, a worker unless it is one of the bots."""
    author, source = message.author, (message.source or "SDK").upper()
    if (message.attributes or {}).get("sent_by") == BY_SERVICE["sent_by"]:
        return SERVICE
    if source not in _PEOPLES_APPS:
        return CUSTOMER
    ours = (
        conversation.worker,
        *conversation.others,
        conversation.taken_from,
        *conversation.excluded_workers,
    )
    if author in (*ours, conversation.proxy_address, conversation.projected_address):
        return WORKER
    if author == conversation.address or addresses.is_on_channel(author):
        return CUSTOMER
    return SERVICE if author == _OWN else None


def stranger(author: str, bots: Collection[str]) -> str:
    """From whom a message is whose author the record does not name."""
    return SERVICE if author in bots else WORKER


def noted(before: Conversation, message: Message, sender: str) -> Conversation:
    """The record with this message; unchanged where it was known, or is older than all that are remembered."""
    known = {one.index for one in before.heard}
    is_forgotten = len(known) == MOST_HEARD and message.index < min(known)
    if message.index in known or is_forgotten:
        return before
    heard = sorted((*before.heard, Heard(message.index, sender, message.at)), key=lambda one: one.index)
    after = replace(before, heard=tuple(heard[-MOST_HEARD:]))
    if before.last_message is None or message.index > before.last_message.index:
        text = cut(message.text, LONGEST_TEXT).encode(errors="replace").decode()  # a half surrogate pair
        after = replace(after, last_message=LastMessage(message.at, sender, text, message.index))
    if sender == CUSTOMER:
        return _asked(before, after, message)
    return _answered(before, after, message) if sender == WORKER else after


def read(before: Conversation, index: int) -> Conversation:
    """The record once the worker has looked at everything up to this message."""
    newest = before.last_message.index if before.last_message else -1
    index = min(index, newest + MOST_HEARD)  # one that was seen at Twilio, and not heard of yet
    if index <= before.read_index:
        return before
    after = replace(before, read_index=index)
    return replace(after, unread=min(before.unread, _unread_in(after)))


def not_delivered(before: Conversation, message_sid: str, code: int, at: datetime) -> Conversation:
    """The record with a message that did not reach the customer; unchanged where this was known."""
    if any(one.message_sid == message_sid for one in before.undelivered):
        return before
    undelivered = (*before.undelivered, Undelivered(message_sid, code, at))[-MOST_UNDELIVERED:]
    why = f"Twilio's error {code}" if code else "Twilio does not say why"
    return replace(before, undelivered=undelivered).noted(at, "not delivered", why)


def _asked(before: Conversation, after: Conversation, message: Message) -> Conversation:
    if message.index > _answered_up_to(before):
        since = min(before.awaiting_since or message.at, message.at)
        after = replace(after, awaiting_since=since)
    if message.index > _read_up_to(before):
        is_first = all(one.sender == SERVICE for one in before.heard)  # the one that the arrival presumed
        seen = 0 if is_first else before.unread
        after = replace(after, unread=seen + 1)
    return _with_first_answer(after, was_presumed=False)


def _answered(before: Conversation, after: Conversation, message: Message) -> Conversation:
    later = [one.at for one in after.heard if one.sender == CUSTOMER and one.index > _answered_up_to(after)]
    was_presumed = before.awaiting_since is not None and not any(o.sender == CUSTOMER for o in before.heard)
    if message.index > _answered_up_to(before):
        by = message.author if is_identity(message.author) else None
        after = replace(after, answered_at=message.at, answered_by=by)
        after = replace(after, awaiting_since=min(later, default=None), unread=_unread_in(after))
    return _with_first_answer(after, was_presumed)


def _with_first_answer(after: Conversation, was_presumed: bool) -> Conversation:
    """The first of a worker's messages that follows one of the customer's."""
    asked = min((one.index for one in after.heard if one.sender == CUSTOMER), default=None)
    if asked is None and was_presumed:
        asked = -1
    answers = [o.at for o in after.heard if o.sender == WORKER and asked is not None and o.index > asked]
    first = min([*answers, *filter(None, [after.first_answer_at])], default=None)
    if first is None or first == after.first_answer_at:
        return after
    waited = max(0.0, (first - (after.created_at or first)).total_seconds())
    told = replace(after, first_answer_at=first, answered_in=round(waited, 3))
    return told if after.first_answer_at else told.noted(first, "answered", f"after {in_words(waited)}")


def _answered_up_to(conversation: Conversation) -> int:
    return max((one.index for one in conversation.heard if one.sender == WORKER), default=-1)


def _read_up_to(conversation: Conversation) -> int:
    return max(conversation.read_index, _answered_up_to(conversation))


def _unread_in(conversation: Conversation) -> int:
    upto = _read_up_to(conversation)
    return sum(one.sender == CUSTOMER and one.index > upto for one in conversation.heard)
