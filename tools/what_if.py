"""`python -m tools.what_if --days 7 --pool sales --set capacity=3 --set strategy=least_busy`: what would have been?

Replays the log of conversations (the time of each message, how long each one took a worker's slot) through
the product's own rules, as the pool is and as you would set it, and prints both beside what really happened. It only
reads: one document for each conversation of those days. Times of day are those of settings/routing.time_zone.

When each worker was Available is read from the stored changes of status, and estimated for the time before the oldest
of them (docs/what-if.md). How close the replay comes is printed first: with nothing changed, against what really was.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.firestore import Client, FieldFilter
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from domain import conversation, pool, settings, status_change, worker
from domain.fields import Fields
from domain.pool import Pool
from domain.rules import in_words
from domain.worker import Worker
from tools import what_if_replay as replay
from tools.what_if_log import NO_STATUSES, History, Statuses, history
from tools.what_if_replay import Outcome, Visit

_PAGE = 500
_PATIENCE = 30.0  # seconds for one call
_MOST_DAYS = 365
_CHANGEABLE = ("capacity", "strategy", "priority", "overflow", "overflow_after")
_READ = (
    "state",
    "mode",
    "pool",
    "worker",
    "priority",
    "created_at",
    "closed_at",
    "waited",
    "log",
)
_BAR = 28  # characters of the longest bar
_MOST_SHOWN = 20  # workers


@dataclass(frozen=True)
class Stored:
    """What the database holds: the pools and workers as they are now, and the days' conversations."""

    zone: ZoneInfo
    threshold: int
    pools: Mapping[str, Pool]
    workers: tuple[Worker, ...]
    conversations: tuple[conversation.Conversation, ...]
    statuses: Statuses = NO_STATUSES


def read(db: Client, since: datetime, progress: Progress) -> Stored:
    general = settings.parse(
        "routing", db.document("settings/routing").get(timeout=_PATIENCE).to_dict()
    )
    pools = {
        one.id: pool.parse(one.id, one.to_dict())
        for one in _all(db.collection("pools"))
    }
    workers = tuple(
        worker.parse(one.id, one.to_dict()) for one in _all(db.collection("workers"))
    )
    newer: Any = db.collection("conversations").where(
        filter=FieldFilter("created_at", ">=", since)
    )
    number = int(newer.count().get(retry=_retry(), timeout=_PATIENCE)[0][0].value)
    found = progress.track(
        _all(newer.select(_READ), "created_at"),
        total=number,
        description="reading the log",
    )
    listed = tuple(conversation.parse(one.id, one.to_dict()) for one in found)
    named = {p for one in listed if (p := one.pool)} | {
        p for one in workers for p in one.pools or ()
    }
    pools |= {name: pool.parse(name, None) for name in named - pools.keys()}
    return Stored(
        ZoneInfo(general.time_zone),
        general.service_level_seconds,
        pools,
        workers,
        listed,
        _statuses(db, since),
    )


def _statuses(db: Client, since: datetime) -> Statuses:
    """Read the changes of status of these days, and the time of the oldest one."""
    stored: Any = db.collection("status_changes")
    any_time = FieldFilter("at", ">", datetime(2000, 1, 1, tzinfo=UTC))
    oldest = stored.where(filter=any_time).order_by("at").limit(1)
    first = [*oldest.stream(retry=_retry(), timeout=_PATIENCE)]
    if not first:
        return NO_STATUSES
    newer = stored.where(filter=FieldFilter("at", ">=", since))
    changes = [status_change.parse(one.id, one.to_dict()) for one in _all(newer, "at")]
    known = tuple(change for change in changes if change is not None)
    return Statuses(known, max(since, Fields(first[0].to_dict()).time("at") or since))


def _all(query: Any, order: str = "__name__") -> Iterator[Any]:
    """Every document, page by page: one query may not take longer than a minute."""
    query, page = query.order_by(order).limit(_PAGE), None
    while page is None or len(page) == _PAGE:
        page = list(
            (query.start_after(page[-1]) if page else query).stream(
                retry=_retry(), timeout=_PATIENCE
            )
        )
        yield from page


def _retry() -> Retry:
    """One of our own: google-cloud-firestore 2.34 fails with AttributeError where it looks for its default."""
    return Retry(timeout=_PATIENCE)


