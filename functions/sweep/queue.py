"""The queue and the log must tell the same; and whoever is free takes what waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from functions import assignment
from providers import conversations, database, deadline, pools
from providers.conversations import QUEUED, Conversation
from providers.sweeps import Progress

_AT_ONCE = 100
_MARGIN = 5.0


def mend(progress: Progress, mended: Counter[str]) -> Progress:
    entries = conversations.pending_after(progress.queue_after, _AT_ONCE)
    for entry, conversation in zip(entries, conversations.load_all([e.sid for e in entries]), strict=True):
        if conversation.state != QUEUED:
            mended["queue entries without a waiting conversation"] += _drop(conversation)
        elif not entry.is_complete:
            mended["queue entries with fields missing"] += _restore(
                replace(conversation, priority=entry.priority)
            )
    waiting = conversations.in_states_after((QUEUED,), progress.log_after, _AT_ONCE)
    for conversation in conversations.without_pending(waiting):
        if _restore(conversation):
            mended["waiting conversations without a queue entry"] += 1
    _drain({entry.pool for entry in [*entries, *conversations.oldest_pending(_AT_ONCE)]}, mended)
    return replace(
        progress,
        queue_after=entries[-1].sid if len(entries) == _AT_ONCE else None,
        log_after=waiting[-1].sid if len(waiting) == _AT_ONCE else None,
    )


def _drop(conversation: Conversation) -> bool:
    try:
        conversations.drop_stray(conversation)
    except database.LostRace:
        return False
    return True


def _restore(conversation: Conversation) -> bool:
    try:
        conversations.move(conversation, conversation)
    except database.LostRace:
        return False
    return True


def _drain(pool_ids: set[str], mended: Counter[str]) -> None:
    for pool in pools.load(*sorted(filter(None, pool_ids))).values():
        if not deadline.is_over(_MARGIN):
            mended["pulled"] += assignment.drain(pool)
    mended += Counter()  # without the zeros
