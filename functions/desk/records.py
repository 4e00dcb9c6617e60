"""One record in a form: read with its version, saved by compare-and-set, refused with the sentence that the record
itself would carry in `problem`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain import status_change
from domain.fields import is_record_name
from domain.status_change import StatusChange
from functions.desk.authority import Supervisor
from functions.desk.kinds import Kind, kind_of
from functions.http.answers import Answer, BadInput, Conflict, NotFound
from providers import audit, clock, database
from providers.audit import Entry

if TYPE_CHECKING:
    from providers.database import Snapshot

_MOST_CHANGES = 20
_REMOVABLE = ("pools", "templates")
# A sentence ends with a full stop or a question mark; one in a quoted value ends none.
_SENTENCE = re.compile(r"(?:“[^”]*”|[^“])+?[.?!](?=\s|$)|.+$", re.DOTALL)
# A fault begins with the name of its field, in small letters.
_FAULT = re.compile(r"[a-z_]+[ :.]")
_JUST_CHANGED = 24 * 3600  # seconds: an older change of another person is not named


def load(kind_name: str, name: str) -> Answer:
    """GET records/KIND/NAME: its fields, version, problem and latest changes. A record that is not there is empty."""
    snapshot = _read(kind_of(kind_name), name)
    path = f"{kind_of(kind_name).collection}/{name}"
    entries = audit.of_record(path, _MOST_CHANGES)
    return Answer({**shown(snapshot), "changes": [_entry(entry) for entry in entries]})


def save(
    supervisor: Supervisor,
    kind_name: str,
    name: str,
    version: str | None,
    fields: Mapping[str, Any],
    removed: Collection[str] = (),
) -> Answer:
    """POST records/KIND/NAME {version, fields, removed}: a version of null makes a new record.

    Null removes a field, except where null is a value; `removed` names fields to remove in any case.

    Raises BadInput with the field's name for an invalid value, and Conflict with the present record if another
    person has changed it since `version`.
    """
    kind = kind_of(kind_name)
    kind = replace(kind, nulls=kind.nulls - set(removed))
    fields = {**fields, **dict.fromkeys(removed)}
    snapshot = _read(kind, name)
    _refuse_unknown_fields(kind, fields)
    if version_of(snapshot) != version:
        raise _conflict(kind, snapshot, fields)
    changes = _changed(kind, snapshot.to_dict() or {}, fields)
    record = snapshot.to_dict() or {}
    refuse_invalid(kind, name, record, changes)
    changes |= kind.normalized(name, merged(kind, record, changes))
    other = kind.depends_on(name, record, merged(kind, record, changes))
    try:
        if changes or not snapshot.exists:
            write(supervisor, kind, snapshot, changes, other=other)
    except database.LostRace:
        raise _conflict(kind, _read(kind, name), fields) from None
    return Answer({**shown(_read(kind, name)), "said": _said(kind, name, changes)})


def write(
    supervisor: Supervisor,
    kind: Kind,
    snapshot: Snapshot,
    changes: Mapping[str, Any],
    did: str = "",
    other: Snapshot | None = None,
) -> None:
    """Write the change and its audit entry in one commit, if the `other` record is as it was read.

    Raises database.LostRace.
    """
    done = did or ("changed" if snapshot.exists else "made")
    path = f"{kind.collection}/{snapshot.id}"
    entry = Entry(supervisor.identity, done, path, tuple(sorted(changes)))
    turn = _status_change(supervisor, kind, snapshot, changes)
    if turn is not None:
        changes = {**changes, "status_since": turn.at}
    audit.write(snapshot, changes, kind.nulls, entry, turn, other)


def _status_change(
    supervisor: Supervisor,
    kind: Kind,
    snapshot: Snapshot,
    changes: Mapping[str, Any],
) -> StatusChange | None:
    """Return the change of a worker's status that these changes make; None for any other record."""
    if kind.collection != "workers" or "status" not in changes:
        return None
    stored = snapshot.to_dict()
    now = clock.now()
    after = merged(kind, stored or {}, changes)
    seen = status_change.seen(snapshot.id, stored, after, now, now)
    return replace(seen.change, at=now, by=supervisor.identity) if seen else None