def changed(
    pools: Mapping[str, Pool], pool_id: str, changes: Mapping[str, Any]
) -> dict[str, Pool]:
    """The pools with these fields of one of them changed, read as Firestore's record would be.

    Raises ValueError with one sentence where the pool is not there or a value makes no sense.
    """
    if pool_id not in pools:
        raise ValueError(
            f"--pool {pool_id}: there is no such pool; there are: {', '.join(sorted(pools))}."
        )
    before = pools[pool_id]
    as_typed = {
        name: getattr(before, name) for name in ("display_name", *_CHANGEABLE)
    } | dict(changes)
    if as_typed["capacity"] == float("inf"):
        as_typed["capacity"] = None
    after = pool.parse(
        pool_id, as_typed | {"addresses": list(before.addresses), "mode": before.mode}
    )
    complaint = (
        after.problem
        if after.problem and any(name in after.problem for name in changes)
        else None
    )
    if complaint:
        raise ValueError(f"--set: {complaint}")
    if after.overflow and after.overflow not in pools:
        raise ValueError(f"--set overflow={after.overflow}: there is no such pool.")
    return {**pools, pool_id: after}


def parse_change(text: str) -> tuple[str, Any]:
    """`capacity=3` as (name, value); numbers are numbers, null is no limit."""
    name, equals, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or name not in _CHANGEABLE:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be NAME=VALUE with one of {', '.join(_CHANGEABLE)}"
        )
    if value.lower() in ("null", "none", ""):
        return name, None
    return name, int(value) if value.lstrip("-").isdigit() else value


def report(
    stored: Stored,
    known: History,
    pool_id: str | None,
    changes: Mapping[str, Any],
    more: int,
    out: Console,
) -> None:
    """Prints the agreement, the figures side by side, the conversations of each worker, and the waits by hour."""
    names = {one.identity: one.name for one in known.workers}
    mine = [visit for visit in known.visits if pool_id is None or visit.pool == pool_id]
    was = {visit.key: replay.as_it_was(visit) for visit in mine}
    same = _of(
        mine, replay.run(known.visits, known.shifts, known.workers, stored.pools)
    )
    columns = {"as it was": was, "replayed unchanged": same}
    if changes or more:
        pools = changed(stored.pools, pool_id or "", changes)
        shifts, workers = replay.with_more(
            known.shifts, known.workers, pool_id or "", more
        )
        names |= {one.identity: one.name for one in workers}
        columns["with the change"] = _of(
            mine, replay.run(known.visits, shifts, workers, pools)
        )
    out.print(
        f"{len(mine)} waits of {len({visit.sid for visit in mine})} conversations"
    )
    out.print(_known(stored.statuses, stored.zone))
    out.print(_agreement(was, same))
    out.print(_figures(columns, stored.threshold))
    out.print(_shares(columns, names))
    out.print(_by_hour(mine, columns, stored.zone))


