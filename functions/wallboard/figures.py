"""The figures as values, and what follows from them: the day's hours, the 95th percentile."""

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

_SETTLED_AFTER = timedelta(
    minutes=5
)  # Twilio's webhooks for the hour before have arrived by then


@dataclass(frozen=True)
class Waiting:
    """One of those waiting, the longest first."""

    sid: str
    pool: str
    name: str
    since: datetime | None
    why: str


@dataclass(frozen=True)
class PoolRow:
    """One pool just now. `since`: when the one who waits longest came in."""

    id: str
    name: str
    waiting: int
    since: datetime | None
    workers: Workforce


@dataclass(frozen=True)
class Now:
    """What is so at this moment."""

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
    """What happened since midnight in the time zone of the settings."""

    at: datetime
    zone: str
    threshold: int
    waits: Waits
    answers: Answers
    not_routed: int
    hours: tuple[Hour, ...]

    @property
    def service_level(self) -> float | None:
        """Share within the threshold, of those who came while their pool was open, and were answered or gave up."""
        outside = self.waits.outside
        ended = self.waits.answered + self.waits.abandoned - outside.ended
        return max(0, self.waits.within - outside.within) / ended if ended > 0 else None

    @property
    def service_level_outside(self) -> float | None:
        """The same of those who came while it was closed."""
        outside = self.waits.outside
        return outside.within / outside.ended if outside.ended else None

    @property
    def average(self) -> float | None:
        return (
            finite(self.waits.seconds / self.waits.answered)
            if self.waits.answered
            else None
        )

    @property
    def first_answer(self) -> float | None:
        """Seconds from the arrival to a worker's first message, on average of those who were answered."""
        return (
            self.answers.seconds / self.answers.answered
            if self.answers.answered
            else None
        )

    @property
    def answered_within(self) -> float | None:
        """Share of those answered by a worker's message whom it reached within the threshold."""
        return (
            self.answers.within / self.answers.answered
            if self.answers.answered
            else None
        )

    @property
    def p95(self) -> float | None:
        return percentile(self.waits, 0.95)


def percentile(waits: Waits, share: float) -> float | None:
    """How long that share waited at most, evenly spread within a bucket; past the last edge: infinity."""
    wanted = share * waits.answered
    if not waits.answered:
        return None
    low, below = 0.0, 0
    for edge, at_most in zip(EDGES, waits.at_most, strict=True):
        if at_most >= wanted:
            return low + (edge - low) * (wanted - below) / (at_most - below)
        low, below = float(edge), at_most
    return float("inf")


def buckets(waits: Waits) -> list[int]:
    """How many waited as long as each bucket says; the last is without an upper edge."""
    cumulated = (0, *waits.at_most, waits.answered)
    return [max(0, upper - lower) for lower, upper in pairwise(cumulated)]


def hours_of_day(now: datetime, zone: str) -> list[Span]:
    """The hours since midnight up to the one that is running; a day of 23 or 25 hours has that many."""
    local = now.astimezone(ZoneInfo(zone))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    count = int((now - start) / timedelta(hours=1)) + 1
    starts = [start + timedelta(hours=i) for i in range(count)]
    return [Span(one, one + timedelta(hours=1)) for one in starts]


def parts_of_day(hours: list[Span], now: datetime) -> list[Span]:
    """The finished part of the day, counted seldom, and the running one, counted often."""
    first, last = hours[0], hours[-1]
    settled = (
        last.start
        if now - last.start >= _SETTLED_AFTER
        else last.start - timedelta(hours=1)
    )
    if settled <= first.start:
        return [Span(first.start, last.end)]
    return [Span(first.start, settled), Span(settled, last.end)]
