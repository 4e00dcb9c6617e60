"""One row of the table: what was measured, against what, and whether it is what we want."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """`ratio` is product over floor, its spread the smallest and largest of the rounds."""

    name: str
    measured: str
    floor: str
    product_value: str
    floor_value: str
    wanted: str
    is_reached: bool
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class Measure(Protocol):
    """One way to do a thing once; returns seconds."""

    def __call__(self) -> float: ...


@dataclass(frozen=True)
class Pairs:
    """Rounds of both sides in turns, so that whatever else the machine does hits both."""

    product: list[list[float]]
    floor: list[list[float]]

    @property
    def medians(self) -> tuple[float, float]:
        """Product and floor, over all rounds."""
        return median(list(chain(*self.product))), median(list(chain(*self.floor)))

    @property
    def ratio(self) -> float:
        return self.medians[0] / self.medians[1]

    @property
    def spread(self) -> tuple[float, float]:
        ratios = [
            median(p) / median(f) for p, f in zip(self.product, self.floor, strict=True)
        ]
        return min(ratios), max(ratios)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def in_turns(
    product: Measure, floor: Measure, rounds: int, each: int, warm_up: int = 5
) -> Pairs:
    """`rounds` times `each` pairs; the warm-up is thrown away."""
    for _ in range(warm_up):
        product(), floor()
    found: tuple[list[list[float]], list[list[float]]] = ([], [])
    for _ in range(rounds):
        one: list[float] = []
        other: list[float] = []
        for number in range(each):
            for side, kept in _alternating(number, (product, one), (floor, other)):
                kept.append(side())
        found[0].append(one)
        found[1].append(other)
    return Pairs(*found)


def _alternating(number: int, first: T, second: T) -> tuple[T, T]:
    return (first, second) if number % 2 == 0 else (second, first)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def compared(
    name: str, measured: str, floor: str, pairs: Pairs, at_most: float, **details: Any
) -> Row:
    """A row whose ratio of medians must not be above `at_most`."""
    ours, theirs = pairs.medians
    return Row(
        name=name,
        measured=measured,
        floor=floor,
        product_value=ms(ours),
        floor_value=ms(theirs),
        wanted=f"{at_most:g} x",
        is_reached=pairs.ratio <= at_most,
        ratio=pairs.ratio,
        spread=pairs.spread,
        details={"product_ms": ours * 1000, "floor_ms": theirs * 1000, **details},
    )
