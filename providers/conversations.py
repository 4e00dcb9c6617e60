"""The log of conversations, their queue and the workers' counts: one commit keeps the three true together.

`move` is the only writer. It derives what happens to the queue entry and to the workers' `active` from the
conversation before and after, so that these hold by construction (DESIGN section 5, invariants 3 and 4):
a queue entry exists exactly while the state is queued, and a worker's `active` counts the conversations that
are assigning or assigned to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from providers import database, workers
from providers.fields import Fields
from providers.workers import Worker

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, WriteBatch

    from providers.database import Snapshot

UNROUTED, QUEUED, ASSIGNING, ASSIGNED = "unrouted", "queued", "assigning", "assigned"
INACTIVE, CLOSED = "inactive", "closed"
HELD = (ASSIGNING, ASSIGNED)
LONGEST_LOG = 50
_MOST_HELD = 1000  # Twilio's own limit of open conversations per identity
KEPT_AFTER_CLOSING = timedelta(days=365)  # then Firestore's TTL on expires_at may delete the record


@dataclass(frozen=True)
class Conversation:
    """One record of the log. `version` is None where there is no record yet.

    `claim` names the attempt that is under way, so that one whose answer was lost knows its own work again.
    `others` are workers in the conversation besides the one it counts for.
    """

    sid: str
    state: str = ""
    mode: str | None = None
    pool: str | None = None
    worker: str | None = None
    customer_id: str | None = None
    display_name: str | None = None
    address: str | None = None
    proxy_address: str | None = None
    projected_address: str | None = None
    service_sid: str | None = None
    created_at: datetime | None = None
    queued_at: datetime | None = None
    assigned_at: datetime | None = None
    closed_at: datetime | None = None
    lease_until: datetime | None = None
    expires_at: datetime | None = None
    state_changed_at: datetime | None = None
    waited: float | None = None
    attempts: int = 0
    priority: int = 0
    claim: str | None = None
    participant_sid: str | None = None
    others: tuple[str, ...] = ()
    excluded_workers: tuple[str, ...] = ()
    excluded_until: datetime | None = None
    starting: bool = False
    log: tuple[Mapping[str, Any], ...] = ()
    version: object = field(default=None, compare=False)

    @property
    def exists(self) -> bool:
        return self.version is not None

    @property
    def holder(self) -> str | None:
        """The worker for whom the conversation counts just now."""
        return self.worker if self.state in HELD else None

    def noted(self, at: datetime, what: str, why: str) -> Conversation:
        """With one more line in its story; the oldest lines make room."""
        line = {"at": at, "what": what, "why": why}
        return replace(self, log=(*self.log, line)[-LONGEST_LOG:])


_STORED = tuple(f.name for f in fields(Conversation) if f.name not in ("sid", "version"))


@dataclass(frozen=True)
class Pending:
    """One entry of the queue."""

    sid: str
    pool: str
    excluded_workers: tuple[str, ...]
    excluded_until: datetime | None
    queued_at: datetime | None
    priority: int
    is_complete: bool = True  # otherwise Firestore's queries do not see it where it belongs

    def is_for(self, identity: str, now: datetime) -> bool:
        """Whether this worker may take it: one who just left it is not asked again for a while."""
        lapsed = self.excluded_until is not None and self.excluded_until <= now
        return lapsed or identity not in self.excluded_workers


@dataclass(frozen=True)
class Load:
    """What a worker's record becomes: their count changed, and whether they can take more after that."""

    worker: Worker
    capacity: float
    assigned_at: datetime | None = None


def reference(sid: str) -> DocumentReference:
    return database.document("conversations", sid)


def parse(snapshot: Snapshot) -> Conversation:
    data = snapshot.to_dict() or {}
    values = {name: data[name] for name in _STORED if name in data}
    for name in ("others", "excluded_workers", "log"):
        values[name] = tuple(values.get(name) or ())
    return Conversation(snapshot.id, **values, version=snapshot.update_time if snapshot.exists else None)


def load(sid: str) -> Conversation:
    return parse(database.read(reference(sid))[0])


def how_many_held(identity: str) -> int:
    """The conversations that count for this worker, counted afresh (what `active` should be)."""
    conditions = [("worker", "==", identity), ("state", "in", list(HELD))]
    return database.count(database.filtered("conversations", conditions), up_to=_MOST_HELD)


def next_pending(pool_ids: Sequence[str], limit: int) -> list[Pending]:
    """The heads of these pools' queues as one queue: larger priority first, then the oldest."""
    few = list(pool_ids)[:30]  # Firestore's limit for `in`
    if not few:
        return []
    query = database.filtered("pending_conversations", [("pool", "in", few)])
    found = database.find(database.ordered(query, ("-priority", "queued_at"), limit))
    return [_pending(snapshot.id, snapshot.to_dict() or {}) for snapshot in found]


def oldest_pending(limit: int) -> list[Pending]:
    """Those that have waited longest, of all pools."""
    query = database.ordered(database.filtered("pending_conversations", ()), ("queued_at",), limit)
    return [_pending(snapshot.id, snapshot.to_dict() or {}) for snapshot in database.find(query)]


