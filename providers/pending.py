"""The collection pending_conversations: the queue. Only the ledger (assignment/ledger.py) writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from domain.conversation import Conversation, Pending, parse_entry
from providers import database

_QUEUE = database.Collection("pending_conversations", parse_entry)
# Firestore takes 30 alternatives: each pool is two of them, and the worker one.
_POOLS_AT_ONCE = 14
_COUNTED_UP_TO = 1000
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
reference, of, load, after = _QUEUE.reference, _QUEUE.of, _QUEUE.load, _QUEUE.after


def heads(
    pool_ids: Sequence[str], limit: int, worker: str | None = None
) -> list[Pending]:
    """Return the entries for these pools, for their overflow from others, and for this worker alone, as one queue.

    The larger priority comes first, then the older entry. One query for up to 14 pools, which reads at most `limit`
    documents.
    """
    entries: dict[str, Pending] = {}
    for start in range(0, len(pool_ids) or bool(worker), _POOLS_AT_ONCE):
        alternatives = _open_to(pool_ids[start : start + _POOLS_AT_ONCE], worker)
        order = ("-priority", "queued_at")
        for entry in _QUEUE.find((), order, limit, any_of=alternatives):
            entries[entry.sid] = entry
    return sorted(entries.values(), key=_turn)[:limit]


def _turn(entry: Pending) -> tuple[float, datetime]:
    return -entry.priority, entry.queued_at or _BEFORE_ALL


def how_many(pool_ids: Sequence[str]) -> int:
    """Count the entries for workers of these pools (the first 14), up to 1000."""
    alternatives = _open_to(pool_ids[:_POOLS_AT_ONCE], None)
    return database.count(
        database.filtered(_QUEUE.name, (), alternatives), _COUNTED_UP_TO
    )


def _open_to(pool_ids: Sequence[str], worker: str | None) -> list[tuple[str, str, Any]]:
    """Return the alternatives of a query: entries of these pools, open to them, or for this worker alone."""
    alternatives: list[tuple[str, str, Any]] = []
    if pool_ids:
        pools = list(pool_ids)
        alternatives.append(("pool", "in", pools))
        alternatives.append(("open_to", "array_contains_any", pools))
    if worker:
        alternatives.append(("for_worker", "==", worker))
    return alternatives


def due(now: datetime, limit: int) -> list[Pending]:
    """Return the entries due to overflow, or to stop waiting for one worker alone. The longest overdue comes first."""
    return _QUEUE.find([("due_at", "<=", now)], ("due_at",), limit)


def waiting_for(worker: str, limit: int) -> list[Pending]:
    """Return the entries that wait for this worker alone."""
    return _QUEUE.find([("for_worker", "==", worker)], (), limit)


def oldest(limit: int) -> list[Pending]:
    """Return the entries that have waited longest, of all pools."""
    return _QUEUE.find((), ("queued_at",), limit)


def how_many_before(entry: Pending) -> int | None:
    """Return how many entries the workers of its pool take before this one: the pool's own, and those open to it.

    None for 1000 and more, and if there is no such number: the entry waits for one worker alone.
    """
    if not entry.is_complete or not entry.pool:
        return None
    alternatives = _open_to([entry.pool], None)
    before = database.together(
        lambda: _counted(alternatives, ("priority", ">", entry.priority)),
        lambda: _counted(
            alternatives,
            ("priority", "==", entry.priority),
            ("queued_at", "<", entry.queued_at),
        ),
    )
    return sum(before) if sum(before) < _COUNTED_UP_TO else None


def _counted(
    alternatives: Sequence[tuple[str, str, Any]], *conditions: tuple[str, str, Any]
) -> int:
    """Count the entries that match all conditions and one of the alternatives, up to 1000."""
    query = database.filtered(
        _QUEUE.name, conditions, alternatives, order=("-priority", "queued_at")
    )
    return database.count(query, _COUNTED_UP_TO)


def missing(queued: Sequence[Conversation]) -> list[Conversation]:
    """Return the conversations that have no queue entry."""
    if not queued:
        return []
    records = database.read(*(reference(conversation.sid) for conversation in queued))
    missing_sids = {record.id for record in records if not record.exists}
    return [conversation for conversation in queued if conversation.sid in missing_sids]
