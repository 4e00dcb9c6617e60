"""What a person's edit asks for: of an entry in the queue, of a conversation's record, of a pool's overflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from domain import rules, transitions
from domain.conversation import ASSIGNED, INACTIVE, QUEUED, Conversation, Pending
from domain.pool import Pool


def asked_for(
    entry: Pending, conversation: Conversation, pools: Mapping[str, Pool], now: datetime
) -> Conversation:
    """The conversation as its entry wants it: in another pool, with another priority, or due at another time by what
    holds for its pool now; itself if nothing was edited."""
    followed = replace(conversation, priority=entry.priority)
    pool = pools.get(entry.pool)
    if pool is None:  # it waits for one worker alone
        return followed
    if entry.pool != conversation.pool or conversation.for_worker:
        return transitions.queued(
            followed, pool, now, f"moved to {pool.display_name} by hand"
        )
    due = rules.overflows_at(pool, conversation.queued_at or now)
    is_open = (
        due is not None and due <= now and conversation.open_to == (pool.overflow,)
    )
    return followed if is_open else replace(followed, open_to=(), due_at=due)


def is_told_right(entry: Pending, conversation: Conversation) -> bool:
    """Whether the entry says of whom else may take it what the log says."""
    theirs = (entry.for_worker, entry.open_to, entry.due_at)
    return theirs == (
        conversation.for_worker,
        conversation.open_to,
        conversation.due_at,
    )


def by_hand(before: Conversation, after: Conversation) -> frozenset[str]:
    """Which of these fields a person has edited in a conversation's record: whatever the service changes there it notes
    in the story, too."""
    if (
        not before.state
        or before.state != after.state
        or before.log != after.log
        or after.problem
    ):
        return frozenset()
    return frozenset(
        name
        for name in ("worker", "pool", "priority")
        if getattr(before, name) != getattr(after, name)
    )


def of_its_worker(conversation: Conversation, inside: Mapping[str, str]) -> bool:
    """The same, told from who is in it at Twilio, by identity with the participant's SID: it names somebody who is not
    while the participant it knows is in it; or somebody while it waits; or nobody, though it knows a participant."""
    named = conversation.worker
    if (
        conversation.lease_until is not None
        or conversation.leaving
        or conversation.problem
        or named in inside
    ):
        return False
    if conversation.state == QUEUED:
        return named is not None
    stay = conversation.participant_sid
    is_known = stay in inside.values() or (named is None and stay is not None)
    return conversation.state in (ASSIGNED, INACTIVE) and is_known
