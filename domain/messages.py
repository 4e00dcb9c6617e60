"""What a message changes in a conversation's record. Webhooks report messages, and the sweep asks for missed ones.

A record remembers the newest 20 messages without their text (`heard`), so that repeated and reordered deliveries lead
to the same record as one delivery of each message in order. A worker's message answers all of the customer's messages
with a smaller index, and marks them as read. One that did not reach the customer answers nothing: the oldest of their
messages since the last delivered reply awaits an answer again. Messages of the service and of bots are no answers. The
arrival of a conversation presumes the customer's first message: an answer is awaited from `created_at` on.
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
    MOST_RETURNS,
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

# In the attributes of every message that the service itself sends:
BY_SERVICE = {"sent_by": "service"}
_OWN = "system"  # the author of a message that was sent without naming one
_PEOPLES_APPS = (
    "SDK",
    "API",
)  # every other source of a message is a customer's channel


@dataclass(frozen=True)
class Message:
    """One message as Twilio reports it.

    `source` is known from webhooks only. A message without a text can be a location.
    """

    index: int
    at: datetime
    author: str
    text: str = ""
    attributes: Mapping[str, Any] | None = None
    source: str | None = None
    sid: str | None = None


def text_of(body: str | None, has_media: bool) -> str:
    """Return the text that the record keeps of a message, uncut; "" if it has neither words nor a file."""
    attachment = wordless.ATTACHMENT if has_media else ""
    return (body or "").strip() or attachment


def attributes(text: str | None) -> Mapping[str, Any] | None:
    """Parse a message's attributes, which Twilio keeps as JSON; None for anything but an object."""
    try:
        parsed = json_text.parsed(text or "{}", json_text.MOST_ATTRIBUTES)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def sender_of(message: Message, conversation: Conversation) -> str | None:
    """Return CUSTOMER, WORKER or SERVICE; None if the record does not name the author: a worker, or a bot."""
    if (message.attributes or {}).get("sent_by") == BY_SERVICE["sent_by"]:
        return SERVICE
    if (message.source or "SDK").upper() not in _PEOPLES_APPS:
        return CUSTOMER
    if message.author in _authors_of_ours(conversation):
        return WORKER
    if message.author == conversation.address:
        return CUSTOMER
    if addresses.is_on_channel(message.author):
        return CUSTOMER
    return SERVICE if message.author == _OWN else None


def _authors_of_ours(conversation: Conversation) -> tuple[str | None, ...]:
    """Return the workers that the record names, and the addresses of ours under which customers see them."""
    return (
        conversation.worker,
        *conversation.others,
        conversation.taken_from,
        *conversation.excluded_workers,
        conversation.proxy_address,
        conversation.projected_address,
    )


def is_from_channel(message: Message) -> bool:
    """Return whether a customer's channel brought it. False for messages from Twilio's list, which has no source."""
    return message.source is not None and message.source.upper() not in _PEOPLES_APPS


def may_be_customers(message: Message, conversation: Conversation) -> bool:
    """Return whether a customer may have written it, judging by the message and the record alone."""
    sender = sender_of(message, conversation)
    is_unclear = sender is None and message.source is None
    return is_unclear or sender == CUSTOMER


def stranger(author: str, bots: Collection[str]) -> str:
    """Return the sender of a message for an author that the record does not name."""
    return SERVICE if author in bots else WORKER


def noted(
    before: Conversation, message: Message, sender: str, word: str | None = None
) -> Conversation:
    """Return the record with this message; unchanged if it is in it, or is older than all that it remembers.

    `word`: its meaning if it is only one word of domain/opt_out.py. An opt-out word awaits no answer.
    """
    if not _is_new(before, message):
        return before
    after = _with_last_message(before, message, sender)
    heard = (*before.heard, _heard(before, message, sender, word))
    in_order = sorted(heard, key=lambda remembered: remembered.index)
    after = replace(after, heard=tuple(in_order[-MOST_HEARD:]))
    if sender == WORKER:
        return _answered(before, after, message)
    if sender != CUSTOMER:
        return after
    if word == STOP:
        return _opted_out(after, message)
    after = replace(after, customer_wrote_at=customer_wrote_at(before, message.at))
    return _asked(before, after, message)


