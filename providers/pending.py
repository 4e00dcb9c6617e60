"""The collection pending_conversations: the queue. Only the ledger (assignment/ledger.py) writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from domain.conversation import Conversation, Pending, parse_entry
from providers import database

_QUEUE = database.Collection("pending_conversations", parse_entry)
_ALTERNATIVES = 30  # Firestore's limit for `in`
_COUNTED_UP_TO = 1000  # one billed read
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
reference, of, after = _QUEUE.reference, _QUEUE.of, _QUEUE.after


def heads(pool_ids: Sequence[str], limit: int) -> list[Pending]:
    """The heads of these pools' queues as one queue: larger priority first, then the oldest."""
    wanted, found = list(pool_ids), list[Pending]()
    for start in range(0, len(wanted), _ALTERNATIVES):
        some = wanted[start : start + _ALTERNATIVES]
        found += _QUEUE.find([("pool", "in", some)], ("-priority", "queued_at"), limit)
    if len(wanted) > _ALTERNATIVES:
        found.sort(key=lambda entry: (-entry.priority, entry.queued_at or _BEFORE_ALL))
    return found[:limit]


def how_many(pool_ids: Sequence[str]) -> int:
    """Entries in the queues of these pools, the first 30 of them; counted up to 1000."""
    conditions = [("pool", "in", list(pool_ids)[:_ALTERNATIVES])]
    return database.count(database.filtered(_QUEUE.name, conditions), _COUNTED_UP_TO)


def oldest(limit: int) -> list[Pending]:
    """Those that have waited longest, of all pools."""
    return _QUEUE.find((), ("queued_at",), limit)


def how_many_before(entry: Pending) -> int | None:
    """How many of the same pool are taken before this one; None where there are 1000 and more, or nobody can tell."""
    if not entry.is_complete:
        return None
    same = ("pool", "==", entry.pool)
    before = database.together(
        lambda: _counted(same, ("priority", ">", entry.priority)),
        lambda: _counted(same, ("priority", "==", entry.priority), ("queued_at", "<", entry.queued_at)),
    )
    return sum(before) if sum(before) < _COUNTED_UP_TO else None


def _counted(*conditions: tuple[str, str, Any]) -> int:
    query = database.filtered(_QUEUE.name, conditions)
    return database.count(database.ordered(query, ("-priority", "queued_at"), _COUNTED_UP_TO), _COUNTED_UP_TO)


def missing(queued: Sequence[Conversation]) -> list[Conversation]:
    """Those of them that have no queue entry."""
    entries = database.read(*(reference(conversation.sid) for conversation in queued)) if queued else []
    there = {entry.id for entry in entries if entry.exists}
    return [conversation for conversation in queued if conversation.sid not in there]
