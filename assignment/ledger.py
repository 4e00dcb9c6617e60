"""The ledger: the one writer of a conversation's state, of its queue entry, and of what each worker holds.

`move` derives the queue entry and the workers' counts from the conversation before and after, and writes all in one
commit, so that these hold by construction: a queue entry exists exactly while the state is queued, and a worker's
`active` counts the conversations that are assigning or assigned to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from domain import conversation as log_record
from domain import device as device_record
from domain import field_names, rules, sessions
from domain import worker as worker_record
from domain.conversation import QUEUED, Conversation
from domain.device import Device
from domain.pool import Pool
from domain.sessions import Account, Ended
from domain.worker import PERSON, SERVICE, Worker
from providers import (
    clock,
    conversations,
    database,
    former_workers,
    log,
    pending,
    pools,
    settings,
    workers,
)

if TYPE_CHECKING:
    from google.cloud.firestore import WriteBatch

NO_POOLS: Mapping[str, Pool] = MappingProxyType({})
NO_MARKS: Mapping[str, Any] = MappingProxyType({})
_MARKS = ("missed", "missed_at", "unavailable_because")
_ADMITTED = ("made_by", "confirmed", "frontline_asked", "ask_frontline_at")


@dataclass(frozen=True)
class Moved:
    """The conversation as it is now; whose count grew by it, and whose fell."""

    conversation: Conversation
    holder: Worker | None = None
    freed: Worker | None = None


def move(
    before: Conversation,
    after: Conversation,
    holder: Worker | None = None,
    known: Mapping[str, Pool] = NO_POOLS,
    marked: Callable[[Worker], Worker] | None = None,
) -> Moved:
    """Writes `after` if the record is still as `before`, with all that follows from it, in one commit.

    `holder`: who is to hold it, and `known`: pools, where the caller has read them already. `marked`: what else
    changes for the worker who loses it. Raises database.LostRace when any of the records has changed meanwhile;
    then nothing was written.
    """
    batch = database.client().batch()
    database.put(
        batch,
        conversations.reference(after.sid),
        log_record.stored(after),
        before.version,
    )
    grown = fallen = None
    if before.holder != after.holder:
        dated = clock.now() if before.worker != after.worker else None
        taker = holder or (workers.load(after.holder) if after.holder else None)
        if taker and (
            taker.confirmed or taker.version is not None
        ):  # else the record was deleted a moment ago
            grown = _recounted(batch, taker, +1, known, dated)
        if (
            before.holder
            and (worker := workers.load(before.holder)).version is not None
        ):
            marks = _marks(worker, marked(worker)) if marked else NO_MARKS
            fallen = _recounted(batch, worker, -1, known, marks=marks)
    if after.state == QUEUED:
        _enqueue(batch, before, after)
    elif before.state == QUEUED:
        batch.delete(pending.reference(after.sid))
    version, *others = database.commit(batch)
    if grown:
        grown = replace(grown, version=others.pop(0))
    if fallen:
        fallen = replace(fallen, version=others.pop(0))
    if before.problem:
        log.warning(
            f"The record of a conversation was not right: {before.problem}",
            conversation=before.sid,
        )
    return Moved(replace(after, version=version), grown, fallen)


def newcomer(identity: str, display_name: str | None, *, confirmed: bool) -> Worker:
    """A record that the service is about to make: Unavailable, in the default pool."""
    default_pool = settings.load().default_pool
    return Worker(
        identity,
        pools=(default_pool,),
        display_name=display_name,
        status_since=clock.now(),
        made_by=SERVICE,
        confirmed=confirmed,
        is_complete=True,
    )


def note(before: Conversation, after: Conversation) -> None:
    """Writes what messages and receipts have changed, and a line of the story; nothing where nothing has.

    Raises database.LostRace when the record has changed meanwhile. A record that takes nothing more stays as it is.
    """
    was = log_record.told(before)
    changes = {
        name: value
        for name, value in log_record.told(after).items()
        if value != was[name]
    }
    if after.log != before.log:
        changes["log"] = list(after.log)
    if changes:
        try:
            database.write(conversations.reference(after.sid), changes, before.version)
        except database.Unwritable as error:
            log.error(f"What was written is not noted: {error}", conversation=after.sid)


def register(worker: Worker) -> Worker:
    """Make the record of a new worker; raises database.AlreadyThere for a worker who has one."""
    version = database.write(
        workers.reference(worker.identity), worker_record.stored(worker), None
    )
    return replace(worker, version=version)


def remove(worker: Worker) -> None:
    """Delete a worker's record. Raises database.LostRace where it has changed."""
    unchanged = database.client().write_option(last_update_time=worker.version)
    batch = database.client().batch()
    batch.delete(workers.reference(worker.identity), option=unchanged)
    database.commit(batch)


