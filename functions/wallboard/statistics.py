"""Figures that Firestore counts for the wallboard; their cost does not grow with the history.

A count is billed one read per 1000 index entries, so ranges are of one day at most. Definitions: docs/wallboard.md.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from domain.conversation import HELD, Pending, parse_entry
from domain.figures import EDGES, Answers, Outside, Span, Waits, finite
from providers import clock, database

if TYPE_CHECKING:
    from google.cloud.firestore import Query

    from providers.database import Snapshot

T = TypeVar("T")
Condition: TypeAlias = tuple[str, str, Any]
_ENTRIES_PER_READ = 1000  # https://cloud.google.com/firestore/docs/query-data/aggregation-queries#pricing
_PATIENCE = 20.0  # seconds for one count; the emulator walks through the whole collection for each


class Meter:
    """The billed reads of documents and counts, in all and within the last minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, int]] = deque()
        self.reads = 0

    def note(self, reads: int) -> None:
        """Count one call to Firestore; a query without a result is billed as one read."""
        with self._lock:
            self.reads += max(1, reads)
            self._recent.append((time.monotonic(), max(1, reads)))

    def last_minute(self) -> int:
        with self._lock:
            while self._recent and self._recent[0][0] < time.monotonic() - 60:
                self._recent.popleft()
            return sum(reads for _, reads in self._recent)


@dataclass(frozen=True)
class Workforce:
    """Numbers of workers: `available` have a free slot, `full` are Available without one."""

    available: int = 0
    full: int = 0
    unavailable: int = 0

    @property
    def members(self) -> int:
        """All of them."""
        return self.available + self.full + self.unavailable


def waits(meter: Meter, span: Span, threshold: int) -> Waits:
    """Count the conversations that arrived within the span: assigned, abandoned, and by how long they waited.

    `threshold`: that of the service level, in seconds.
    """
    arrived = _within("arrived_at", span)
    count, seconds = _counted(meter, "conversations", arrived, "sum")
    if count == 0:
        return Waits()
    unanswered = [*arrived, ("waited", "==", None)]
    abandoned = [*unanswered, ("state", "==", "closed")]
    edges = sorted({*EDGES, threshold})
    asked = [
        unanswered,
        abandoned,
        *([*arrived, ("waited", "<=", edge)] for edge in edges),
    ]
    # Two ranges scan the first one's entries: `count` of them, whatever the result.
    calls = [
        partial(_counted, meter, "conversations", conditions, scanned=count)
        for conditions in asked
    ]
    counts = [result for result, _ in every(calls)]
    at_most = dict(zip(edges, counts[2:], strict=True))
    counts_by_edge = tuple(at_most[edge] for edge in EDGES)
    outside = _outside(meter, span, threshold)
    return Waits(
        count,
        counts[0],
        counts[1],
        at_most[threshold],
        seconds or 0.0,
        counts_by_edge,
        outside,
    )


def _outside(meter: Meter, span: Span, threshold: int) -> Outside:
    arrived = _within("arrived_outside_at", span)
    count = _counted(meter, "conversations", arrived)[0]
    if count == 0:
        return Outside()
    unanswered = [*arrived, ("waited", "==", None)]
    asked = [
        unanswered,
        [*unanswered, ("state", "==", "closed")],
        [*arrived, ("waited", "<=", threshold)],
    ]
    calls = [
        partial(_counted, meter, "conversations", conditions, scanned=count)
        for conditions in asked
    ]
    return Outside(count, *(result for result, _ in every(calls)))


def answers(meter: Meter, span: Span, threshold: int) -> Answers:
    """Count the conversations that arrived within the span: answered, how soon, and returned to the queue."""
    arrived = _within("arrived_at", span)
    answered = [*arrived, ("answered_in", ">=", 0)]
    count, seconds = _counted(
        meter, "conversations", answered, "sum", field="answered_in"
    )
    asked = [[*arrived, ("went_back", ">", 0)]]
    asked += (
        [[*arrived, ("answered_in", ">=", 0), ("answered_in", "<=", threshold)]]
        if count
        else []
    )
    calls = [
        partial(_counted, meter, "conversations", conditions) for conditions in asked
    ]
    counts = [result for result, _ in every(calls)]
    return Answers(count, counts[1] if count else 0, finite(seconds) or 0.0, counts[0])


