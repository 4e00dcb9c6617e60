"""The collection status_changes: when each worker became Available and Unavailable, for 400 days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from domain import status_change
from domain.fields import Fields
from domain.status_change import StatusChange
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import WriteBatch

    from providers.database import Snapshot

_NAME = "status_changes"
_PAGE = 1000
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def add(batch: WriteBatch, change: StatusChange) -> None:
    """Add the change to the commit that writes the status."""
    name = status_change.name_of(change.worker, change.at)
    database.put(batch, _reference(name), status_change.stored(change), None)


def store(change: StatusChange, name: str) -> None:
    """Create the change's document; one that exists stays as it is."""
    try:
        database.write(_reference(name), status_change.stored(change), None)
    except database.AlreadyThere:
        return  # the event was delivered before


def within(start: datetime, end: datetime) -> Iterator[StatusChange]:
    """Yield the changes from `start` up to, not including, `end`, oldest first."""
    query: Any = database.filtered(
        _NAME, [("at", ">=", start), ("at", "<", end)], order=["at"]
    ).limit(_PAGE)
    page: list[Snapshot] | None = None
    while page is None or len(page) == _PAGE:
        page = database.find(query.start_after(page[-1]) if page else query)
        yield from filter(None, map(_of, page))


def latest(worker: str, before: datetime) -> StatusChange | None:
    """Return the worker's newest change before this time; None if none is stored."""
    conditions = [("worker", "==", worker), ("at", "<", before)]
    query = database.filtered(_NAME, conditions, order=["-at"]).limit(1)
    return next(filter(None, map(_of, database.find(query))), None)


def first() -> datetime | None:
    """Return the time of the oldest stored change; None if there is none."""
    query = database.filtered(_NAME, [("at", ">", _LONG_AGO)], order=["at"]).limit(1)
    times = (Fields(record.to_dict()).time("at") for record in database.find(query))
    return next(filter(None, times), None)


def _reference(name: str) -> Any:
    return database.client().collection(_NAME).document(name)


def _of(snapshot: Snapshot) -> StatusChange | None:
    return status_change.parse(snapshot.id, snapshot.to_dict())