def pending_after(name: str | None, limit: int) -> list[Pending]:
    """Queue entries in the order of their names, for going through all of them in turns."""
    found = database.after("pending_conversations", (), name, limit)
    return [_pending(snapshot.id, snapshot.to_dict() or {}) for snapshot in found]


def in_states_after(states: Sequence[str], name: str | None, limit: int) -> list[Conversation]:
    """Conversations in these states in the order of their names, for going through all of them in turns."""
    return [parse(s) for s in database.after("conversations", [("state", "in", list(states))], name, limit)]


def with_lease_over(now: datetime, limit: int) -> list[Conversation]:
    """Assignments that nobody finishes any more, the oldest first."""
    query = database.filtered("conversations", [("state", "==", ASSIGNING), ("lease_until", "<=", now)])
    return [parse(s) for s in database.find(database.ordered(query, ("lease_until",), limit))]


def starting(limit: int) -> list[Conversation]:
    """Conversations that Twilio was still setting up when they were announced."""
    return [
        parse(s)
        for s in database.find(database.filtered("conversations", [("starting", "==", True)]).limit(limit))
    ]


def load_all(sids: Sequence[str]) -> list[Conversation]:
    """These conversations in one round trip, also those without a record."""
    return [parse(snapshot) for snapshot in database.read(*map(reference, sids))] if sids else []


def without_pending(queued: Sequence[Conversation]) -> list[Conversation]:
    """Those of them that have no queue entry."""
    if not queued:
        return []
    entries = database.read(*(database.document("pending_conversations", c.sid) for c in queued))
    there = {entry.id for entry in entries if entry.exists}
    return [conversation for conversation in queued if conversation.sid not in there]


def drop_stray(conversation: Conversation) -> None:
    """Takes a queue entry away whose conversation is not queued (somebody edited one of the two by hand).

    Raises database.LostRace if the conversation has changed meanwhile, for it may be queued now.
    """
    batch = database.client().batch()
    batch.delete(database.document("pending_conversations", conversation.sid))
    if conversation.exists:
        database.update(
            batch, reference(conversation.sid), {"state": conversation.state}, conversation.version
        )
    database.commit(batch)


def move(
    before: Conversation, after: Conversation, loads: Sequence[Load] = ()
) -> tuple[Conversation, list[Worker]]:
    """Writes `after` if the record is still as `before`, with all that follows from it, in one commit.

    `loads` are the records of the workers whose count changes (the holder before, the holder after); a holder
    without a record is left out. Returns the conversation and these workers with their new versions.
    Raises database.LostRace when any of the records has changed meanwhile; then nothing was written.
    """
    batch = database.client().batch()
    _write_conversation(batch, before, after)
    changed = [_write_load(batch, load, before, after) for load in loads]
    _write_pending(batch, before, after)
    versions = database.commit(batch)
    moved = replace(after, version=versions[0])
    return moved, [replace(worker, version=versions[1 + i]) for i, worker in enumerate(changed)]


def _write_conversation(batch: WriteBatch, before: Conversation, after: Conversation) -> None:
    if before.exists:
        database.update(batch, reference(after.sid), _stored(after), before.version)
    else:
        batch.create(reference(after.sid), _stored(after))


def _write_load(batch: WriteBatch, load: Load, before: Conversation, after: Conversation) -> Worker:
    identity = load.worker.identity
    change = (after.holder == identity) - (before.holder == identity)
    active = max(0, (load.worker.active or 0) + change)
    values: dict[str, Any] = {"active": active, "full": active >= load.capacity}
    if load.assigned_at:
        values["last_assigned_at"] = load.assigned_at
    if load.worker.version is None:
        batch.create(workers.reference(identity), workers.stored(load.worker) | values)
    else:
        database.update(batch, workers.reference(identity), values, load.worker.version)
    return replace(load.worker, **values)


def _write_pending(batch: WriteBatch, before: Conversation, after: Conversation) -> None:
    entry = database.document("pending_conversations", after.sid)
    if after.state == QUEUED:
        names = (
            "pool",
            "priority",
            "queued_at",
            "address",
            "proxy_address",
            "excluded_workers",
            "excluded_until",
        )
        stored = _stored(after)
        batch.set(entry, {name: stored[name] for name in names})
    elif before.state == QUEUED:
        batch.delete(entry)


def _stored(conversation: Conversation) -> dict[str, Any]:
    data = {name: getattr(conversation, name) for name in _STORED}
    # For the wallboard's counts: only what a worker was looked for, so that one range says "arrived today".
    data["arrived_at"] = conversation.created_at if conversation.mode in ("custom", "pool") else None
    return {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}


def _pending(sid: str, data: Mapping[str, Any]) -> Pending:
    fields = Fields(data)
    pool, queued_at = fields.record_name("pool"), fields.time("queued_at")
    priority = fields.whole("priority", default=0)
    return Pending(
        sid=sid,
        pool=pool or "",
        excluded_workers=fields.texts("excluded_workers"),
        excluded_until=fields.time("excluded_until"),
        queued_at=queued_at,
        priority=priority,
        is_complete=None not in (pool, queued_at, data.get("priority")) and fields.problem is None,
    )
