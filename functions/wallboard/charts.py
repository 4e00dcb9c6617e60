"""Where the bars of the page's charts stand: plain numbers for the SVG in the templates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from domain.figures import EDGES, buckets
from functions.wallboard.figures import Today
from functions.wallboard.wording import duration

WIDTH = 720
HEIGHT = 150
_GAP = 0.28  # of a bar's place
_STEPS = (1, 2, 5, 10)
_HOURS = 24


@dataclass(frozen=True)
class Bar:
    """One bar; `tick` stands below it, `text` says it in words."""

    x: float
    y: float
    width: float
    height: float
    tick: str
    text: str
    strong: bool = True


@dataclass(frozen=True)
class Row:
    """One row of the histogram; `share` is its bar's length in percent."""

    label: str
    count: int
    share: float
    strong: bool


@dataclass(frozen=True)
class Chart:
    bars: tuple[Bar, ...]
    top: str
    middle: str


def arrivals(today: Today) -> Chart:
    """Return the chart of arrivals by hour of the day."""
    values = [float(hour.arrived) for hour in today.hours]
    texts = [f"{hour.arrived} arrived" for hour in today.hours]
    top = _round_up(max(values, default=0))
    return Chart(_by_hour(today, values, texts, top), f"{top:g}", f"{top / 2:g}")


def average_waits(today: Today) -> Chart:
    """Return the chart of the average wait by hour of arrival."""
    values = [hour.average or 0.0 for hour in today.hours]
    texts = [_average_in_words(hour.average) for hour in today.hours]
    top = _round_up(max(values, default=0))
    return Chart(_by_hour(today, values, texts, top), duration(top), duration(top / 2))


def waits(today: Today) -> tuple[Row, ...]:
    """Return the histogram of waits; the rows within the threshold stand out."""
    counts = buckets(today.waits)
    most = max(*counts, 1)
    labels = [f"up to {duration(edge)}" for edge in EDGES]
    labels.append(f"over {duration(EDGES[-1])}")
    rows = []
    for label, count, edge in zip(labels, counts, (*EDGES, math.inf), strict=True):
        share = round(100 * count / most, 1)
        rows.append(Row(label, count, share, strong=edge <= today.threshold))
    return tuple(rows)


def _average_in_words(average: float | None) -> str:
    return "none answered" if average is None else duration(average)


def _by_hour(
    today: Today, values: list[float], texts: list[str], top: float
) -> tuple[Bar, ...]:
    place = WIDTH / max(_HOURS, len(values))
    bars = []
    for i, (hour, value, text) in enumerate(
        zip(today.hours, values, texts, strict=True)
    ):
        clock = f"{hour.start.astimezone(ZoneInfo(today.zone)):%H}"
        running = i == len(values) - 1
        bars.append(
            _bar(i, place, value / top, clock, f"{clock}:00: {text}", not running)
        )
    return tuple(bars)


def _bar(
    index: int, place: float, share: float, tick: str, text: str, strong: bool
) -> Bar:
    height = round(max(HEIGHT * share, 2 if share else 0), 1)
    x = round(place * (index + _GAP / 2), 1)
    return Bar(
        x,
        round(HEIGHT - height, 1),
        round(place * (1 - _GAP), 1),
        height,
        tick,
        text,
        strong,
    )


def _round_up(value: float) -> float:
    """Return the next of 2, 5, 10, 20, 50, ..., which are easy to read on a scale."""
    value = max(value, 2)
    scale = 1.0
    while value > _STEPS[-1] * scale:
        scale *= 10
    return next(step * scale for step in _STEPS if step * scale >= value)
