"""`python -m tools.report --project PROJECT --from 2026-05-01 --to 2026-05-31 --by pool`: the figures of any span.

Prints the same figures as the desk's page Reports and the wallboard: what arrived, how long customers waited, what was
answered, and how long workers were Available. It only reads: one document for each conversation of the span, one for
each change of a worker's status, one for each worker. Days are those of settings/routing.time_zone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import DefaultCredentialsError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from domain import report
from domain.figures import Figures, Span
from domain.report import BY, COLUMNS, Cell, Report
from domain.rules import in_words
from providers import clock, figures, settings
from tools.terminal import plain

_MOST_DAYS = 400


def read(first: date, last: date | None, by: str, progress: Progress) -> Report:
    """Read the report from the database that the environment names. Raise ValueError for an invalid span."""
    general = settings.load()
    zone = ZoneInfo(general.time_zone)
    days = _days_of(first, last, zone)
    cells: dict[Cell, Figures] = {}
    for day in progress.track(days, description="reading days"):
        cells.update(figures.of_day(day, general.service_level_seconds, zone))
    available = figures.available(Span(days[0].start, days[-1].end), zone)
    return report.build(by, days, zone, cells, available, figures.names(by))


def _days_of(first: date, last: date | None, zone: ZoneInfo) -> list[Span]:
    today = clock.now().astimezone(zone).date()
    if first > today:
        raise ValueError(f"--from {first} is in the future: today is {today}.")
    if last is not None and last < first:
        raise ValueError(f"--to {last} is before --from {first}: exchange the two.")
    end = min(last or today, today)
    if end - first >= timedelta(days=_MOST_DAYS):
        raise ValueError(
            f"--from {first} is too far from --to {end}: choose at most {_MOST_DAYS} days."
        )
    return report.days_between(first, end, zone)


def table_of(built: Report) -> Table:
    """Return the report as a table for a terminal."""
    table = Table(built.by.capitalize())
    for column in COLUMNS:
        table.add_column(column.title, justify="right")
    for row in built.rows:
        table.add_row(plain(row.label), *_cells(row.figures))
    table.add_section()
    table.add_row("all", *_cells(built.total))
    return table


def _cells(row: Figures) -> list[str]:
    return [_in_words(column.kind, column.value(row)) for column in COLUMNS]


def _in_words(kind: str, value: float | None) -> str:
    if value is None:
        return "-"
    if kind == "share":
        return f"{value:.0%}"
    if kind == "hours":
        return f"{value:.1f}"
    if kind == "count":
        return str(int(value))
    return "over 1 h" if value == float("inf") else in_words(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--project",
        default=os.environ.get("GOOGLE_CLOUD_PROJECT"),
        help="Google Cloud project",
    )
    parser.add_argument(
        "--database", default=os.environ.get("FIRESTORE_DATABASE", "(default)")
    )
    parser.add_argument(
        "--from",
        dest="first",
        type=_day,
        required=True,
        metavar="DAY",
        help="the first day, such as 2026-05-01",
    )
    parser.add_argument(
        "--to",
        dest="last",
        type=_day,
        metavar="DAY",
        help="the last day (default: today)",
    )
    parser.add_argument("--by", choices=BY, default="day", help="the rows of the table")
    parser.add_argument(
        "--csv", action="store_true", help="print CSV: shares from 0 to 1, seconds"
    )
    return parser


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a day such as 2026-05-01"
        ) from None
    if not 2000 <= day.year <= 2900:
        raise argparse.ArgumentTypeError(f"{text!r} must be a year from 2000 to 2900")
    return day


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0: printed; 1: Firestore could not be read; 2: an invalid option."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.project:
        parser.error(
            "name the project: --project ID, or GOOGLE_CLOUD_PROJECT in the environment"
        )
    os.environ["GOOGLE_CLOUD_PROJECT"] = given.project
    os.environ["FIRESTORE_DATABASE"] = given.database
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=errors, transient=True) as progress:
            built = read(given.first, given.last, given.by, progress)
    except ValueError as error:
        errors.print(str(error), markup=False)
        return 2
    except (GoogleAPIError, DefaultCredentialsError) as error:
        errors.print(f"Firestore could not be read: {error}", markup=False)
        return 1
    if given.csv:
        sys.stdout.write(report.as_csv(built))
    else:
        Console(highlight=False).print(table_of(built))
    return 0


if __name__ == "__main__":
    sys.exit(main())
