"""The collection pending_conversations: the queue. Only the ledger (assignment/ledger.py) writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain.conversation import Conversation, Pending, parse_entry
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference


def reference(sid: str) -> DocumentReference:
    return database.document("pending_conversations", sid)


def heads(pool_ids: Sequence[str], limit: int) -> list[Pending]:
    """The heads of these pools' queues as one queue: larger priority first, then the oldest."""
    few = list(pool_ids)[:30]  # Firestore's limit for `in`
    if not few:
        return []
    query = database.filtered("pending_conversations", [("pool", "in", few)])
    found = database.find(database.ordered(query, ("-priority", "queued_at"), limit))
    return [parse_entry(snapshot.id, snapshot.to_dict()) for snapshot in found]


def oldest(limit: int) -> list[Pending]:
    """Those that have waited longest, of all pools."""
    query = database.ordered(database.filtered("pending_conversations", ()), ("queued_at",), limit)
    return [parse_entry(snapshot.id, snapshot.to_dict()) for snapshot in database.find(query)]


def after(name: str | None, limit: int) -> list[Pending]:
    """Queue entries in the order of their names, for going through all of them in turns."""
    found = database.after("pending_conversations", (), name, limit)
    return [parse_entry(snapshot.id, snapshot.to_dict()) for snapshot in found]


def missing(queued: Sequence[Conversation]) -> list[Conversation]:
    """Those of them that have no queue entry."""
    if not queued:
        return []
    entries = database.read(*(reference(c.sid) for c in queued))
    there = {entry.id for entry in entries if entry.exists}
    return [conversation for conversation in queued if conversation.sid not in there]
