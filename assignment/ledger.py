"""The ledger: the one writer of a conversation's state, of its queue entry, and of each worker's count.

`move` derives the queue entry and the workers' counts from the conversation before and after, and writes all in one
commit, so that these hold by construction: a queue entry exists exactly while the state is queued, and a worker's
`active` counts the conversations that are assigning or assigned to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from domain import conversation as log_record
from domain import device as device_record
from domain import field_names, rules, sessions, status_change
from domain import worker as worker_record
from domain.conversation import QUEUED, Conversation
from domain.device import Device
from domain.pool import Pool
from domain.sessions import Account, Ended
from domain.worker import PERSON, SERVICE, Worker
from providers import (
    audit,
    clock,
    conversations,
    database,
    former_workers,
    log,
    pending,
    pools,
    settings,
    status_changes,
    workers,
)

if TYPE_CHECKING:
    from google.cloud.firestore import WriteBatch

NO_POOLS: Mapping[str, Pool] = MappingProxyType({})
NO_MARKS: Mapping[str, Any] = MappingProxyType({})
_MARKS = ("missed", "missed_at", "unavailable_because")
_MAINTAINED = (
    "active",
    "full",
    "status_since",
    "pools",
    "made_by",
    "confirmed",
    "frontline_asked",
    "ask_frontline_at",
    *_MARKS,
)


@dataclass(frozen=True)
class Moved:
    """The stored conversation; the worker whose count grew by it (`holder`), and the one whose count fell (`freed`)."""

    conversation: Conversation
    holder: Worker | None = None
    freed: Worker | None = None


def move(
    before: Conversation,
    after: Conversation,
    holder: Worker | None = None,
    known: Mapping[str, Pool] = NO_POOLS,
    marked: Callable[[Worker], Worker] | None = None,
    audited: audit.Entry | None = None,
) -> Moved:
    """Write `after`, its queue entry and both workers' counts in one commit, if the record is still as `before`.

    `holder`: the worker of `after`, and `known`: pools, if the caller has read them already. `marked`: further changes
    of the worker who loses it. `audited`: the audit entry of a supervisor's act.

    Raises database.LostRace when any of the records has changed meanwhile; then nothing
    was written.
    """
    batch = database.client().batch()
    if after != before:
        after = replace(after, moved_at=clock.now())
    record = log_record.stored(after)
    database.put(batch, conversations.reference(after.sid), record, before.version)
    grown = fallen = None
    if before.holder != after.holder:
        grown = _grown(batch, before, after, holder, known)
        fallen = _fallen(batch, before, known, marked)
    if marked and before.holder is None and before.worker:
        _mark(batch, before.worker, marked)
    if after.state == QUEUED:
        _enqueue(batch, before, after)
    elif before.state == QUEUED:
        batch.delete(pending.reference(after.sid))
    if audited:
        audit.add(batch, audited)
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


def _grown(
    batch: WriteBatch,
    before: Conversation,
    after: Conversation,
    holder: Worker | None,
    known: Mapping[str, Pool],
) -> Worker | None:
    """Count one more for the new worker; None if there is none, or their record was deleted a moment ago."""
    if holder is None and after.holder:
        holder = workers.load(after.holder)
    if holder is None or not (holder.confirmed or holder.version is not None):
        return None
    assigned_at = clock.now() if before.worker != after.worker else None
    return _recounted(batch, holder, +1, known, assigned_at)


def _fallen(
    batch: WriteBatch,
    before: Conversation,
    known: Mapping[str, Pool],
    marked: Callable[[Worker], Worker] | None,
) -> Worker | None:
    """Count one less for the worker of `before`; None if there was none, or no record is left."""
    worker = workers.load(before.holder) if before.holder else None
    if worker is None or worker.version is None:
        return None
    marks = _marks(worker, marked(worker)) if marked else NO_MARKS
    fallen = _recounted(batch, worker, -1, known, marks=marks)
    _add_turn(batch, worker, marks, status_change.SERVICE)
    return fallen


def _mark(batch: WriteBatch, identity: str, marked: Callable[[Worker], Worker]) -> None:
    """Write the marks of a worker whose count stays, because the conversation was inactive."""
    worker = workers.load(identity)
    marks = _marks(worker, marked(worker))
    if marks and worker.version is not None:
        database.put(batch, workers.reference(identity), marks, worker.version)


def newcomer(identity: str, display_name: str | None, *, confirmed: bool) -> Worker:
    """Return a new worker for whom no record exists yet: Unavailable, in the default pool."""
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
    """Write the fields that messages and receipts have changed, and the log; nothing if nothing has changed.

    Raises database.LostRace when the record has changed meanwhile. A record that has reached Firestore's size limit
    stays as it is.
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
    """Make the record of a new worker; returns it with its version. Raises database.AlreadyThere if there is one."""
    version = database.write(
        workers.reference(worker.identity), worker_record.stored(worker), None
    )
    return replace(worker, version=version)