def _heard(
    before: Conversation, message: Message, sender: str, word: str | None
) -> Heard:
    """Return what the record remembers of it; the report of its failure may have come first."""
    if sender != WORKER:
        return Heard(message.index, sender, message.at, word)
    lost = {report.message_sid for report in before.undelivered if _is_whole(report)}
    return Heard(
        message.index, sender, message.at, word, message.sid, message.sid in lost
    )


def _is_whole(report: Undelivered) -> bool:
    """Return whether the message reached no recipient at all."""
    return report.failed >= report.recipients


def _is_new(before: Conversation, message: Message) -> bool:
    indexes = {remembered.index for remembered in before.heard}
    is_forgotten = len(indexes) == MOST_HEARD and message.index < min(indexes)
    return message.index not in indexes and not is_forgotten


def _with_last_message(
    before: Conversation, message: Message, sender: str
) -> Conversation:
    if message.index <= _newest_index(before):
        return before
    # Cutting can leave half a surrogate pair, which cannot be stored.
    text = cut(message.text, LONGEST_TEXT).encode(errors="replace").decode()
    last = LastMessage(message.at, sender, text, message.index)
    return replace(before, last_message=last)


def _newest_index(conversation: Conversation) -> int:
    return conversation.last_message.index if conversation.last_message else -1


def read(before: Conversation, index: int) -> Conversation:
    """Return the record once the worker has looked at every message up to this index.

    The worker may have read messages that no webhook has reported yet, but only a few: larger indexes are limited.
    """
    index = min(index, _newest_index(before) + MOST_HEARD)
    if index <= before.read_index:
        return before
    after = replace(before, read_index=index)
    return replace(after, unread=min(before.unread, _unread_in(after)))


def marked_unread(before: Conversation) -> Conversation:
    """Return the record with the customer's last message unread; unchanged if no message of theirs is known."""
    indexes = [heard.index for heard in before.heard if heard.sender == CUSTOMER]
    if not indexes:
        return before
    read_index = min(before.read_index, max(indexes) - 1)
    return replace(before, read_index=read_index, unread=max(1, before.unread))


def not_delivered(
    before: Conversation, message_sid: str, failure: Failure, at: datetime
) -> Conversation:
    """Return the record with a message that did not reach the customer; unchanged if that is known."""
    report = Undelivered(
        message_sid, failure.code, at, failure.failed, failure.recipients
    )
    for earlier in before.undelivered:
        if earlier.message_sid == message_sid:
            return _with_lost(_recounted(before, earlier, report), report)
    undelivered = (*before.undelivered, report)[-MOST_UNDELIVERED:]
    after = replace(before, undelivered=undelivered)
    after = after.noted(at, "not delivered", _why_not_delivered(failure))
    after = _with_lost(after, report)
    return window_closed(after, at) if failure.code == window.CLOSED else after


def _why_not_delivered(failure: Failure) -> str:
    why = "Twilio does not say why"
    if failure.code:
        why = f"Twilio's error {failure.code}"
    if failure.is_partial:
        why = f"{failure.failed} of {failure.recipients} did not get it: {why}"
    return why


def _recounted(
    before: Conversation, earlier: Undelivered, report: Undelivered
) -> Conversation:
    """Update how many recipients did not get a message; the first report's time and code stay."""
    recounted = replace(earlier, failed=report.failed, recipients=report.recipients)
    if recounted == earlier:
        return before
    position = before.undelivered.index(earlier)
    undelivered = list(before.undelivered)
    undelivered[position] = recounted
    return replace(before, undelivered=tuple(undelivered))


def delivered(before: Conversation, message_sid: str, at: datetime) -> Conversation:
    """Return the record without the mark of a message that arrived after all; unchanged if there is none."""
    rest = tuple(
        report for report in before.undelivered if report.message_sid != message_sid
    )
    if len(rest) == len(before.undelivered):
        return before
    why = "a message that was reported as not delivered has arrived"
    after = replace(before, undelivered=rest).noted(at, "delivered", why)
    return _marked(after, message_sid, is_lost=False)


