"""The collection conversations: the log. Only the ledger (assignment/ledger.py) writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from domain.conversation import ASSIGNED, ASSIGNING, HELD, INACTIVE, Conversation, parse
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from providers.database import Snapshot

_MOST_HELD = 1000  # Twilio's own limit of open conversations per identity


def reference(sid: str) -> DocumentReference:
    return database.document("conversations", sid)


def of(snapshot: Snapshot) -> Conversation:
    return parse(snapshot.id, snapshot.to_dict(), snapshot.update_time if snapshot.exists else None)


def load(sid: str) -> Conversation:
    return of(database.read(reference(sid))[0])


def how_many_held(identity: str) -> int:
    """The conversations that count for this worker, counted afresh (what `active` should be)."""
    conditions = [("worker", "==", identity), ("state", "in", list(HELD))]
    return database.count(database.filtered("conversations", conditions), up_to=_MOST_HELD)


def in_states_after(states: Sequence[str], name: str | None, limit: int) -> list[Conversation]:
    """Conversations in these states in the order of their names, for going through all of them in turns."""
    return [of(s) for s in database.after("conversations", [("state", "in", list(states))], name, limit)]


def with_lease_over(now: datetime, limit: int) -> list[Conversation]:
    """Assignments that nobody finishes any more, the oldest first."""
    query = database.filtered("conversations", [("state", "==", ASSIGNING), ("lease_until", "<=", now)])
    return [of(s) for s in database.find(database.ordered(query, ("lease_until",), limit))]


def starting(limit: int) -> list[Conversation]:
    """Conversations that Twilio was still setting up when they were announced."""
    return [
        of(s)
        for s in database.find(database.filtered("conversations", [("starting", "==", True)]).limit(limit))
    ]


def load_all(sids: Sequence[str]) -> list[Conversation]:
    """These conversations in one round trip, also those without a record."""
    return [of(snapshot) for snapshot in database.read(*map(reference, sids))] if sids else []


def is_between(worker: str, customer_id: str) -> bool:
    """Whether the worker has a conversation with this customer that is not over."""
    states = (ASSIGNING, ASSIGNED, INACTIVE)
    conditions = [("customer_id", "==", customer_id), ("worker", "==", worker), ("state", "in", list(states))]
    return bool(database.find(database.filtered("conversations", conditions).select(["__name__"]).limit(1)))