def note_former(identity: str) -> None:
    """Write that a person has deleted this worker's record."""
    batch = database.client().batch()
    batch.set(
        former_workers.reference(identity), {"identity": identity, "at": clock.now()}
    )
    database.commit(batch)


def forget_former(identity: str) -> None:
    """Take that back: there is a record again."""
    batch = database.client().batch()
    batch.delete(former_workers.reference(identity))
    database.commit(batch)


def set_status(identity: str, status: str) -> None:
    """Writes the worker's own word, whatever else happens to the record. Raises database.LostRace where it is gone."""
    batch = database.client().batch()
    batch.update(workers.reference(identity), {"status": status})
    database.commit(batch)


def follow_frontline(worker: Worker, is_available: bool, changes_status: bool) -> None:
    """Writes where the switch in Frontline's app stands, and makes it the status. Raises database.LostRace."""
    status = (
        {"status": "Available" if is_available else "Unavailable"}
        if changes_status
        else {}
    )
    seen = {"frontline_available": is_available}
    database.write(workers.reference(worker.identity), seen | status, worker.version)


def keep_devices(worker: Worker, changes: Mapping[str, Device | None]) -> None:
    """Write these devices, or remove them, and no others. Raise database.LostRace when the record has changed."""
    from google.cloud.firestore import DELETE_FIELD

    path = database.client().field_path
    fields: dict[str, Any] = {
        path("devices", name): device_record.stored(device) if device else DELETE_FIELD
        for name, device in changes.items()
    }
    left = device_record.with_changes(device_record.parse(worker.devices), changes)
    fields["device_endpoints"] = sorted(
        {device_record.fingerprint(one.endpoint) for one in left.values()}
    )
    database.write(workers.reference(worker.identity), fields, worker.version)


def end_sessions(worker: Worker, ended: Ended, *, everywhere: bool = False) -> None:
    """Writes which of the worker's sessions are over; everywhere: no device is notified either.

    Raises database.LostRace when the record has changed meanwhile.
    """
    from google.cloud.firestore import DELETE_FIELD

    fields: dict[str, Any] = {"ended_sessions": list(ended.ids)}
    if ended.before is not None:
        fields["signed_out_before"] = ended.before
    if everywhere:
        fields |= {"devices": DELETE_FIELD, "device_endpoints": DELETE_FIELD}
    database.write(workers.reference(worker.identity), fields, worker.version)


def remember_account(worker: Worker, account: Account) -> None:
    """Writes which account signed the worker in. Raises database.LostRace when the record has changed meanwhile."""
    fields = {"subject": sessions.stored_account(account)}
    database.write(workers.reference(worker.identity), fields, worker.version)


def name_fields(identity: str) -> None:
    """Writes a worker's fields that were typed in another spelling under their own names, for queries ask by those.

    Raises database.LostRace.
    """
    record = database.read(workers.reference(identity))[0]
    named = field_names.read(record.to_dict() or {}, field_names.WORKERS)
    if named.renamed:
        database.write(record.reference, database.renaming(named), record.update_time)


