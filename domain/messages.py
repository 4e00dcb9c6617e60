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

from domain import addresses, json_text, window, wordless
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
from domain.delivery import Failure
from domain.fields import cut
from domain.opt_out import STOP
from domain.rules import in_words
from domain.worker import is_identity

BY_SERVICE = {
    "sent_by": "service"
}  # in the attributes of every message that the service itself sends
_OWN = "system"  # the author of what was sent without naming one
_PEOPLES_APPS = (
    "SDK",
    "API",
)  # all other sources of a message are a customer's channel


@dataclass(frozen=True)
class Message:
    """One message as Twilio reports it. `source` is known from webhooks only. Without a text it is a location, say."""

    index: int
    at: datetime
    author: str
    text: str = ""
    attributes: Mapping[str, Any] | None = None
    source: str | None = None
    sid: str | None = None


def text_of(body: str | None, has_media: bool) -> str:
    """What the record keeps of a message, before it is cut; "" for one that has neither words nor a file."""
    return (body or "").strip() or (wordless.ATTACHMENT if has_media else "")


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


def is_from_channel(message: Message) -> bool:
    """Whether a customer's channel brought it; a message from Twilio's list does not say."""
    return message.source is not None and message.source.upper() not in _PEOPLES_APPS


def may_be_customers(message: Message, conversation: Conversation) -> bool:
    """Whether a customer may have written it, as far as the message itself and the record say."""
    sender = sender_of(message, conversation)
    return sender == CUSTOMER or (sender is None and message.source is None)


def stranger(author: str, bots: Collection[str]) -> str:
    """From whom a message is whose author the record does not name."""
    return SERVICE if author in bots else WORKER


def noted(
    before: Conversation, message: Message, sender: str, word: str | None = None
) -> Conversation:
    """The record with this message; unchanged where it was known, or is older than all that are remembered.

    `word`: what it means if it is only one word of domain/opt_out.py. An opt-out word awaits no answer.
    """
    known = {one.index for one in before.heard}
    is_forgotten = len(known) == MOST_HEARD and message.index < min(known)
    if message.index in known or is_forgotten:
        return before
    heard = sorted(
        (*before.heard, Heard(message.index, sender, message.at, word)),
        key=lambda one: one.index,
    )
    after = replace(before, heard=tuple(heard[-MOST_HEARD:]))
    if before.last_message is None or message.index > before.last_message.index:
        text = (
            cut(message.text, LONGEST_TEXT).encode(errors="replace").decode()
        )  # a half surrogate pair
        after = replace(
            after, last_message=LastMessage(message.at, sender, text, message.index)
        )
    if sender == CUSTOMER and word == STOP:
        return _opted_out(after, message)
    if sender == CUSTOMER:
        after = replace(after, customer_wrote_at=customer_wrote_at(before, message.at))
        return _asked(before, after, message)
    return _answered(before, after, message) if sender == WORKER else after


def read(before: Conversation, index: int) -> Conversation:
    """The record once the worker has looked at everything up to this message."""
    newest = before.last_message.index if before.last_message else -1
    index = min(
        index, newest + MOST_HEARD
    )  # one that was seen at Twilio, and not heard of yet
    if index <= before.read_index:
        return before
    after = replace(before, read_index=index)
    return replace(after, unread=min(before.unread, _unread_in(after)))


def not_delivered(
    before: Conversation, message_sid: str, failure: Failure, at: datetime
) -> Conversation:
    """The record with a message that did not reach the customer; unchanged where this was known."""
    failed = Undelivered(
        message_sid, failure.code, at, failure.failed, failure.recipients
    )
    known = next(
        (one for one in before.undelivered if one.message_sid == message_sid), None
    )
    if known is not None:
        return _recounted(before, known, failed)
    undelivered = (*before.undelivered, failed)[-MOST_UNDELIVERED:]
    why = (
        f"Twilio's error {failure.code}" if failure.code else "Twilio does not say why"
    )
    if failure.is_partial:
        why = f"{failure.failed} of {failure.recipients} did not get it: {why}"
    after = replace(before, undelivered=undelivered).noted(at, "not delivered", why)
    return window_closed(after, at) if failure.code == window.CLOSED else after


def customer_wrote_at(
    conversation: Conversation, also: datetime | None = None
) -> datetime | None:
    """When the customer last opened the window; `also`: another message of theirs, such as one that Twilio lists."""
    times = [
        time for time in (conversation.customer_wrote_at, also) if time is not None
    ]
    wrote_at, closed_at = max(times, default=None), closed_at_of(conversation)
    is_closed = (
        wrote_at is not None
        and closed_at is not None
        and _to_the_second(wrote_at) <= closed_at
    )
    return None if is_closed else wrote_at


