"""The figures of a time span, and what is computed from them: shares, averages, the 95th percentile.

The wallboard, the desk's reports and tools.report all use these. Definitions: docs/wallboard.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Self

# Upper edges, in seconds, of the histogram of waits; the last bucket has none.
EDGES = (5, 15, 30, 60, 120, 300, 900, 3600)


@dataclass(frozen=True)
class Span:
    """A time span from `start` up to, not including, `end`."""

    start: datetime
    end: datetime


class Sum:
    """Figures of one span; those of two spans add up, field by field."""

    def __add__(self, other: Self) -> Self:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return type(self)(*(_plus(left, right) for left, right in pairs))


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, tuple):
        return tuple(map(_plus, left, right))
    return left + right


@dataclass(frozen=True)
class Outside(Sum):
    """The figures of Waits for conversations that arrived while their pool was closed."""

    arrived: int = 0
    unanswered: int = 0
    abandoned: int = 0
    within: int = 0

    @property
    def ended(self) -> int:
        """Those that were assigned or abandoned, of which the service level is a share."""
        return max(0, self.arrived - self.unanswered) + self.abandoned


@dataclass(frozen=True)
class Waits(Sum):
    """What became of the conversations that arrived within a span. `at_most[i]` waited no longer than EDGES[i]."""

    arrived: int = 0
    unanswered: int = 0
    abandoned: int = 0
    within: int = 0
    seconds: float = 0.0
    at_most: tuple[int, ...] = (0,) * len(EDGES)
    outside: Outside = Outside()

    @property
    def answered(self) -> int:
        """Those that were assigned. The counts are taken one after the other, so their difference can be negative."""
        return max(0, self.arrived - self.unanswered)

    @property
    def waiting(self) -> int:
        return self.unanswered - self.abandoned


@dataclass(frozen=True)
class Answers(Sum):
    """How the conversations that arrived within a span were answered.

    `seconds`: the sum of their times from the arrival to a worker's first message.
    """

    answered: int = 0
    within: int = 0
    seconds: float = 0.0
    went_back: int = 0


@dataclass(frozen=True)
class Figures(Sum):
    """The figures of one span, pool or worker. `available`: the seconds that workers were Available."""

    waits: Waits = Waits()
    answers: Answers = Answers()
    opted_out: int = 0
    available: float = 0.0

    @property
    def service_level(self) -> float | None:
        """Share of conversations assigned within the threshold, of those that arrived during their pool's hours and
        were assigned or abandoned."""
        outside = self.waits.outside
        ended = self.waits.answered + self.waits.abandoned - outside.ended
        return ratio(max(0, self.waits.within - outside.within), max(0, ended))

    @property
    def service_level_outside(self) -> float | None:
        """The same share of conversations that arrived outside their pool's hours."""
        return ratio(self.waits.outside.within, self.waits.outside.ended)

    @property
    def average(self) -> float | None:
        """Seconds from the arrival to the first worker, on average of the assigned conversations."""
        return finite(ratio(self.waits.seconds, self.waits.answered))

    @property
    def first_answer(self) -> float | None:
        """Seconds from the arrival to a worker's first message, on average of the answered conversations."""
        return finite(ratio(self.answers.seconds, self.answers.answered))

    @property
    def answered_within(self) -> float | None:
        """Share of conversations answered within the threshold, of those answered by a worker's message."""
        return ratio(self.answers.within, self.answers.answered)

    @property
    def p95(self) -> float | None:
        return percentile(self.waits, 0.95)


def ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def finite(seconds: float | None) -> float | None:
    """Return None for NaN and infinity: an invalid wait in one record makes every sum with it invalid."""
    return seconds if seconds is not None and math.isfinite(seconds) else None


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
