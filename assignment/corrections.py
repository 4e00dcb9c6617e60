"""Follows what people edit and remove at Twilio. Twilio's own answer counts, in whatever order the events come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from assignment import hearing, ledger
from domain import corrections, messages
from domain.conversation import Conversation, LastMessage
from domain.messages import Message
from providers import conversations
from providers import messages as at_twilio
from providers.twilio import Outcome


def follow_edit(sid: str, reported: Message, at: datetime) -> None:
    """Correct the record of an edited message. `reported`: as the event has it; `at`: when it was edited.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if not before.exists or reported.sid is None:
        return
    current = at_twilio.one(before, reported.sid)
    if current.outcome in (Outcome.MISSING, Outcome.GONE):
        _remove(before, reported.index, reported.sid, at)
        return
    text = reported.text
    if current.outcome is Outcome.DONE:
        text = messages.text_of(current.body.body, bool(current.body.media))
    ledger.note(before, corrections.edited(before, reported.index, text, at))


def follow_removal(sid: str, index: int, message_sid: str, at: datetime) -> None:
    """Correct the record of a removed message. Raises database.LostRace."""
    before = conversations.load(sid)
    if before.exists:
        _remove(before, index, message_sid, at)


def _remove(before: Conversation, index: int, message_sid: str, at: datetime) -> None:
    newest = _newest(before, index)
    after = corrections.removed(before, index, message_sid, newest, at)
    ledger.note(before, after)


def _newest(before: Conversation, removed_index: int) -> LastMessage | None:
    """Ask Twilio for the newest message that is left, if the list shows the removed one; None if that is unknown."""
    last = before.last_message
    if last is None or last.index != removed_index:
        return None
    result = at_twilio.after(before, -1, 1)
    if result.outcome is not Outcome.DONE or not result.body:
        return None
    empty = replace(before, heard=(), last_message=None)
    heard = hearing.heard(empty, [at_twilio.of_twilio(result.body[0])])
    newest = heard.last_message
    return newest if newest is not None and newest.index != removed_index else None
