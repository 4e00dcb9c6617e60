"""What a person's edit asks for, of a queue entry, of a conversation's record or of a pool's overflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from domain import rules, transitions
from domain.conversation import ASSIGNED, INACTIVE, QUEUED, Conversation, Pending
from domain.pool import Pool

_EDITABLE = ("worker", "pool", "priority")
_audience = attrgetter("for_worker", "open_to", "due_at", "needs_person")


def asked_for(
    entry: Pending, conversation: Conversation, pools: Mapping[str, Pool], now: datetime
) -> Conversation:
    """Return the conversation as its edited queue entry asks for it, unchanged if nothing was edited.

    An edit moves it to another pool, or changes its priority. The time at which it overflows follows from its pool's
    current settings.
    """
    edited = replace(conversation, priority=entry.priority)
    pool = pools.get(entry.pool)
    if pool is None:  # it waits for one worker alone, or needs a person
        return edited
    is_moved = entry.pool != conversation.pool or conversation.for_worker
    if is_moved or conversation.needs_person:
        why = f"moved to {pool.display_name} by hand"
        return transitions.queued(replace(edited, returns=0), pool, now, why)
    due = rules.overflows_at(pool, conversation.queued_at or now)
    is_open_to_overflow = conversation.open_to == (pool.overflow,)
    if is_open_to_overflow and due is not None and due <= now:
        return edited
    return replace(edited, open_to=(), due_at=due)


def is_told_right(entry: Pending, conversation: Conversation) -> bool:
    """Return whether the queue entry and the record agree on which workers may take the conversation, and when."""
    return bool(_audience(entry) == _audience(conversation))


def by_hand(before: Conversation, after: Conversation) -> frozenset[str]:
    """Return which of worker, pool and priority a person has edited in a conversation's record.

    The service notes each of its own changes in the log; a change of one of these fields without one is a person's.
    """
    is_new = not before.state
    is_by_service = (before.state, before.log) != (after.state, after.log)
    if is_new or is_by_service or after.problem:
        return frozenset()
    return frozenset(
        name for name in _EDITABLE if getattr(before, name) != getattr(after, name)
    )


def of_its_worker(conversation: Conversation, inside: Mapping[str, str]) -> bool:
    """Return whether a person has edited the record's worker, judging by the participants at Twilio.

    `inside`: the participants' SIDs by identity. It was edited if a queued conversation has a worker, or if the record
    names no participant at Twilio although it knows the SID of one.
    """
    is_moving = conversation.lease_until is not None or conversation.leaving
    if is_moving or conversation.problem or conversation.worker in inside:
        return False
    if conversation.state == QUEUED:
        return conversation.worker is not None
    return conversation.state in (ASSIGNED, INACTIVE) and _contradicts_participant(
        conversation, inside
    )


def _contradicts_participant(
    conversation: Conversation, inside: Mapping[str, str]
) -> bool:
    """Return whether the record knows a participant SID, although its worker is not a participant."""
    participant_sid = conversation.participant_sid
    if conversation.worker is None:
        return participant_sid is not None
    return participant_sid in inside.values()