def remove(worker: Worker) -> None:
    """Delete a worker's record. Raises database.LostRace if it has changed."""
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


def set_status(
    identity: str,
    status: str,
    by: str | None = None,
    audited: audit.Entry | None = None,
) -> None:
    """Write the status that a person has set, even if the record has changed, and the change in the same commit.

    `by`: the person's identity; None: the worker. `audited`: the audit entry, if a supervisor set it. Raises
    database.LostRace if the record was deleted.
    """
    step = partial(_set_status, identity, status, by or identity, audited)
    if not database.until_it_holds(step):
        raise database.LostRace(f"The record of {identity} was deleted.")


def _set_status(
    identity: str, status: str, by: str, audited: audit.Entry | None
) -> bool:
    """Return False if there is no record. Raises database.LostRace when the record has changed meanwhile."""
    worker = workers.load(identity)
    if worker.version is None:
        return False
    is_available = status == "Available" and worker.can_sign_in
    batch = database.client().batch()
    fields = {"status": status, **_turn_fields(worker, is_available)}
    database.put(batch, workers.reference(identity), fields, worker.version)
    _add_turn(batch, worker, fields, by)
    if audited:
        audit.add(batch, audited)
    database.commit(batch)
    return True


def _turn_fields(worker: Worker, is_available: bool) -> dict[str, Any]:
    """Return the time of a change of availability, by which the trigger sees that the change is stored."""
    return {} if worker.available == is_available else {"status_since": clock.now()}


def _add_turn(
    batch: WriteBatch, worker: Worker, fields: Mapping[str, Any], by: str
) -> None:
    """Add the change of status to the commit if these fields make one. The last write of the batch."""
    if "status" not in fields or "status_since" not in fields:
        return
    is_available = fields["status"] == "Available"
    change = status_change.turned(worker, is_available, fields["status_since"], by)
    status_changes.add(batch, change)


def follow_frontline(worker: Worker, is_available: bool, changes_status: bool) -> None:
    """Write the position of the switch in Frontline's app.

    `changes_status`: make it the worker's status, too. Raises database.LostRace.
    """
    fields: dict[str, Any] = {"frontline_available": is_available}
    if changes_status:
        fields["status"] = "Available" if is_available else "Unavailable"
        fields |= _turn_fields(worker, is_available and worker.can_sign_in)
    batch = database.client().batch()
    database.put(batch, workers.reference(worker.identity), fields, worker.version)
    _add_turn(batch, worker, fields, status_change.FRONTLINE)
    database.commit(batch)


def keep_devices(worker: Worker, changes: Mapping[str, Device | None]) -> None:
    """Write these devices, and remove those that are None; others stay.

    Raises database.LostRace when the record has changed meanwhile.
    """
    from google.cloud.firestore import DELETE_FIELD

    path = database.client().field_path
    fields: dict[str, Any] = {
        path("devices", name): device_record.stored(device) if device else DELETE_FIELD
        for name, device in changes.items()
    }
    left = device_record.with_changes(device_record.parse(worker.devices), changes)
    fields["device_endpoints"] = sorted(
        {device_record.fingerprint(device.endpoint) for device in left.values()}
    )
    database.write(workers.reference(worker.identity), fields, worker.version)


