"""Reads what a report needs: one document for each conversation of the span, each change of a status, each worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from domain import availability, report
from domain.figures import Figures, Span
from domain.report import Available, Cell
from domain.status_change import StatusChange
from domain.worker import Worker
from providers import clock, database, pools, status_changes, workers

if TYPE_CHECKING:
    from providers.database import Snapshot

_PAGE = 1000
_MOST_RECORDS = 2000  # workers, pools
_COUNTED_UP_TO = 1_000_000


def of_day(day: Span, threshold: int, zone: ZoneInfo) -> dict[Cell, Figures]:
    """Return the figures of the conversations that arrived on this day, by cell."""
    return report.tally(_conversations(day), threshold, zone)


def how_many(span: Span) -> int:
    """Return how many conversations arrived within the span: one billed read for each thousand."""
    query = database.filtered("conversations", _arrived(span))
    return database.count(query, _COUNTED_UP_TO)


def available(span: Span, zone: ZoneInfo) -> Available:
    """Return how long each worker was Available within the span, up to now."""
    first = status_changes.first()
    end = min(span.end, clock.now())
    if first is None or first >= end:
        return Available(since=first)
    known = Span(max(span.start, first), end)
    changes: dict[str, list[StatusChange]] = defaultdict(list)
    for change in status_changes.within(known.start, known.end):
        changes[change.worker].append(change)
    records = {worker.identity: worker for worker in all_workers()}
    seconds: dict[tuple[Any, int, str], float] = defaultdict(float)
    for identity in sorted({*changes, *records}):
        mine = changes.get(identity, [])
        was_available = _was_available(identity, records.get(identity), mine, known)
        times = availability.spans(mine, was_available, known)
        for day, hour, part in availability.by_hour(times, zone):
            seconds[day, hour, identity] += part
    pool_ids = {worker.identity: worker.pool_ids for worker in records.values()}
    return Available(dict(seconds), pool_ids, first)


def _was_available(
    identity: str, worker: Worker | None, changes: list[StatusChange], span: Span
) -> bool:
    """Return whether the worker was Available at the beginning of the span."""
    if changes:
        return changes[0].was_available
    if worker is None:
        return False
    if availability.is_constant(worker, span.start):
        return worker.available
    latest = status_changes.latest(identity, span.start)
    return latest is not None and latest.is_available


def names(by: str) -> Mapping[str, str]:
    """Return the names of pools or workers by id; none for a report by day or hour."""
    if by == "worker":
        return {worker.identity: worker.name for worker in all_workers()}
    if by == "pool":
        query = database.client().collection("pools").limit(_MOST_RECORDS)
        records = map(pools.of, database.find(query))
        return {pool.id: pool.display_name for pool in records}
    return {}


def all_workers() -> list[Worker]:
    query = database.client().collection("workers").limit(_MOST_RECORDS)
    return list(map(workers.of, database.find(query)))


def _conversations(span: Span) -> Iterator[Mapping[str, Any]]:
    query: Any = (
        database.filtered("conversations", _arrived(span), order=["arrived_at"])
        .select(report.READ_FIELDS)
        .limit(_PAGE)
    )
    page: list[Snapshot] | None = None
    while page is None or len(page) == _PAGE:
        page = database.find(query.start_after(page[-1]) if page else query)
        yield from (snapshot.to_dict() or {} for snapshot in page)


def _arrived(span: Span) -> list[tuple[str, str, Any]]:
    return [("arrived_at", ">=", span.start), ("arrived_at", "<", span.end)]
