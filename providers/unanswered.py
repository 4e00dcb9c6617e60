"""Queries for customers without an answer, for the pages that supervisors look at. Each has a limit and an index."""

from __future__ import annotations

from datetime import datetime

from domain.conversation import (
    ASSIGNED,
    CLOSED,
    INACTIVE,
    UNROUTED,
    Conversation,
    Pending,
)
from providers import conversations, database, pending

_LOG = "conversations"
_QUEUE = "pending_conversations"
_IN_HAND = [ASSIGNED, INACTIVE]
_COUNTED_UP_TO = 1000


def longest(limit: int) -> list[Conversation]:
    """Return assigned and inactive conversations that await a reply, the longest wait first."""
    conditions = [
        ("state", "in", _IN_HAND),
        ("awaiting_since", ">", conversations.BEFORE_ALL),
    ]
    return _found(conditions, "awaiting_since", limit)


def how_many() -> int:
    """Count the assigned and inactive conversations that await a reply, up to 1000."""
    conditions = [
        ("state", "in", _IN_HAND),
        ("awaiting_since", ">", conversations.BEFORE_ALL),
    ]
    query = database.filtered(_LOG, conditions, order=["awaiting_since"])
    return database.count(query, _COUNTED_UP_TO)


def closed_without_reply(since: datetime, limit: int) -> list[Conversation]:
    """Return conversations that were closed since then before any reply, the latest first."""
    conditions = [
        ("state", "==", CLOSED),
        ("first_answer_at", "==", None),
        ("closed_at", ">", since),
    ]
    return _found(conditions, "-closed_at", limit)


def with_lost_reply(since: datetime, limit: int) -> list[Conversation]:
    """Return conversations with a last reply that did not reach the customer since then, the latest first."""
    return _found([("undelivered_at", ">", since)], "-undelivered_at", limit)


def unrouted_since(since: datetime, limit: int) -> list[Conversation]:
    """Return unrouted conversations with a message of their customer since then, the latest first."""
    conditions = [("state", "==", UNROUTED), ("customer_wrote_at", ">", since)]
    return _found(conditions, "-customer_wrote_at", limit)


def needing_person(limit: int) -> list[Conversation]:
    """Return queued conversations that came back too often for the service to assign them."""
    query = database.filtered(_QUEUE, [("needs_person", "==", True)]).limit(limit)
    return conversations.load_all([entry.id for entry in database.find(query)])


def longest_queued(limit: int) -> list[Pending]:
    """Return the entries that have waited longest, of all pools."""
    return pending.oldest(limit)


def how_many_overtook(entry: Pending, at_most: int) -> int:
    """Count the pool's conversations that arrived after this entry, have a higher priority, and were assigned."""
    conditions = [
        ("pool", "==", entry.pool),
        ("priority", ">", entry.priority),
        ("created_at", ">", entry.queued_at),
        ("assigned_at", ">", entry.queued_at),
    ]
    order = ["priority", "created_at", "assigned_at"]
    return database.count(database.filtered(_LOG, conditions, order=order), at_most)


def _found(
    conditions: database.Conditions, order: str, limit: int
) -> list[Conversation]:
    query = database.filtered(_LOG, conditions, order=[order]).limit(limit)
    return list(map(conversations.of, database.find(query)))