def end_sessions(worker: Worker, ended: Ended, *, everywhere: bool = False) -> None:
    """Write which of the worker's sessions have ended; `everywhere`: remove all devices, too.

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
    """Write the account that signed the worker in. Raises database.LostRace when the record has changed meanwhile."""
    fields = {"subject": sessions.stored_account(account)}
    database.write(workers.reference(worker.identity), fields, worker.version)


def name_fields(identity: str) -> None:
    """Rename a worker's fields that a person typed in another spelling, because queries use the exact names.

    Raises database.LostRace.
    """
    record = database.read(workers.reference(identity))[0]
    named = field_names.read(record.to_dict() or {}, field_names.WORKERS)
    if named.renamed:
        database.write(record.reference, database.renaming(named), record.update_time)


def put_right(worker: Worker, right: Worker) -> Worker:
    """Write the fields that the service keeps in a worker's record, where `right` differs from `worker`.

    Returns `right` with the version of the stored record. Raises database.LostRace.
    """
    changes = _differences(worker, right)
    if not changes:
        return right
    batch = database.client().batch()
    database.put(batch, workers.reference(worker.identity), changes, worker.version)
    if not worker.is_complete and worker.made_by == PERSON:
        # In the same commit, so that a later deletion is noted after it.
        batch.delete(former_workers.reference(worker.identity))
    version, *_ = database.commit(batch)
    if worker.problem and worker.problem != worker.reported_problem:
        log.warning(
            f"The record of a worker is not right: {worker.problem}",
            worker=worker.identity,
        )
    return replace(right, version=version)


def restore(conversation: Conversation) -> None:
    """Write the record of a queued conversation, and its queue entry again. Raises database.LostRace."""
    batch = database.client().batch()
    record = log_record.stored(conversation)
    database.put(
        batch, conversations.reference(conversation.sid), record, conversation.version
    )
    batch.set(pending.reference(conversation.sid), log_record.entry(conversation))
    database.commit(batch)


def _enqueue(batch: WriteBatch, before: Conversation, after: Conversation) -> None:
    """Write the queue entry, unless it would not change: then a person's edits of it are kept."""
    entry = log_record.entry(after)
    if before.state != QUEUED or log_record.entry(before) != entry:
        batch.set(pending.reference(after.sid), entry)


def drop_stray(conversation: Conversation) -> None:
    """Delete a queue entry without a queued conversation (a person has edited one of the two).

    Raises database.LostRace if the conversation has changed meanwhile: it may be queued now.
    """
    batch = database.client().batch()
    batch.delete(pending.reference(conversation.sid))
    if conversation.exists:
        reference = conversations.reference(conversation.sid)
        unchanged = {"state": conversation.state}
        database.put(batch, reference, unchanged, conversation.version)
    database.commit(batch)


def _marks(worker: Worker, marked: Worker) -> dict[str, Any]:
    """Return the changed fields about unanswered customers."""
    marks = _changed(worker, marked, _MARKS)
    if worker.available and not marked.available:
        marks |= {"status": "Unavailable", "status_since": marked.status_since}
    return marks


def _changed(before: Worker, after: Worker, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields among these that differ, with their new values."""
    new = {name: getattr(after, name) for name in names}
    return {
        name: value for name, value in new.items() if getattr(before, name) != value
    }


def _recounted(
    batch: WriteBatch,
    worker: Worker,
    change: int,
    known: Mapping[str, Pool],
    assigned_at: datetime | None = None,
    marks: Mapping[str, Any] = NO_MARKS,
) -> Worker:
    """Change the worker's count by `change`; a missing count is taken from the conversations first."""
    held = worker.active
    if held is None:
        held = conversations.how_many_held(worker.identity)
    after = replace(worker, active=max(0, held + change))
    after = replace(after, full=rules.is_full(after, pools.deciding(after, known)))
    values: dict[str, Any] = {"active": after.active, "full": after.full, **marks}
    if assigned_at:
        after = replace(after, last_assigned_at=assigned_at)
        values["last_assigned_at"] = assigned_at
    fields = values if worker.version is not None else worker_record.stored(after)
    database.put(batch, workers.reference(worker.identity), fields, worker.version)
    return replace(after, available=after.available and "status" not in marks)


def _differences(worker: Worker, right: Worker) -> dict[str, Any]:
    """Return the fields to write. An invalid status is reported, and left for a person to correct."""
    from google.cloud.firestore import DELETE_FIELD

    changes = _changed(worker, right, _MAINTAINED)
    if not worker.is_complete:
        changes |= _missing(worker, right)
    if "pools" in changes:
        changes["pools"] = list(right.pools or ())
    if worker.problem != worker.reported_problem:
        changes["problem"] = worker.problem or DELETE_FIELD
    return changes


def _missing(worker: Worker, right: Worker) -> dict[str, Any]:
    """Return the fields that complete a record."""
    missing: dict[str, Any] = {
        "last_assigned_at": worker.last_assigned_at,
        "made_by": right.made_by,
        "key": worker_record.key_of(worker.identity),
    }
    if not worker.has_confirmed:
        missing["confirmed"] = right.confirmed
    if worker.has_odd_blanks_in_pools:
        missing["pools"] = right.pools
    if not worker.has_status:
        missing["status"] = "Unavailable"
    return missing