def _with_lost(after: Conversation, report: Undelivered) -> Conversation:
    return _marked(after, report.message_sid, is_lost=_is_whole(report))


def _marked(before: Conversation, message_sid: str, is_lost: bool) -> Conversation:
    """Mark a worker's message as lost or as arrived, and compute again what awaits an answer."""
    if not any(_is_other(message, message_sid, is_lost) for message in before.heard):
        return before
    heard = tuple(
        replace(message, is_lost=is_lost)
        if _is_other(message, message_sid, is_lost)
        else message
        for message in before.heard
    )
    after = replace(before, heard=heard)
    if is_lost:
        return _with_lost_answer(before, after, message_sid)
    return _with_first_answer(_recount(after), was_presumed=False)


def _is_other(message: Heard, message_sid: str, is_lost: bool) -> bool:
    return message.sid == message_sid and message.is_lost != is_lost


def _with_lost_answer(
    before: Conversation, after: Conversation, message_sid: str
) -> Conversation:
    """Await the customer's oldest message since the last delivered reply again, as if the lost one was not written."""
    since = _recount(after).awaiting_since
    if since is None and not any(message.asks for message in after.heard):
        is_answer = before.first_answer_at and _answered_up_to(after) < 0
        since = before.created_at if is_answer else None  # only the arrival is known
    times = filter(None, (before.awaiting_since, since))
    after = replace(after, awaiting_since=min(times, default=None))
    written_at = [one.at for one in after.heard if one.sid == message_sid]
    if before.first_answer_at not in written_at:
        return after
    without = replace(after, first_answer_at=None, answered_in=None)
    return _with_first_answer(without, was_presumed=False)


def customer_wrote_at(
    conversation: Conversation, also: datetime | None = None
) -> datetime | None:
    """Return when the customer last opened the window; None if Twilio said later than that that it is closed.

    `also`: the time of another message of theirs, such as one that Twilio lists.
    """
    times = filter(None, (conversation.customer_wrote_at, also))
    wrote_at, closed_at = max(times, default=None), closed_at_of(conversation)
    if wrote_at is None or closed_at is None:
        return wrote_at
    return wrote_at if _to_the_second(wrote_at) > closed_at else None


def closed_at_of(conversation: Conversation) -> datetime | None:
    """Return when Twilio last said in this conversation that the window is closed."""
    times = [
        report.at for report in conversation.undelivered if report.code == window.CLOSED
    ]
    return max(filter(None, times), default=None)


def window_closed(before: Conversation, at: datetime) -> Conversation:
    """Return the record once Twilio has said that the window was closed at that time; a later message reopened it."""
    wrote_at = before.customer_wrote_at
    if wrote_at is None or _to_the_second(wrote_at) > at:
        return before
    return replace(before, customer_wrote_at=None)


def _to_the_second(time: datetime) -> datetime:
    """Drop the fraction of a second, which some of Twilio's times lack, so that times can be compared."""
    return time.replace(microsecond=0)


def _opted_out(after: Conversation, message: Message) -> Conversation:
    """Await no answer to an opt-out word. As the first message it is the one that the arrival presumed."""
    if message.index > 0:
        return after
    without_answer = replace(_recount(after), first_answer_at=None, answered_in=None)
    again = _with_first_answer(without_answer, was_presumed=False)
    is_first_answer_the_same = again.first_answer_at == after.first_answer_at
    return replace(again, log=after.log) if is_first_answer_the_same else again


def _asked(before: Conversation, after: Conversation, message: Message) -> Conversation:
    """Count a customer's message that wants an answer, unless later messages have answered it or marked it read."""
    after = replace(after, customer_missing_since=None)
    if before.returns >= MOST_RETURNS:
        after = replace(after, returns=0)
    if message.index > _answered_up_to(before):
        since = min(before.awaiting_since or message.at, message.at)
        after = replace(after, awaiting_since=since)
    if message.index > _read_up_to(before):
        # The first one is counted already: the arrival presumed it.
        is_first = all(map(_leaves_first_open, before.heard))
        after = replace(after, unread=1 if is_first else before.unread + 1)
    return _with_first_answer(after, was_presumed=False)