def closed_at_of(conversation: Conversation) -> datetime | None:
    """When Twilio last said in this conversation that the window is closed."""
    times = [
        one.at
        for one in conversation.undelivered
        if one.code == window.CLOSED and one.at is not None
    ]
    return max(times, default=None)


def window_closed(before: Conversation, at: datetime) -> Conversation:
    """The record once Twilio has said that the window was closed at that time; a later message opened it again."""
    wrote_at = before.customer_wrote_at
    if wrote_at is None or _to_the_second(wrote_at) > at:
        return before
    return replace(before, customer_wrote_at=None)


def _to_the_second(time: datetime) -> datetime:
    """Some of Twilio's times have no fractions of a second, so that only whole ones can be compared."""
    return time.replace(microsecond=0)


def _opted_out(after: Conversation, message: Message) -> Conversation:
    """Nobody waits for an answer to an opt-out word. As the first message it is the one that the arrival presumed."""
    if message.index > 0:
        return after
    waiting = [
        one.at for one in after.heard if one.asks and one.index > _answered_up_to(after)
    ]
    known = replace(
        after, awaiting_since=min(waiting, default=None), unread=_unread_in(after)
    )
    again = _with_first_answer(
        replace(known, first_answer_at=None, answered_in=None), was_presumed=False
    )
    return (
        replace(again, log=after.log)
        if again.first_answer_at == after.first_answer_at
        else again
    )


def delivered(before: Conversation, message_sid: str, at: datetime) -> Conversation:
    """The record without the mark of a message that arrived after all; unchanged where there is none."""
    rest = tuple(one for one in before.undelivered if one.message_sid != message_sid)
    if len(rest) == len(before.undelivered):
        return before
    why = "a message that was reported as not delivered has arrived"
    return replace(before, undelivered=rest).noted(at, "delivered", why)


def _recounted(
    before: Conversation, known: Undelivered, failed: Undelivered
) -> Conversation:
    """With another number of recipients who did not get it; the first report's time and code stay."""
    if (known.failed, known.recipients) == (failed.failed, failed.recipients):
        return before
    counted = replace(known, failed=failed.failed, recipients=failed.recipients)
    undelivered = tuple(counted if one is known else one for one in before.undelivered)
    return replace(before, undelivered=undelivered)


def _asked(before: Conversation, after: Conversation, message: Message) -> Conversation:
    after = replace(after, customer_missing_since=None)
    if message.index > _answered_up_to(before):
        since = min(before.awaiting_since or message.at, message.at)
        after = replace(after, awaiting_since=since)
    if message.index > _read_up_to(before):
        # the one that the arrival presumed
        is_first = all(
            one.sender == SERVICE or _follows_the_first(one) for one in before.heard
        )
        seen = 0 if is_first else before.unread
        after = replace(after, unread=seen + 1)
    return _with_first_answer(after, was_presumed=False)


def _answered(
    before: Conversation, after: Conversation, message: Message
) -> Conversation:
    later = [
        one.at for one in after.heard if one.asks and one.index > _answered_up_to(after)
    ]
    was_presumed = before.awaiting_since is not None and not any(
        one.asks for one in before.heard
    )
    if message.index > _answered_up_to(before):
        by = message.author if is_identity(message.author) else None
        after = replace(after, answered_at=message.at, answered_by=by)
        after = replace(
            after, awaiting_since=min(later, default=None), unread=_unread_in(after)
        )
    return _with_first_answer(after, was_presumed)


def _with_first_answer(after: Conversation, was_presumed: bool) -> Conversation:
    """The first of a worker's messages that follows one of the customer's."""
    asked = min((one.index for one in after.heard if one.asks), default=None)
    if asked is None and was_presumed:
        asked = -1
    answers = [
        o.at
        for o in after.heard
        if o.sender == WORKER and asked is not None and o.index > asked
    ]
    first = min([*answers, *filter(None, [after.first_answer_at])], default=None)
    if first is None or first == after.first_answer_at:
        return after
    waited = max(0.0, (first - (after.created_at or first)).total_seconds())
    told = replace(after, first_answer_at=first, answered_in=round(waited, 3))
    return (
        told
        if after.first_answer_at
        else told.noted(first, "answered", f"after {in_words(waited)}")
    )


def _answered_up_to(conversation: Conversation) -> int:
    return max(
        (one.index for one in conversation.heard if one.sender == WORKER), default=-1
    )


def _read_up_to(conversation: Conversation) -> int:
    return max(conversation.read_index, _answered_up_to(conversation))


def _unread_in(conversation: Conversation) -> int:
    upto = _read_up_to(conversation)
    return sum(one.asks and one.index > upto for one in conversation.heard)


def _follows_the_first(one: Heard) -> bool:
    """Whether it is an opt-out word that leaves open what the first message was."""
    return one.word == STOP and one.index > 0
