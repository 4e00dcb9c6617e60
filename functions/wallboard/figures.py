"""The figures as values, and what is computed from them: shares, averages, the 95th percentile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from functions.wallboard.statistics import (
    EDGES,
    Answers,
    Span,
    Waits,
    Workforce,
    finite,
)

# Twilio's webhooks for the hour before have arrived by then:
_SETTLED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Waiting:
    """One conversation in the queue, and why it waits."""

    sid: str
    pool: str
    name: str
    since: datetime | None
    why: str


@dataclass(frozen=True)
class PoolRow:
    """One pool now. `since`: the arrival of its longest-waiting conversation."""

    id: str
    name: str
    waiting: int
    since: datetime | None
    workers: Workforce


@dataclass(frozen=True)
class Now:
    """The current figures. `since`: the arrival of the longest-waiting conversation."""

    at: datetime
    waiting: int
    since: datetime | None
    workers: Workforce
    pools: tuple[PoolRow, ...]
    more_pools: bool
    queue: tuple[Waiting, ...]


@dataclass(frozen=True)
class Hour:
    start: datetime
    arrived: int
    average: float | None


@dataclass(frozen=True)
class Today:
    """The figures since midnight in the time zone of the settings."""

    at: datetime
    zone: str
    threshold: int
    waits: Waits
    answers: Answers
    not_routed: int
    hours: tuple[Hour, ...]

    @property
    def service_level(self) -> float | None:
        """Share of conversations assigned within the threshold, of those that arrived during their pool's hours and
        were assigned or abandoned."""
        outside = self.waits.outside
        ended = self.waits.answered + self.waits.abandoned - outside.ended
        return _ratio(max(0, self.waits.within - outside.within), max(0, ended))

    @property
    def service_level_outside(self) -> float | None:
        """The same share of conversations that arrived outside their pool's hours."""
        return _ratio(self.waits.outside.within, self.waits.outside.ended)

    @property
    def average(self) -> float | None:
        """Seconds from the arrival to the first worker, on average of the assigned conversations."""
        return finite(_ratio(self.waits.seconds, self.waits.answered))

    @property
    def first_answer(self) -> float | None:
        """Seconds from the arrival to a worker's first message, on average of the answered conversations."""
        return _ratio(self.answers.seconds, self.answers.answered)

    @property
    def answered_within(self) -> float | None:
        """Share of conversations answered within the threshold, of those answered by a worker's message."""
        return _ratio(self.answers.within, self.answers.answered)

    @property
    def p95(self) -> float | None:
        return percentile(self.waits, 0.95)


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def percentile(waits: Waits, share: float) -> float | None:
    """Return the seconds that this share of the assigned conversations waited at most; None if there are none.

    Waits are taken as evenly spread within a bucket of the histogram. Infinity: longer than its last edge.
    """
    rank = share * waits.answered
    if not waits.answered:
        return None
    low, below = 0.0, 0
    for edge, at_most in zip(EDGES, waits.at_most, strict=True):
        if at_most >= rank:
            return low + (edge - low) * (rank - below) / (at_most - below)
        low, below = float(edge), at_most
    return float("inf")


def buckets(waits: Waits) -> list[int]:
    """Return the count of each bucket of the histogram of waits; the last one has no upper edge."""
    cumulated = (0, *waits.at_most, waits.answered)
    return [max(0, upper - lower) for lower, upper in pairwise(cumulated)]


def hours_of_day(now: datetime, zone: str) -> list[Span]:
    """Return the hours since midnight, including the current one; a day can have 23 or 25 hours."""
    local = now.astimezone(ZoneInfo(zone))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    count = int((now - start) / timedelta(hours=1)) + 1
    starts = [start + timedelta(hours=i) for i in range(count)]
    return [Span(hour, hour + timedelta(hours=1)) for hour in starts]


def parts_of_day(hours: list[Span], now: datetime) -> list[Span]:
    """Split the day into its finished part, which is counted seldom, and the current part, which is counted often."""
    first, last = hours[0], hours[-1]
    settled = last.start
    if now - last.start < _SETTLED_AFTER:
        settled -= timedelta(hours=1)
    if settled <= first.start:
        return [Span(first.start, last.end)]
    return [Span(first.start, settled), Span(settled, last.end)]
