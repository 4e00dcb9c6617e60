"""The collection pending_conversations: the queue. Only the ledger (assignment/ledger.py) writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from domain.conversation import Conversation, Pending, parse_entry
from providers import database

_QUEUE = database.Collection("pending_conversations", parse_entry)
_POOLS_AT_ONCE = (
    14  # of 30 alternatives, Firestore's limit: each pool twice, and the worker
)
_COUNTED_UP_TO = 1000
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
reference, of, load, after = _QUEUE.reference, _QUEUE.of, _QUEUE.load, _QUEUE.after


def heads(
    pool_ids: Sequence[str], limit: int, worker: str | None = None
) -> list[Pending]:
    """What may be taken by these pools, by their overflow from others, and by this worker alone, as one queue: larger
    priority first, then the oldest. One query for up to 14 pools, which reads at most `limit` documents."""
    found = dict[str, Pending]()
    for start in range(0, len(pool_ids) or bool(worker), _POOLS_AT_ONCE):
        alternatives = _open_to(pool_ids[start : start + _POOLS_AT_ONCE], worker)
        entries = _QUEUE.find(
            (), ("-priority", "queued_at"), limit, any_of=alternatives
        )
        found |= {entry.sid: entry for entry in entries}
    return sorted(
        found.values(),
        key=lambda entry: (-entry.priority, entry.queued_at or _BEFORE_ALL),
    )[:limit]


def how_many(pool_ids: Sequence[str]) -> int:
    """Entries that workers of these pools may take, of the first 14 of them; counted up to 1000."""
    alternatives = _open_to(pool_ids[:_POOLS_AT_ONCE], None)
    return database.count(
        database.filtered(_QUEUE.name, (), alternatives), _COUNTED_UP_TO
    )


def _open_to(pool_ids: Sequence[str], worker: str | None) -> list[tuple[str, str, Any]]:
    pools = list(pool_ids)
    theirs = (
        [("pool", "in", pools), ("open_to", "array_contains_any", pools)]
        if pools
        else []
    )
    return [*theirs, ("for_worker", "==", worker)] if worker else theirs


def due(now: datetime, limit: int) -> list[Pending]:
    """Those whose time has come: to overflow, or to wait for one worker alone no more. The longest overdue first."""
    return _QUEUE.find([("due_at", "<=", now)], ("due_at",), limit)


def waiting_for(worker: str, limit: int) -> list[Pending]:
    """Those that wait for this worker alone."""
    return _QUEUE.find([("for_worker", "==", worker)], (), limit)


def oldest(limit: int) -> list[Pending]:
    """Those that have waited longest, of all pools."""
    return _QUEUE.find((), ("queued_at",), limit)


def how_many_before(entry: Pending) -> int | None:
    """How many of the same pool are taken before this one; None where there are 1000 and more, or nobody can tell, as
    of one who waits for one worker alone."""
    if not entry.is_complete or not entry.pool:
        return None
    same = ("pool", "==", entry.pool)
    before = database.together(
        lambda: _counted(same, ("priority", ">", entry.priority)),
        lambda: _counted(
            same,
            ("priority", "==", entry.priority),
            ("queued_at", "<", entry.queued_at),
        ),
    )
    return sum(before) if sum(before) < _COUNTED_UP_TO else None


def _counted(*conditions: tuple[str, str, Any]) -> int:
    query = database.filtered(_QUEUE.name, conditions, order=("-priority", "queued_at"))
    return database.count(query, _COUNTED_UP_TO)


def missing(queued: Sequence[Conversation]) -> list[Conversation]:
    """Those of them that have no queue entry."""
    entries = (
        database.read(*(reference(conversation.sid) for conversation in queued))
        if queued
        else []
    )
    there = {entry.id for entry in entries if entry.exists}
    return [conversation for conversation in queued if conversation.sid not in there]
