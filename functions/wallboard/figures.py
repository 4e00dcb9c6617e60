"""What the wallboard shows, as values; what is computed from figures is in domain/figures.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.figures import Answers, Figures, Span, Waits
from functions.wallboard.statistics import Workforce

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
    def figures(self) -> Figures:
        return Figures(self.waits, self.answers)

    @property
    def service_level(self) -> float | None:
        return self.figures.service_level

    @property
    def service_level_outside(self) -> float | None:
        return self.figures.service_level_outside

    @property
    def average(self) -> float | None:
        return self.figures.average

    @property
    def first_answer(self) -> float | None:
        return self.figures.first_answer

    @property
    def answered_within(self) -> float | None:
        return self.figures.answered_within

    @property
    def p95(self) -> float | None:
        return self.figures.p95


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