def _of(visits: Iterable[Visit], outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    return {visit.key: outcomes[visit.key] for visit in visits}


def _known(statuses: Statuses, zone: ZoneInfo) -> str:
    """Return the sentence about where the workers' times come from."""
    if statuses.since is None:
        return "No change of a status is stored: when workers were Available is estimated from the log."
    since = statuses.since.astimezone(zone)
    return (
        f"When workers were Available is known since {since:%Y-%m-%d %H:%M}; "
        "for the time before it is estimated from the log."
    )


def _agreement(was: Mapping[str, Outcome], same: Mapping[str, Outcome]) -> str:
    """How far the replay can be trusted."""
    both = [
        (one, same[key])
        for key, one in was.items()
        if one.waited is not None and same[key].waited is not None
    ]
    if not both:
        return "Nothing to compare: no conversation was assigned in these days."
    apart = sum(abs((a.waited or 0.0) - (b.waited or 0.0)) for a, b in both) / len(both)
    alike = sum(a.worker == b.worker for a, b in both) / len(both)
    return (
        f"With nothing changed the replay's waits are {in_words(apart)} from the real ones on average, "
        f"and {alike:.0%} go to the same worker."
    )


def _figures(columns: Mapping[str, Mapping[str, Outcome]], threshold: int) -> Table:
    table = Table("", *columns, title="Waits")
    told = [
        replay.figures(outcomes.values(), threshold) for outcomes in columns.values()
    ]
    for title, cells in (
        ("given to a worker", [str(one.answered) for one in told]),
        ("not by the end", [str(one.unanswered) for one in told]),
        ("average wait", [_seconds(one.average) for one in told]),
        ("95th percentile", [_seconds(one.p95) for one in told]),
        ("longest", [_seconds(one.longest) for one in told]),
        (
            f"within {threshold} s",
            ["-" if one.level is None else f"{one.level:.0%}" for one in told],
        ),
        (
            "fairness (1: all alike)",
            ["-" if one.fairness is None else f"{one.fairness:.2f}" for one in told],
        ),
    ):
        table.add_row(title, *cells)
    return table


def _shares(
    columns: Mapping[str, Mapping[str, Outcome]], names: Mapping[str, str]
) -> Table:
    counts = [replay.shares(outcomes.values()) for outcomes in columns.values()]
    table = Table("", *columns, title="Conversations of each worker")
    everybody = sorted(
        {one for count in counts for one in count},
        key=lambda one: (-counts[0][one], one),
    )
    for identity in everybody[:_MOST_SHOWN]:
        table.add_row(
            names.get(identity, identity), *(str(count[identity]) for count in counts)
        )
    if left := len(everybody) - _MOST_SHOWN:
        table.add_row(f"and {left} more" if left > 0 else "", *("" for _ in columns))
    return table


def _by_hour(
    visits: Sequence[Visit],
    columns: Mapping[str, Mapping[str, Outcome]],
    zone: ZoneInfo,
) -> Table:
    """The average wait by the hour of the day, as bars."""
    table = Table("", *columns, title="Average wait by hour")
    hours: dict[int, list[Visit]] = {}
    for visit in visits:
        hours.setdefault(datetime.fromtimestamp(visit.arrived, zone).hour, []).append(
            visit
        )
    rows = {
        hour: [
            _average(outcomes[one.key] for one in ones) for outcomes in columns.values()
        ]
        for hour, ones in sorted(hours.items())
    }
    longest = (
        max((cell or 0.0 for row in rows.values() for cell in row), default=0.0) or 1.0
    )
    for hour, row in rows.items():
        cells = (
            ""
            if c is None
            else f"{'█' * round(c / longest * _BAR)} {in_words(c)}".strip()
            for c in row
        )
        table.add_row(f"{hour:02}:00", *cells)
    return table


def _average(outcomes: Iterable[Outcome]) -> float | None:
    waits = [one.waited for one in outcomes if one.waited is not None]
    return sum(waits) / len(waits) if waits else None


def _seconds(value: float | None) -> str:
    return "-" if value is None else in_words(value)


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(
            f"must be more than 0 and at most {_MOST_DAYS}"
        )
    return days


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.what_if",
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
        "--days", type=_days, default=7.0, help="how far back to look (default: 7)"
    )
    parser.add_argument(
        "--pool", help="the pool to look at, and to change; all pools if left out"
    )
    parser.add_argument(
        "--set",
        dest="changes",
        metavar="NAME=VALUE",
        type=parse_change,
        action="append",
        default=[],
        help=f"what to change in that pool; may be repeated: {', '.join(_CHANGEABLE)}",
    )
    parser.add_argument(
        "--more-workers",
        type=int,
        default=0,
        metavar="N",
        help="so many more people in that pool, Available whenever a member of it was",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """0: printed; 1: Firestore could not be read, or there is nothing to replay; 2: asked for what makes no sense."""
    parser = _parser()
    given = parser.parse_args(arguments)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if not given.project:
        parser.error(
            "say which project: --project ID, or GOOGLE_CLOUD_PROJECT in the environment"
        )
    if (given.changes or given.more_workers) and not given.pool:
        parser.error(
            "--set and --more-workers need --pool: which pool is to be changed?"
        )
    now = datetime.now(UTC)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    from tools.seed import connect

    try:
        with Progress(*columns, console=errors, transient=True) as progress:
            stored = read(
                connect(given.project, given.database),
                now - timedelta(days=given.days),
                progress,
            )
        known = history(
            stored.conversations, stored.workers, stored.pools, now, stored.statuses
        )
        if not known.visits:
            errors.print(
                "No conversation of these days was looked for a worker by pool: there is nothing to replay."
            )
            return 1
        report(
            stored,
            known,
            given.pool,
            dict(given.changes),
            given.more_workers,
            Console(highlight=False),
        )
    except ValueError as error:
        errors.print(str(error), markup=False)
        return 2
    except (GoogleAPICallError, RetryError, DefaultCredentialsError) as error:
        errors.print(f"Firestore could not be read: {error}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
