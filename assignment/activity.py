"""A conversation turns inactive and active again: its slot is freed, and later goes back to the same worker."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from assignment import arrival, hand_over, ledger, matching, membership
from domain import transitions
from domain.conversation import ASSIGNING, HELD, INACTIVE, Conversation
from providers import clock, conversations, workers


def fell_asleep(before: Conversation, at: datetime | None = None) -> None:
    """Free the slot of a conversation that Twilio has made inactive.

    `at`: when that happened, by Twilio's clock. A queued conversation stays queued, and one in any other state has no
    slot. Raises database.LostRace.
    """
    if before.state not in HELD or is_stale(before, at):
        return
    matching.move(before, transitions.inactive(_changed_at(before, at), clock.now()))


def woke_up(before: Conversation, at: datetime | None = None) -> None:
    """Follow Twilio's "active": give the conversation back to its worker, or to its pool if it has none.

    `at`: when it became active, by Twilio's clock. Raises database.LostRace.
    """
    if before.state != INACTIVE or is_stale(before, at):
        _note_time(before, at)
    elif before.worker is not None:
        _return_to_worker(before, at)
    elif before.participant_sid is None:
        arrival.route_known(before)
    else:  # the name was removed from the record by hand; the participant is still there
        _follow_edit(before)


def _follow_edit(edited: Conversation) -> None:
    # Refused means that Twilio does not respond: the sweep follows the edit.
    with suppress(hand_over.Refused):
        hand_over.edited(edited.sid, edited.participant_sid, edited.worker)


def _return_to_worker(before: Conversation, at: datetime | None) -> None:
    """Assign it again to its worker, even beyond their capacity.

    A worker whose record was deleted, or is not confirmed, is removed from the conversation first.
    """
    worker = workers.load(before.worker or "")
    if not worker.confirmed:
        _without_former_worker(before, worker.identity, at)
        return
    active = transitions.active_again(_changed_at(before, at), clock.now())
    assigned = ledger.move(before, active, worker).conversation
    if assigned.state == ASSIGNING:
        matching.finish(assigned)


def _without_former_worker(
    before: Conversation, identity: str, at: datetime | None
) -> None:
    membership.take_out(before.sid, identity)
    current = conversations.load(before.sid)
    if current.worker != identity:
        woke_up(current, at)
    else:  # this name was typed by hand, and another worker is the participant
        _follow_edit(before)


def _changed_at(conversation: Conversation, at: datetime | None) -> Conversation:
    return replace(conversation, state_changed_at=at or conversation.state_changed_at)


def is_stale(before: Conversation, at: datetime | None) -> bool:
    """Return whether the record has a later change than `at`: Twilio's events may arrive out of order."""
    if at is None or before.state_changed_at is None:
        return False
    return at < before.state_changed_at


def _note_time(before: Conversation, at: datetime | None) -> None:
    """Store the time of an "active", so that an older "inactive" that arrives later does not free the slot."""
    if at and before.state in HELD and not is_stale(before, at):
        ledger.move(before, replace(before, state_changed_at=at))
