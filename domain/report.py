"""Reports over any span: the figures of conversations and of Available time, by day, hour, pool or worker."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from domain.figures import EDGES, Answers, Figures, Outside, Span, Waits

BY = ("day", "hour", "pool", "worker")
READ_FIELDS = (
    "arrived_at",
    "arrived_outside_at",
    "pool",
    "worker",
    "answered_by",
    "state",
    "waited",
    "answered_in",
    "went_back",
    "opted_out_at",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Record = Mapping[str, Any]


class Cell(NamedTuple):
    """The smallest group of conversations: by the local hour of their arrival, the pool and the worker."""

    day: date
    hour: int
    pool: str
    worker: str


@dataclass(frozen=True)
class Available:
    """The seconds that each worker was Available, by local day and hour.

    `pools`: the pools of each worker now. `since`: the oldest change of a status that is stored; earlier time does not
    count.
    """

    seconds: Mapping[tuple[date, int, str], float] = field(default_factory=dict)
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: datetime | None = None


@dataclass(frozen=True)
class Row:
    """The figures of one day, hour, pool or worker. `key`: its date, hour or id; `label`: its name."""

    key: str
    label: str
    figures: Figures


@dataclass(frozen=True)
class Report:
    """A table: its rows and the figures of all conversations of the span."""

    by: str
    rows: tuple[Row, ...]
    total: Figures


class Column(NamedTuple):
    """`kind`: count, share, seconds or hours."""

    name: str
    title: str
    kind: str
    value: Callable[[Figures], float | None]


COLUMNS = (
    Column("arrived", "Arrived", "count", lambda f: f.waits.arrived),
    Column("assigned", "Assigned", "count", lambda f: f.waits.answered),
    Column("waiting", "Waiting", "count", lambda f: f.waits.waiting),
    Column("abandoned", "Abandoned", "count", lambda f: f.waits.abandoned),
    Column("average_wait", "Average wait", "seconds", lambda f: f.average),
    Column("p95_wait", "95 % waited at most", "seconds", lambda f: f.p95),
    Column("within", "Within target", "share", lambda f: f.service_level),
    Column("answered", "Answered", "count", lambda f: f.answers.answered),
    Column("first_answer", "First reply", "seconds", lambda f: f.first_answer),
    Column(
        "answered_within",
        "Replies within target",
        "share",
        lambda f: f.answered_within,
    ),
    Column("went_back", "Went back", "count", lambda f: f.answers.went_back),
    Column("opted_out", "Opted out", "count", lambda f: f.opted_out),
    Column(
        "outside_hours", "Outside hours", "count", lambda f: f.waits.outside.arrived
    ),
    Column("available", "Hours Available", "hours", lambda f: f.available / 3600),
)


_KEYS: Mapping[str, Callable[[Cell], str]] = {
    "day": lambda cell: cell.day.isoformat(),
    "hour": lambda cell: f"{cell.hour:02}",
    "pool": lambda cell: cell.pool,
    "worker": lambda cell: cell.worker,
}


def days_between(first: date, last: date, zone: ZoneInfo) -> list[Span]:
    """Return the days from `first` to `last`, both included, as spans from midnight to midnight in the zone."""
    count = (last - first).days + 1
    midnights = [
        _midnight(first + timedelta(days=number), zone) for number in range(count + 1)
    ]
    return [Span(midnights[n], midnights[n + 1]) for n in range(count)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def tally(
    records: Iterable[Record], threshold: int, zone: ZoneInfo
) -> dict[Cell, Figures]:
    """Add up conversations by cell. `threshold`: that of the service level, in seconds."""
    cells: dict[Cell, Figures] = {}
    for record in records:
        cell = _cell_of(record, zone)
        if cell is not None:
            cells[cell] = cells.get(cell, Figures()) + figures_of(record, threshold)
    return cells


def _cell_of(record: Record, zone: ZoneInfo) -> Cell | None:
    arrived = record.get("arrived_at")
    if not isinstance(arrived, datetime):
        return None
    local = arrived.astimezone(zone)
    worker = _text(record.get("worker")) or _text(record.get("answered_by"))
    return Cell(local.date(), local.hour, _text(record.get("pool")), worker)


def figures_of(record: Record, threshold: int) -> Figures:
    """Return the figures of one conversation, by the rules of the wallboard's queries.

    A value of another type than the service writes counts as those queries count it: no range includes it.
    """
    is_unanswered = "waited" in record and record["waited"] is None
    is_abandoned = is_unanswered and record.get("state") == "closed"
    waited = _number(record.get("waited"))
    is_within = _at_most(waited, threshold)
    outside = Outside()
    if isinstance(record.get("arrived_outside_at"), datetime):
        outside = Outside(1, is_unanswered, is_abandoned, is_within)
    waits = Waits(
        arrived=1,
        unanswered=int(is_unanswered),
        abandoned=int(is_abandoned),
        within=int(is_within),
        seconds=waited or 0.0,
        at_most=tuple(int(_at_most(waited, edge)) for edge in EDGES),
        outside=outside,
    )
    has_opted_out = isinstance(record.get("opted_out_at"), datetime)
    return Figures(waits, _answers_of(record, threshold), int(has_opted_out))


def _answers_of(record: Record, threshold: int) -> Answers:
    went_back = _number(record.get("went_back"))
    returns = int(went_back is not None and went_back > 0)
    seconds = _number(record.get("answered_in"))
    if seconds is None or not seconds >= 0:
        return Answers(went_back=returns)
    return Answers(1, int(seconds <= threshold), seconds, returns)


def _at_most(value: float | None, edge: int) -> bool:
    return value is not None and value <= edge


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value] # a number


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def build(
    by: str,
    days: Sequence[Span],
    zone: ZoneInfo,
    cells: Mapping[Cell, Figures],
    available: Available,
    names: Mapping[str, str],
) -> Report:
    """Return the table. `by`: one of BY. `names`: of pools or workers, by id."""
    groups: dict[str, Figures] = defaultdict(Figures)
    for key in _empty_rows(by, days, zone):
        groups[key] = Figures()
    for cell, figures in cells.items():
        groups[_key(by, cell)] += figures
    for (day, hour, worker), seconds in available.seconds.items():
        for key in _available_keys(by, day, hour, worker, available.pools):
            groups[key] += Figures(available=seconds)
    total = sum(cells.values(), Figures())
    total += Figures(available=sum(available.seconds.values()))
    rows = [Row(key, _label(by, key, names), groups[key]) for key in groups]
    is_sorted_by_key = by in ("day", "hour")
    rows.sort(key=lambda row: row.key if is_sorted_by_key else _name_order(row))
    return Report(by, tuple(rows), total)


def _empty_rows(by: str, days: Sequence[Span], zone: ZoneInfo) -> list[str]:
    """Return the keys of rows that stand in the table even if nothing happened."""
    if by == "day":
        return [day.start.astimezone(zone).date().isoformat() for day in days]
    return [f"{hour:02}" for hour in range(24)] if by == "hour" else []


def _key(by: str, cell: Cell) -> str:
    return _KEYS[by](cell)


def _available_keys(
    by: str, day: date, hour: int, worker: str, pools: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the rows that a worker's time belongs to: each of the worker's pools."""
    if by == "pool":
        return pools.get(worker, ())
    return (_key(by, Cell(day, hour, "", worker)),)


