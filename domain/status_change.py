"""One change of a worker's status: what is stored, and how a write of the worker's record shows one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.fields import Fields
from domain.worker import STATUSES, Worker, is_identity
from domain.worker import parse as parse_worker

KEPT_FOR = timedelta(days=400)  # a TTL policy on `expires_at` deletes them then
SERVICE, FRONTLINE = "service", "frontline"
OUTSIDE = "outside"  # the console, or an app that writes the status itself
_LONGEST_ID = 32
_AT_ONCE = timedelta(minutes=1)
Record = Mapping[str, Any]


@dataclass(frozen=True)
class StatusChange:
    """`before` and `after`: one of STATUSES, None without a record. `by`: a person's identity, or one of SERVICE,
    FRONTLINE and OUTSIDE."""

    worker: str
    before: str | None
    after: str | None
    at: datetime
    by: str

    @property
    def was_available(self) -> bool:
        return self.before == "Available"

    @property
    def is_available(self) -> bool:
        return self.after == "Available"


@dataclass(frozen=True)
class Seen:
    """A change that an event shows. `name`: the name of its document. `is_stored`: the write of the worker's record
    has stored the change already, in the same commit."""

    change: StatusChange
    name: str
    is_stored: bool


def turned(worker: Worker, is_available: bool, at: datetime, by: str) -> StatusChange:
    """Return the change of a worker's status by the service itself."""
    before, after = _status(worker), STATUSES[0] if is_available else STATUSES[1]
    return StatusChange(worker.identity, before, after, at, by)


def name_of(worker: str, moment: datetime | None) -> str:
    """Return the name of a change's document: the same for every delivery of one event.

    `moment`: the change's own time when the service made it, else the version of the worker's record.
    """
    stamp = moment.isoformat() if moment else ""
    digest = hashlib.sha256(f"{worker} {stamp}".encode(errors="surrogatepass"))
    return digest.hexdigest()[:_LONGEST_ID]


def seen(
    identity: str,
    before: Record | None,
    after: Record | None,
    at: datetime,
    version: datetime | None,
) -> Seen | None:
    """Return the change of availability that one write of a worker's record made; None if it made none.

    The service writes `status_since` together with the status, and nothing else writes it: such a change is stored. A
    new record may have an old `status_since`, so its change is stored again under the same name.
    """
    old = parse_worker(identity, before) if before is not None else None
    new = parse_worker(identity, after) if after is not None else None
    if _is_available(old) == _is_available(new):
        return None
    since = _written_with_status(old, new, at)
    is_stored = since is not None and old is not None
    by = SERVICE if is_stored else OUTSIDE
    change = StatusChange(identity, _status(old), _status(new), since or at, by)
    return Seen(change, name_of(identity, since or version), is_stored)


def _written_with_status(
    old: Worker | None, new: Worker | None, at: datetime
) -> datetime | None:
    """Return the time that the write of the status has set; None if it has set none."""
    since = new.status_since if new else None
    if since is None:
        return None
    if old is None:
        return since if abs(at - since) < _AT_ONCE else None
    return since if since != old.status_since else None


def stored(change: StatusChange) -> dict[str, Any]:
    """Return the fields of the change's document."""
    return {
        "worker": change.worker,
        "from": change.before,
        "to": change.after,
        "at": change.at,
        "by": change.by,
        "expires_at": change.at + KEPT_FOR,
    }


def parse(
    name: str, data: Record | None, version: object = None
) -> StatusChange | None:
    """Read a change; None for a record without a worker or a time."""
    read = Fields(data)
    worker, at = read.text("worker"), read.time("at")
    if worker is None or at is None or not is_identity(worker):
        return None
    before, after = (read.choice(side, STATUSES, None, None) for side in ("from", "to"))
    return StatusChange(worker, before, after, at, read.text("by") or "")


def _is_available(worker: Worker | None) -> bool:
    return worker is not None and worker.available


def _status(worker: Worker | None) -> str | None:
    if worker is None:
        return None
    return STATUSES[0] if worker.available else STATUSES[1]