def put_right(worker: Worker, right: Worker) -> Worker:
    """Writes what the service keeps in a worker's record, where `right` differs. Raises database.LostRace."""
    if not (changes := _differences(worker, right)):
        return right
    batch = database.client().batch()
    database.put(batch, workers.reference(worker.identity), changes, worker.version)
    if (
        not worker.is_complete and worker.made_by == PERSON
    ):  # in one commit: a later deletion is noted after it
        batch.delete(former_workers.reference(worker.identity))
    version, *_ = database.commit(batch)
    if worker.problem != worker.reported_problem and worker.problem:
        log.warning(
            f"The record of a worker is not right: {worker.problem}",
            worker=worker.identity,
        )
    return replace(right, version=version)


def restore(conversation: Conversation) -> None:
    """Writes the queue entry of one that waits anew from its record; raises database.LostRace."""
    batch = database.client().batch()
    record = log_record.stored(conversation)
    database.put(
        batch, conversations.reference(conversation.sid), record, conversation.version
    )
    batch.set(pending.reference(conversation.sid), log_record.entry(conversation))
    database.commit(batch)


def _enqueue(batch: WriteBatch, before: Conversation, after: Conversation) -> None:
    """One that waits already keeps its entry, and with it what a person has written there, unless it waits otherwise
    now."""
    if before.state != QUEUED or log_record.entry(before) != log_record.entry(after):
        batch.set(pending.reference(after.sid), log_record.entry(after))


def drop_stray(conversation: Conversation) -> None:
    """Takes a queue entry away whose conversation is not queued (somebody edited one of the two by hand).

    Raises database.LostRace if the conversation has changed meanwhile, for it may be queued now.
    """
    batch = database.client().batch()
    batch.delete(pending.reference(conversation.sid))
    if conversation.exists:
        touched = {"state": conversation.state}
        database.put(
            batch,
            conversations.reference(conversation.sid),
            touched,
            conversation.version,
        )
    database.commit(batch)


def _marks(worker: Worker, marked: Worker) -> dict[str, Any]:
    """The fields that say how their customers' patience was tried, where they differ."""
    marks = {
        name: getattr(marked, name)
        for name in _MARKS
        if getattr(worker, name) != getattr(marked, name)
    }
    if worker.available and not marked.available:
        marks |= {"status": "Unavailable", "status_since": marked.status_since}
    return marks


def _recounted(
    batch: WriteBatch,
    worker: Worker,
    change: int,
    known: Mapping[str, Pool],
    dated: datetime | None = None,
    marks: Mapping[str, Any] = NO_MARKS,
) -> Worker:
    """The worker with so many more; a count that is missing is counted afresh."""
    held = (
        conversations.how_many_held(worker.identity)
        if worker.active is None
        else worker.active
    )
    after = replace(worker, active=max(0, held + change))
    after = replace(after, full=rules.is_full(after, pools.deciding(after, known)))
    values: dict[str, Any] = {"active": after.active, "full": after.full, **marks}
    if dated:
        after = replace(after, last_assigned_at=dated)
        values["last_assigned_at"] = dated
    fields = values if worker.version is not None else worker_record.stored(after)
    database.put(batch, workers.reference(worker.identity), fields, worker.version)
    return replace(after, available=after.available and "status" not in marks)


def _differences(worker: Worker, right: Worker) -> dict[str, Any]:
    """The fields to write. A status that makes no sense is left for the person to mend, and reported."""
    from google.cloud.firestore import DELETE_FIELD

    kept = ("active", "full", "status_since", "pools", *_ADMITTED, *_MARKS)
    changes = {
        name: getattr(right, name)
        for name in kept
        if getattr(worker, name) != getattr(right, name)
    }
    if "pools" in changes:
        changes["pools"] = list(right.pools or ())
    if not worker.is_complete:
        changes |= {
            "last_assigned_at": worker.last_assigned_at,
            "made_by": right.made_by,
        }
        changes["key"] = worker_record.key_of(worker.identity)
        if not worker.has_confirmed:
            changes["confirmed"] = right.confirmed
        if worker.has_odd_blanks_in_pools:
            changes["pools"] = list(right.pools or ())
        if not worker.has_status:
            changes["status"] = "Unavailable"
    if worker.problem != worker.reported_problem:
        changes["problem"] = worker.problem or DELETE_FIELD
    return changes
