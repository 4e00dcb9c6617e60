"""The collection audit: what a person changed or read at the desk. Names of fields only, never a value or a text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.status_change import StatusChange
from providers import clock, database, status_changes

if TYPE_CHECKING:
    from google.cloud.firestore import WriteBatch

    from providers.database import Snapshot

KEPT_FOR = timedelta(days=400)  # a TTL policy on `expires_at` deletes them then
_NAME = "audit"
_MOST_FIELDS = 60


@dataclass(frozen=True)
class Entry:
    """One act. `by`: the supervisor's identity; `did`: a verb in the past, such as
    "changed"; `record`: a path such as pools/sales; `fields`: names of fields."""

    by: str
    did: str
    record: str
    fields: tuple[str, ...] = ()
    at: datetime | None = None


def add(batch: WriteBatch, entry: Entry) -> None:
    """Add the entry to the commit of the change itself, so that neither is without
    the other."""
    reference = database.client().collection(_NAME).document()
    batch.create(reference, _stored(entry))


def write(
    snapshot: Snapshot,
    changes: Mapping[str, Any],
    nulls: Collection[str],
    entry: Entry,
    change: StatusChange | None = None,
    other: Snapshot | None = None,
) -> None:
    """Write the changes of a record and their entry in one commit; a missing record is made.

    `change`: of a worker's status, stored in the same commit. A value of None removes the field, except for the
    fields in `nulls`. Raises database.LostRace if the record, or the `other` one, has changed since its snapshot.
    """
    from google.cloud.firestore import DELETE_FIELD

    batch = database.client().batch()
    kept = {
        name: value
        for name, value in changes.items()
        if value is not None or name in nulls
    }
    if snapshot.exists:
        removed = dict.fromkeys(changes.keys() - kept.keys(), DELETE_FIELD)
        database.put(batch, snapshot.reference, removed | kept, snapshot.update_time)
    else:
        database.put(batch, snapshot.reference, kept, None)
    _depend_on(batch, other)
    add(batch, entry)
    if change is not None:
        status_changes.add(batch, change)
    database.commit(batch)


def remove(snapshot: Snapshot, entry: Entry, other: Snapshot | None = None) -> None:
    """Delete a record and write its entry in one commit. Raises database.LostRace if the
    record, or the `other` one, has changed since its snapshot."""
    database_client = database.client()
    batch = database_client.batch()
    unchanged = database_client.write_option(last_update_time=snapshot.update_time)
    batch.delete(snapshot.reference, option=unchanged)
    _depend_on(batch, other)
    add(batch, entry)
    database.commit(batch)


def _depend_on(batch: WriteBatch, other: Snapshot | None) -> None:
    """Have the commit fail if this record has changed, by writing one of its fields as it is."""
    if other is None:
        return
    data = other.to_dict() or {}
    same = {name: data[name] for name in sorted(data)[:1]}
    database.put(batch, other.reference, same, other.update_time)


def note(entry: Entry) -> None:
    """Write an entry of its own, for an act that changes no record, such as reading."""
    batch = database.client().batch()
    add(batch, entry)
    database.commit(batch)


def of_record(record: str, limit: int) -> list[Entry]:
    """Return the newest changes of one record, newest first; readings are left out."""
    found = database.find(
        database.filtered(_NAME, [("record", "==", record)], order=("-at",)).limit(
            limit
        )
    )
    entries = (_parsed(snapshot.to_dict() or {}) for snapshot in found)
    return [entry for entry in entries if entry.did != "read"]


def rename_customer(records: Iterable[str], replacement: str, limit: int) -> int:
    """Put `replacement` in the place of an erased customer's records; return how many
    entries were changed, `limit` at most for each record."""
    changed = 0
    for record in records:
        query = database.filtered(_NAME, [("record", "==", record)]).limit(limit)
        snapshots = database.find(query)
        batch = database.client().batch()
        for snapshot in snapshots:
            batch.update(snapshot.reference, {"record": replacement})
        if snapshots:
            database.commit(batch)
        changed += len(snapshots)
    return changed


def _stored(entry: Entry) -> dict[str, Any]:
    at = entry.at or clock.now()
    return {
        "at": at,
        "by": entry.by,
        "did": entry.did,
        "record": entry.record,
        "fields": list(entry.fields[:_MOST_FIELDS]),
        "expires_at": at + KEPT_FOR,
    }


def _parsed(data: dict[str, Any]) -> Entry:
    at, fields = data.get("at"), data.get("fields")
    names = fields if isinstance(fields, list) else []
    return Entry(
        by=str(data.get("by") or ""),
        did=str(data.get("did") or ""),
        record=str(data.get("record") or ""),
        fields=tuple(name for name in names if isinstance(name, str)),
        at=at if isinstance(at, datetime) else None,
    )
