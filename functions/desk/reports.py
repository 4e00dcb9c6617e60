"""The page Reports: a table of any span by day, hour, pool or worker, read day by day."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from domain import report
from domain.figures import Figures, Span
from domain.report import Cell, Report
from functions.desk import authority
from functions.http import cache, requests
from functions.http.answers import Answer, BadInput
from functions.http.cache import Cache
from functions.http.requests import RequestModel
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import clock, configuration, figures, settings

MOST_DAYS = 400  # as long as changes of a status are kept
MOST_READ = 300_000  # conversations in one report
_COUNTED_FROM = 32  # days: shorter spans are read without counting first
_BUDGET = 3.0  # seconds of reading in one request
_CURRENT_FOR, _FINISHED_FOR, _RECORDS_FOR = 10.0, 600.0, 30.0  # seconds
_days = Cache(1000)


class Wanted(RequestModel):
    """The span, from the first to the last day, and the rows of the table."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    by: Literal["day", "hour", "pool", "worker"] = "day"


def load(visit: Visit, person: Person) -> Answer:
    """GET reports?from=DAY&to=DAY&by=day: the table, or how many of the days are read so far; then ask again."""
    authority.supervisor(person)
    wanted = requests.query(visit, Wanted)
    general = settings.load()
    zone, threshold = ZoneInfo(general.time_zone), general.service_level_seconds
    days = _days_of(wanted, zone)
    cells, done = _read(days, threshold, zone)
    progress = {"done": done, "of": len(days)}
    if done < len(days):
        return Answer(progress)
    span = Span(days[0].start, days[-1].end)
    available = cache.get(
        ("available", span, zone.key),
        _CURRENT_FOR,
        lambda: figures.available(span, zone),
    )
    names = cache.get(
        ("report names", wanted.by), _RECORDS_FOR, lambda: figures.names(wanted.by)
    )
    built = report.build(wanted.by, days, zone, cells, available, names)
    since = available.since.isoformat() if available.since else None
    about = {"zone": zone.key, "target": threshold, "available_since": since}
    return Answer({**progress, **about, **_shown(built)})


def _days_of(wanted: Wanted, zone: ZoneInfo) -> list[Span]:
    """Return the days of the report up to today. Raise BadInput for a span that is empty or too long."""
    today = clock.now().astimezone(zone).date()
    if wanted.last < wanted.first:
        raise BadInput("The last day is before the first.", field="to")
    if wanted.first > today:
        raise BadInput("The first day is in the future.", field="from")
    last = min(wanted.last, today)
    if last - wanted.first >= timedelta(days=MOST_DAYS):
        raise BadInput(f"Choose at most {MOST_DAYS} days.", field="from")
    days = report.days_between(wanted.first, last, zone)
    if len(days) >= _COUNTED_FROM:
        _refuse_too_many(Span(days[0].start, days[-1].end))
    return days


def _refuse_too_many(span: Span) -> None:
    count = cache.get(("arrived", span), _FINISHED_FOR, lambda: figures.how_many(span))
    if count > MOST_READ:
        raise BadInput(
            f"Choose a shorter span: {count:,} conversations arrived in it, and one report reads at most "
            f"{MOST_READ:,}.",
            field="from",
        )


def _read(
    days: Sequence[Span], threshold: int, zone: ZoneInfo
) -> tuple[dict[Cell, Figures], int]:
    """Add up the days until the time of this request is over; return how many of them are in the sum."""
    end = time.monotonic() + _BUDGET
    cells: dict[Cell, Figures] = {}
    for number, day in enumerate(days):
        if number and time.monotonic() > end:
            return cells, number
        cells.update(_of_day(day, threshold, zone))
    return cells, len(days)


def _of_day(day: Span, threshold: int, zone: ZoneInfo) -> dict[Cell, Figures]:
    is_current = day.end > clock.now()
    key = (configuration.firestore(), day, threshold, zone.key)
    return _days.get(
        key,
        _CURRENT_FOR if is_current else _FINISHED_FOR,
        lambda: figures.of_day(day, threshold, zone),
    )


def _shown(built: Report) -> dict[str, Any]:
    return {
        "by": built.by,
        "columns": [
            [column.name, column.title, column.kind] for column in report.COLUMNS
        ],
        "rows": [
            {"key": row.key, "label": row.label, **report.values(row.figures)}
            for row in built.rows
        ],
        "total": report.values(built.total),
        "csv": report.as_csv(built),
    }
