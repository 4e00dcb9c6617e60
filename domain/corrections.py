"""What an edited or removed message changes in a conversation's record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain import messages
from domain.conversation import (
    LONGEST_TEXT,
    MOST_HEARD,
    SERVICE,
    Conversation,
    Heard,
    LastMessage,
)
from domain.fields import cut

REMOVED = "This message was removed."


def edited(
    before: Conversation, index: int, text: str, at: datetime | None
) -> Conversation:
    """Return the record once the text of a message has changed. `at`: when Twilio last changed a message."""
    last, after = before.last_message, _corrected(before, at)
    if last is None or last.index != index:
        return after
    return replace(after, last_message=_with_text(last, text))


def removed(
    before: Conversation,
    index: int,
    message_sid: str,
    newest: LastMessage | None,
    at: datetime,
) -> Conversation:
    """Return the record without a message. `newest`: the newest message that is left; None if that is unknown.

    The message stays in `heard` as one of the service's, so that a late report of it changes nothing. A removed
    question awaits no answer; a removed answer has been given all the same.
    """
    after = _corrected(before, at)
    known = {heard.index: heard for heard in before.heard}
    question = known.get(index)
    known[index] = Heard(index, SERVICE, question.at if question else at)
    in_order = tuple(known[number] for number in sorted(known))
    undelivered = tuple(
        report for report in before.undelivered if report.message_sid != message_sid
    )
    after = replace(after, heard=in_order[-MOST_HEARD:], undelivered=undelivered)
    last = before.last_message
    if last is not None and last.index == index:
        after = replace(after, last_message=newest or _with_text(last, REMOVED))
    if question is None or not question.asks:
        return after
    return messages.without_question(after, question.at)


def _corrected(before: Conversation, at: datetime | None) -> Conversation:
    """Return the record with the time of the latest correction, which makes open pages read the thread again."""
    times = filter(None, (before.corrected_at, at))
    return replace(before, corrected_at=max(times, default=None))


def _with_text(message: LastMessage, text: str) -> LastMessage:
    short = cut(text, LONGEST_TEXT).encode(errors="replace").decode()
    return replace(message, text=short)
