"""Figures that Firestore counts for the wallboard: what they cost does not grow with the history.

A count is billed one read per 1000 index entries, so ranges are of one day at most. Definitions: docs/wallboard.md.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from providers import database, deadline

if TYPE_CHECKING:
    from google.cloud.firestore import Query

    from providers.database import Snapshot

T = TypeVar("T")
# Upper edges, in seconds, of the histogram of waits; the last bucket has none.
EDGES = (5, 15, 30, 60, 120, 300, 900, 3600)
_ENTRIES_PER_READ = 1000  # https://cloud.google.com/firestore/docs/query-data/aggregation-queries#pricing
_PATIENCE = 20.0  # seconds for one count; the emulator walks through the whole collection for each
_SIDE_BY_SIDE = 6


class Meter:
    """How many documents (or counts worth as much) were read, in all and within the last minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, int]] = deque()
        self.reads = 0
        self.calls = 0

    def note(self, reads: int) -> None:
        """One call to Firestore; a query without a result is billed as one read."""
        with self._lock:
            self.calls += 1
            self.reads += max(1, reads)
            self._recent.append((time.monotonic(), max(1, reads)))

    def last_minute(self) -> int:
        with self._lock:
            while self._recent and self._recent[0][0] < time.monotonic() - 60:
                self._recent.popleft()
            return sum(reads for _, reads in self._recent)


@dataclass(frozen=True)
class Span:
    """From `start` up to, not including, `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Waits:
    """What became of the conversations that arrived within a span. `at_most[i]` waited no longer than EDGES[i]."""

    arrived: int = 0
    unanswered: int = 0
    abandoned: int = 0
    within: int = 0
    seconds: float = 0.0
    at_most: tuple[int, ...] = (0,) * len(EDGES)

    @property
    def answered(self) -> int:
        """Those who got a worker; the first one counts."""
        return self.arrived - self.unanswered

    @property
    def waiting(self) -> int:
        return self.unanswered - self.abandoned

    def __add__(self, other: Waits) -> Waits:
        return Waits(
            self.arrived + other.arrived,
            self.unanswered + other.unanswered,
            self.abandoned + other.abandoned,
            self.within + other.within,
            self.seconds + other.seconds,
            tuple(a + b for a, b in zip(self.at_most, other.at_most, strict=True)),
        )


@dataclass(frozen=True)
class Workforce:
    """Workers by what they can take: `available` have a free slot, `full` are Available without one."""

    available: int = 0
    full: int = 0
    unavailable: int = 0


def waits(meter: Meter, span: Span, threshold: int) -> Waits:
    """Of those who arrived within the span: who was answered, how soon, and who gave up."""
    arrived = _arrived(span)
    count, seconds = _counted(meter, arrived, sum_of="waited")
    if count == 0:
        return Waits()
    unanswered = _where(arrived, "waited", "==", None)
    abandoned = _where(unanswered, "state", "==", "closed")
    edges = sorted({*EDGES, threshold})
    queries = [unanswered, abandoned, *(_where(arrived, "waited", "<=", edge) for edge in edges)]
    # Two ranges scan the first one's entries: `count` of them, whatever the result.
    counts = [found for found, _ in every([partial(_counted, meter, q, scanned=count) for q in queries])]
    at_most = dict(zip(edges, counts[2:], strict=True))
    told = tuple(at_most[edge] for edge in EDGES)
    return Waits(count, counts[0], counts[1], at_most[threshold], seconds, told)


def arrivals(meter: Meter, span: Span) -> tuple[int, float | None]:
    """How many arrived within the span, and how long those of them who were answered waited on average."""
    query: Any = _arrived(span)
    result = query.count(alias="count").avg("waited", alias="average").get(timeout=_patience())
    found = {one.alias: one.value for one in result[0]}
    meter.note(_reads(found["count"]))
    return int(found["count"]), found["average"]


def not_routed(meter: Meter, span: Span) -> int:
    """How many arrived at numbers that are not routed."""
    ranges = [("mode", "==", "none"), ("created_at", ">=", span.start), ("created_at", "<", span.end)]
    return _counted(meter, database.filtered("conversations", ranges))[0]


def workforce(meter: Meter, pool_id: str | None) -> Workforce:
    """The workers of a pool, or all of them."""
    pool = [("pools", "array_contains", pool_id)] if pool_id else []
    available = [*pool, ("status", "==", "Available")]
    members = _counted(meter, database.filtered("workers", pool))[0]
    if members == 0:
        return Workforce()
    free_or_full = _counted(meter, database.filtered("workers", available))[0]
    full = 0
    if free_or_full:
        full = _counted(meter, database.filtered("workers", [*available, ("full", "==", True)]))[0]
    return Workforce(free_or_full - full, full, members - free_or_full)


def how_many_wait(meter: Meter, pool_id: str | None) -> int:
    """The queue's length, of a pool or in all."""
    pool = [("pool", "==", pool_id)] if pool_id else []
    return _counted(meter, database.filtered("pending_conversations", pool))[0]


def longest_waiting(meter: Meter, pool_id: str | None, limit: int) -> list[Snapshot]:
    """The queue entries that have waited longest, of a pool or in all."""
    pool = [("pool", "==", pool_id)] if pool_id else []
    query = database.ordered(database.filtered("pending_conversations", pool), ["queued_at"], limit)
    return found(meter, query)


def overdue_claims(meter: Meter, now: datetime, limit: int) -> list[Snapshot]:
    """Conversations that somebody was adding a worker to, longer than the lease allows."""
    conditions = [("state", "==", "assigning"), ("lease_until", "<", now)]
    return found(
        meter, database.ordered(database.filtered("conversations", conditions), ["lease_until"], limit)
    )


def with_a_problem(meter: Meter, collection: str, limit: int) -> list[Snapshot]:
    """Records in which somebody typed what makes no sense."""
    return found(meter, database.filtered(collection, [("problem", ">", "")]).limit(limit))


def found(meter: Meter, query: Query) -> list[Snapshot]:
    """The documents of a query, counted."""
    snapshots = database.find(query)
    meter.note(len(snapshots))
    return snapshots


def every(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Independent calls, a few side by side; they must not call this again."""
    running = [_threads().submit(contextvars.copy_context().run, call) for call in calls]
    return [future.result() for future in running]


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="statistics")


def _arrived(span: Span) -> Query:
    return database.filtered(
        "conversations", [("arrived_at", ">=", span.start), ("arrived_at", "<", span.end)]
    )


def _where(query: Any, name: str, operator: str, value: object) -> Any:
    from google.cloud.firestore import FieldFilter

    return query.where(filter=FieldFilter(name, operator, value))


def _counted(
    meter: Meter, query: Any, sum_of: str | None = None, scanned: int | None = None
) -> tuple[int, float]:
    """How many documents match, and the sum of a field of theirs."""
    counting = query.count(alias="count")
    if sum_of:
        counting = counting.sum(sum_of, alias="sum")
    values = {one.alias: one.value for one in counting.get(timeout=_patience())[0]}
    count = int(values["count"])
    meter.note(_reads(count if scanned is None else scanned))
    return count, float(values.get("sum") or 0)


def _reads(entries: int) -> int:
    return -(-entries // _ENTRIES_PER_READ)


def _patience() -> float:
    return deadline.remaining(_PATIENCE)