def _label(by: str, key: str, names: Mapping[str, str]) -> str:
    if by == "hour":
        return f"{key}:00"
    if not key:
        return f"No {by}"
    return names.get(key) or key


def _name_order(row: Row) -> str:
    return row.label.casefold() if row.key else "\U0010ffff"


def values(figures: Figures) -> dict[str, float | str | None]:
    """Return the figures by the names of COLUMNS; a percentile beyond the histogram is a text."""
    return {column.name: _value(column.value(figures)) for column in COLUMNS}


def _value(value: float | None) -> float | str | None:
    return f"over {EDGES[-1]}" if value == math.inf else value


def as_csv(report: Report) -> str:
    """Return the table as CSV: shares from 0 to 1, waits in seconds."""
    has_names = report.by in ("pool", "worker")
    text = io.StringIO()
    writer = csv.writer(text)
    head = [report.by, "name"] if has_names else [report.by]
    writer.writerow([*head, *(column.name for column in COLUMNS)])
    for row in report.rows:
        first = [row.key, row.label] if has_names else [row.key]
        writer.writerow([*map(_harmless, first), *_csv_cells(row.figures)])
    first = ["total", ""] if has_names else ["total"]
    writer.writerow([*first, *_csv_cells(report.total)])
    return text.getvalue()


def _csv_cells(figures: Figures) -> list[str]:
    return [_csv_cell(value) for value in values(figures).values()]


def _csv_cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _harmless(text: str) -> str:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