def _leaves_first_open(message: Heard) -> bool:
    """Return whether it may have come before the first message that wants an answer is known."""
    is_later_opt_out = message.word == STOP and message.index > 0
    return is_later_opt_out or message.sender == SERVICE


def _answered(
    before: Conversation, after: Conversation, message: Message
) -> Conversation:
    """Count a worker's message as the answer to all that the customer wrote before it."""
    is_question_known = any(remembered.asks for remembered in before.heard)
    was_presumed = before.awaiting_since is not None and not is_question_known
    if message.index > _written_up_to(before):
        by = message.author if is_identity(message.author) else None
        unread = _unread_in(after)
        after = replace(after, answered_at=message.at, answered_by=by, unread=unread)
    is_news = message.index > _answered_up_to(before)
    if is_news and not _is_lost(after, message):
        after = replace(_recount(after), returns=0, missed_by=())
    return _with_first_answer(after, was_presumed)


def _recount(conversation: Conversation) -> Conversation:
    """Compute `awaiting_since` and `unread` from the messages that the record remembers."""
    unanswered = _questions_after(_answered_up_to(conversation), conversation)
    times = (question.at for question in unanswered)
    return replace(
        conversation,
        awaiting_since=min(filter(None, times), default=None),
        unread=_unread_in(conversation),
    )


def without_question(after: Conversation, asked_at: datetime) -> Conversation:
    """Return the record once a question is gone from `heard`: nothing waits for an answer to it."""
    unread = min(after.unread, _unread_in(after))
    open_questions = _questions_after(_answered_up_to(after), after)
    since = after.awaiting_since
    if not open_questions:
        since = None
    elif since == asked_at:
        since = min(question.at for question in open_questions)
    return replace(after, unread=unread, awaiting_since=since)


def _questions_after(index: int, conversation: Conversation) -> list[Heard]:
    """Return the customer's messages with a larger index that want an answer."""
    return [
        remembered
        for remembered in conversation.heard
        if remembered.asks and remembered.index > index
    ]


def _with_first_answer(after: Conversation, was_presumed: bool) -> Conversation:
    """Set the first answer: the earliest of a worker's messages that follows one of the customer's.

    `was_presumed`: whether the customer's message is known from the arrival only.
    """
    questions = [remembered.index for remembered in after.heard if remembered.asks]
    if was_presumed:
        questions = questions or [-1]
    if not questions:
        return after
    answers = [
        remembered.at
        for remembered in after.heard
        if _is_answer(remembered) and remembered.index > min(questions)
    ]
    first = min(filter(None, [*answers, after.first_answer_at]), default=None)
    if first is None or first == after.first_answer_at:
        return after
    waited = max(0.0, (first - (after.created_at or first)).total_seconds())
    answered = replace(after, first_answer_at=first, answered_in=round(waited, 3))
    if after.first_answer_at:
        return answered
    return answered.noted(first, "answered", f"after {in_words(waited)}")


def _is_answer(message: Heard) -> bool:
    return message.sender == WORKER and not message.is_lost


def _is_lost(conversation: Conversation, message: Message) -> bool:
    return any(
        remembered.index == message.index and remembered.is_lost
        for remembered in conversation.heard
    )


def _answered_up_to(conversation: Conversation) -> int:
    """Return the index of the newest message of a worker that is not lost; -1 if there is none."""
    answers = filter(_is_answer, conversation.heard)
    return max((answer.index for answer in answers), default=-1)


def _written_up_to(conversation: Conversation) -> int:
    """Return the index of the newest message of a worker, lost or not; -1 if there is none."""
    indexes = (
        remembered.index
        for remembered in conversation.heard
        if remembered.sender == WORKER
    )
    return max(indexes, default=-1)


def _read_up_to(conversation: Conversation) -> int:
    return max(conversation.read_index, _written_up_to(conversation))


def _unread_in(conversation: Conversation) -> int:
    return len(_questions_after(_read_up_to(conversation), conversation))