def refuse_invalid(
    kind: Kind, name: str, stored: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Raise BadInput with the fault that the record would report because of one of these changes.

    A fault begins with the name of its field, so that the sentence stands there.
    """
    fault = _new_fault(kind, name, stored, changes)
    if fault is None:
        return
    named = _FAULT.match(fault)
    field = named[0][:-1] if named else ""
    raise BadInput(fault, field=field if field in kind.fields else "")


def _new_fault(
    kind: Kind, name: str, stored: Mapping[str, Any], changes: Mapping[str, Any]
) -> str | None:
    """The first fault that the record reports with these changes and does not report without them."""
    before = faults(kind.parse(name, stored).problem)
    after = faults(kind.parse(name, merged(kind, stored, changes)).problem)
    return next((fault for fault in after if fault not in before), None)


def merged(
    kind: Kind, stored: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    merged = {**stored, **changes}
    return {
        field: value
        for field, value in merged.items()
        if value is not None or field not in changes or field in kind.nulls
    }


def faults(problem: str | None) -> list[str]:
    """Return the faults in a record's `problem`, without the sentences about what is done with the values."""
    sentences = map(str.strip, _SENTENCE.findall(problem or ""))
    return [sentence for sentence in sentences if _FAULT.match(sentence)]


def remove(
    supervisor: Supervisor, kind_name: str, name: str, version: str | None
) -> Answer:
    """POST records/KIND/NAME/remove {version}: delete the record as it was read.

    Raises Conflict if another person has changed it since.
    """
    kind = kind_of(kind_name)
    if kind.collection not in _REMOVABLE:
        raise BadInput("This kind of record cannot be removed here.")
    snapshot = _read(kind, name)
    if not snapshot.exists:
        raise Conflict("This record was removed already.")
    if version_of(snapshot) != version:
        raise _conflict(kind, snapshot, {})
    path = f"{kind.collection}/{name}"
    try:
        audit.remove(snapshot, Entry(supervisor.identity, "removed", path))
    except database.LostRace:
        raise _conflict(kind, _read(kind, name), {}) from None
    return Answer({"said": f"{name} is removed."})


def shown(snapshot: Snapshot) -> dict[str, Any]:
    """The record as JSON, with its version; a record that is not there has neither fields nor version."""
    data = snapshot.to_dict() or {}
    return {
        "record": {name: _json(value) for name, value in data.items()},
        "version": version_of(snapshot),
        "problem": data.get("problem")
        if isinstance(data.get("problem"), str)
        else None,
    }


def version_of(snapshot: Snapshot) -> str | None:
    """The moment of the last write in nanoseconds, as a text; None where there is no record."""
    if not snapshot.exists or snapshot.update_time is None:
        return None
    return str(snapshot.update_time.rfc3339())


def _read(kind: Kind, name: str) -> Snapshot:
    if not is_record_name(name):
        raise NotFound("A record cannot have this name.")
    reference = database.client().collection(kind.collection).document(name)
    return database.read(reference)[0]


def stored(kind: Kind, name: str) -> Mapping[str, Any]:
    """Return the record's fields as they are stored; empty if it is not there."""
    return _read(kind, name).to_dict() or {}


def _refuse_unknown_fields(kind: Kind, fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in kind.fields:
            raise BadInput(f"{name} cannot be changed here.", field=name)


def _changed(
    kind: Kind, stored: Mapping[str, Any], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields whose values differ from the record's."""
    return {
        name: value
        for name, value in fields.items()
        if _is_changed(kind, stored, name, value)
    }


def _is_changed(
    kind: Kind, stored: Mapping[str, Any], name: str, value: object
) -> bool:
    if value is None and name not in kind.nulls:
        return name in stored
    if name not in stored:
        return True
    return stored[name] != value or type(stored[name]) is not type(value)


def _conflict(kind: Kind, snapshot: Snapshot, fields: Mapping[str, Any]) -> Conflict:
    """What the other person changed, and what this form still has to save."""
    path = f"{kind.collection}/{snapshot.id}"
    latest = next(iter(audit.of_record(path, 1)), None)
    mine = ", ".join(sorted(fields))
    if not snapshot.exists:
        return Conflict(
            "This record was removed in the meantime. Your change is not saved."
        )
    if (
        latest is None
        or latest.at is None
        or (clock.now() - latest.at).total_seconds() > _JUST_CHANGED
    ):
        by = "Another person or the service changed this record in the meantime."
    else:
        by = f"{latest.by} changed {', '.join(latest.fields) or 'this record'} at {latest.at:%H:%M} UTC."
    return Conflict(
        f"{by} Your change: {mine}." if mine else by,
        {**shown(snapshot), "editable": sorted(kind.fields)},
    )


def _said(kind: Kind, name: str, changes: Mapping[str, Any]) -> str:
    fields = ", ".join(sorted(changes)).replace("_", " ")
    return (
        f"{fields[:1].upper()}{fields[1:]} of {name} saved."
        if fields
        else "Nothing has changed."
    )


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat() if entry.at else None,
        "by": entry.by,
        "did": entry.did,
        "fields": list(entry.fields),
    }


def _json(value: Any) -> Any:
    """A value of Firestore's as JSON has it; what JSON has no type for is a text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)
