"""The figures as JSON and in Prometheus' text form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from domain.figures import EDGES, buckets
from functions.wallboard.figures import Now, PoolRow, Today
from functions.wallboard.refresh import Board

_PREFIX = "inbound_conversations_"


def as_json(board: Board) -> dict[str, Any]:
    """Return all figures of the page. Times are in seconds, shares from 0 to 1; null means that there is no figure."""
    now, today = board.now(), board.today()
    return {
        "at": now.at.isoformat(),
        "now": _now(now),
        "today": _today(today),
        "queue": [
            {
                "conversation": one.sid,
                "pool": one.pool,
                "since": one.since.isoformat() if one.since else None,
                "why": one.why,
            }
            for one in now.queue
        ],
        "stuck": [
            {"what": one.what, "why": one.why, "conversation": one.sid}
            for one in board.stuck()
        ],
        "firestore": {
            "reads": board.meter.reads,
            "reads_last_minute": board.meter.last_minute(),
        },
    }


def as_text(board: Board) -> str:
    """Return the figures in Prometheus' text format."""
    return generate_latest(_Exposition(board)).decode()


def _now(now: Now) -> dict[str, Any]:
    pools = [
        {"pool": pool.id, "display_name": pool.name, **_state(now.at, pool)}
        for pool in now.pools
    ]
    return {**_state(now.at, now), "pools": pools}


def _state(at: datetime, one: Now | PoolRow) -> dict[str, Any]:
    """Return the current figures of a pool, or of all of them."""
    workers = asdict(one.workers)
    return {
        "waiting": one.waiting,
        "longest_wait_seconds": _age(at, one.since),
        "workers": workers,
    }


def _today(today: Today) -> dict[str, Any]:
    waits = today.waits
    edges: list[int | None] = [*EDGES, None]
    return {
        "time_zone": today.zone,
        "service_level_seconds": today.threshold,
        "arrived": waits.arrived,
        "assigned": waits.answered,
        "waiting": waits.waiting,
        "abandoned": waits.abandoned,
        "not_routed": today.not_routed,
        "within_service_level": waits.within,
        "service_level": today.service_level,
        "outside_hours": {
            "arrived": waits.outside.arrived,
            "abandoned": waits.outside.abandoned,
            "within_service_level": waits.outside.within,
            "service_level": today.service_level_outside,
        },
        "answered": today.answers.answered,
        "answered_within": today.answered_within,
        "average_first_answer_seconds": today.first_answer,
        "went_back": today.answers.went_back,
        "average_wait_seconds": today.average,
        "p95_wait_seconds": None if today.p95 == math.inf else today.p95,
        "waits": [
            {"up_to_seconds": edge, "count": count}
            for edge, count in zip(edges, buckets(waits), strict=True)
        ],
        "hours": [
            {
                "start": hour.start.isoformat(),
                "arrived": hour.arrived,
                "average_wait_seconds": hour.average,
            }
            for hour in today.hours
        ],
    }


def _age(at: datetime, since: datetime | None) -> float:
    return round(max(0.0, (at - since).total_seconds()), 3) if since else 0.0


@dataclass(frozen=True)
class _Exposition(Collector):
    """https://prometheus.io/docs/instrumenting/exposition_formats/"""

    board: Board

    def collect(self) -> Iterator[Metric]:
        yield from _of_now(self.board.now())
        yield from _of_today(self.board.today())
        yield _gauge(
            "stuck", "What needs a person's attention.", [(len(self.board.stuck()),)]
        )
        text = "Firestore reads of this page since the process began."
        yield CounterMetricFamily(
            f"{_PREFIX}wallboard_reads", text, self.board.meter.reads
        )


def _of_now(now: Now) -> Iterator[Metric]:
    waiting = [(pool.id, pool.waiting) for pool in now.pools]
    yield _gauge("waiting", "Conversations in the queue.", waiting, "pool")
    ages = [(pool.id, _age(now.at, pool.since)) for pool in now.pools]
    yield _gauge(
        "longest_wait_seconds", "Age of the longest-waiting conversation.", ages, "pool"
    )
    members = [
        (pool.id, *pair) for pool in now.pools for pair in asdict(pool.workers).items()
    ]
    text = "Workers of a pool; one of several pools counts in each."
    yield _gauge("pool_workers", text, members, "pool", "status")
    text = "Workers: available have a free slot."
    yield _gauge("workers", text, asdict(now.workers).items(), "status")


def _of_today(today: Today) -> Iterator[Metric]:
    waits = today.waits
    yield _gauge(
        "arrived",
        "Arrived since midnight at numbers that are routed.",
        [(waits.arrived,)],
    )
    yield _gauge(
        "abandoned", "Of these, closed before a worker was in.", [(waits.abandoned,)]
    )
    yield _gauge(
        "within_service_level",
        "Of these, assigned within the threshold.",
        [(waits.within,)],
    )
    outside = waits.outside
    text = "Of those that arrived, while their pool was closed."
    yield _gauge("arrived_outside_hours", text, [(outside.arrived,)])
    text = "Of these, closed before a worker was in."
    yield _gauge("abandoned_outside_hours", text, [(outside.abandoned,)])
    text = "Of these, assigned within the threshold."
    yield _gauge("within_service_level_outside_hours", text, [(outside.within,)])
    answers = today.answers
    yield _gauge(
        "answered",
        "Of those that arrived, answered by a worker's message.",
        [(answers.answered,)],
    )
    yield _gauge(
        "answered_within",
        "Of these, answered within the threshold.",
        [(answers.within,)],
    )
    text = (
        "Seconds from arrival to a worker's first message, of all that were answered."
    )
    yield _gauge("first_answer_seconds", text, [(answers.seconds,)])
    text = "Of those that arrived, back in the queue for want of an answer."
    yield _gauge("went_back", text, [(answers.went_back,)])
    text = "Arrived since midnight at numbers that are not routed."
    yield _gauge("not_routed", text, [(today.not_routed,)])
    counts = zip(
        [*map(str, EDGES), "+Inf"], [*waits.at_most, waits.answered], strict=True
    )
    text = "From arrival to the first worker, since midnight."
    yield HistogramMetricFamily(
        f"{_PREFIX}wait_seconds", text, list(counts), waits.seconds
    )


def _gauge(
    name: str, text: str, rows: Iterable[tuple[Any, ...]], *labels: str
) -> Metric:
    """Return a gauge. Each row: the values of its labels, then its own."""
    family = GaugeMetricFamily(_PREFIX + name, text, labels=labels)
    for *values, value in rows:
        family.add_metric(values, value)
    return family
