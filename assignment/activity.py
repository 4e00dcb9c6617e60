"""A conversation falls asleep and wakes up again: the slot comes back, and then goes to the same worker again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from assignment import arrival, hand_over, ledger, matching, membership
from domain import transitions
from domain.conversation import ASSIGNING, HELD, INACTIVE, Conversation
from providers import clock, conversations, workers


def fell_asleep(before: Conversation, at: datetime | None = None) -> None:
    """`at`: when it happened. Raises database.LostRace.

    A queued one stays queued, and the others have no slot to give back.
    """
    if before.state not in HELD or is_stale(before, at):
        return
    changed = replace(before, state_changed_at=at or before.state_changed_at)
    matching.move(before, transitions.inactive(changed, clock.now()))


def woke_up(before: Conversation, at: datetime | None = None) -> None:
    """Back to the worker who is in it anyway, or to the pool if nobody is. Raises database.LostRace."""
    if before.state != INACTIVE or is_stale(before, at):
        _remember_when(before, at)
    elif before.worker is not None:
        _back_to_its_worker(before, at)
    elif before.participant_sid is None:
        arrival.route_known(before)
    else:  # a person has taken the name out, and whoever has it is in it still
        _follow_edit(before)


def _follow_edit(edited: Conversation) -> None:
    with suppress(
        hand_over.Refused
    ):  # Twilio does not respond: the sweep follows the edit
        hand_over.edited(edited.sid, edited.participant_sid, edited.worker)


def _back_to_its_worker(before: Conversation, at: datetime | None) -> None:
    """Beyond capacity if need be; one whose record was deleted, or is not confirmed, is taken out of it first."""
    worker = workers.load(before.worker or "")
    if not worker.confirmed:
        membership.take_out(before.sid, worker.identity)
        without = conversations.load(before.sid)
        if without.worker != worker.identity:
            woke_up(without, at)
        else:  # a person has typed this name, and the participant of another worker is in it
            _follow_edit(before)
        return
    changed = replace(before, state_changed_at=at or before.state_changed_at)
    awake = ledger.move(
        before, transitions.active_again(changed, clock.now()), worker
    ).conversation
    if awake.state == ASSIGNING:
        matching.finish(awake)


def is_stale(before: Conversation, at: datetime | None) -> bool:
    """Whether a later change is known already: Twilio's events may overtake each other."""
    return bool(at and before.state_changed_at and at < before.state_changed_at)


def _remember_when(before: Conversation, at: datetime | None) -> None:
    """So that an older "inactive", still on its way, does not take the slot from an active conversation."""
    if before.state in HELD and at and not is_stale(before, at):
        ledger.move(before, replace(before, state_changed_at=at))