def arrivals(meter: Meter, span: Span) -> tuple[int, float | None]:
    """Return how many arrived within the span, and the average wait in seconds of those that were assigned."""
    count, average = _counted(
        meter, "conversations", _within("arrived_at", span), "avg"
    )
    return count, finite(average)


def not_routed(meter: Meter, span: Span) -> int:
    """Return how many arrived at numbers that are not routed."""
    return _counted(
        meter, "conversations", [("mode", "==", "none"), *_within("created_at", span)]
    )[0]


def workforce(meter: Meter, pool_id: str | None) -> Workforce:
    """Count the workers of a pool, or all of them."""
    pool: list[Condition] = [("pools", "array_contains", pool_id)] if pool_id else []
    available = [*pool, ("status", "==", "Available")]
    members = _counted(meter, "workers", pool)[0]
    free_or_full = _counted(meter, "workers", available)[0] if members else 0
    full = (
        _counted(meter, "workers", [*available, ("full", "==", True)])[0]
        if free_or_full
        else 0
    )
    return Workforce(free_or_full - full, full, members - free_or_full)


def how_many_wait(meter: Meter, pool_id: str | None) -> int:
    """Return the queue's length, of a pool or in all."""
    return _counted(
        meter, "pending_conversations", [("pool", "==", pool_id)] if pool_id else []
    )[0]


def longest_waiting(meter: Meter, pool_id: str | None, limit: int) -> list[Pending]:
    """Return the longest-waiting queue entries, of a pool or in all."""
    conditions = [("pool", "==", pool_id)] if pool_id else []
    query = database.filtered("pending_conversations", conditions, order=["queued_at"])
    entries = found(meter, query.limit(limit))
    return [parse_entry(entry.id, entry.to_dict()) for entry in entries]


def with_a_problem(meter: Meter, collection: str, limit: int) -> list[Snapshot]:
    """Return records with invalid values."""
    return found(
        meter, database.filtered(collection, [("problem", ">", "")]).limit(limit)
    )


def held(meter: Meter) -> tuple[int, int]:
    """Return how many conversations have a worker, by their own records and by the workers' counts."""
    count = _counted(meter, "conversations", [("state", "in", list(HELD))])[0]
    active = _counted(meter, "workers", [], "sum", field="active")[1]
    return count, int(finite(active) or 0)


def made_unavailable(meter: Meter, limit: int) -> list[Snapshot]:
    """Return workers that the service made Unavailable because they missed answer deadlines."""
    return found(
        meter,
        database.filtered("workers", [("unavailable_because", ">", "")]).limit(limit),
    )


def found(meter: Meter, query: Query) -> list[Snapshot]:
    """Run a query, and count its documents in the meter."""
    snapshots = database.find(query)
    meter.note(len(snapshots))
    return snapshots


def every(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run independent calls at the same time; return their results in order."""
    return list(database.together(*calls))


def _within(name: str, span: Span) -> list[Condition]:
    return [(name, ">=", span.start), (name, "<", span.end)]


def _counted(
    meter: Meter,
    collection: str,
    conditions: list[Condition],
    also: str = "",
    scanned: int | None = None,
    field: str = "waited",
) -> tuple[int, float | None]:
    """Return how many documents match, and the `sum` or `avg` (`also`) of a field.

    `scanned`: the index entries that the query scans, if more than those that match.
    """
    counting: Any = database.filtered(collection, conditions).count(alias="count")
    if also:
        counting = getattr(counting, also)(field, alias=field)
    values = {
        result.alias: result.value
        for result in counting.get(timeout=clock.remaining(_PATIENCE))[0]
    }
    count = int(values["count"])
    meter.note(-(-(count if scanned is None else scanned) // _ENTRIES_PER_READ))
    return count, values.get(field)
