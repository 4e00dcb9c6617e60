"""The figures as JSON and in Prometheus' text form."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from functions.wallboard.figures import Now, PoolRow, Today, buckets
from functions.wallboard.refresh import Board
from functions.wallboard.statistics import EDGES, Workforce

_PREFIX = "inbound_conversations_"


def as_json(board: Board) -> dict[str, Any]:
    """Everything that the page shows; seconds are seconds, shares are from 0 to 1, null is "nothing to say yet"."""
    now, today = board.now(), board.today()
    return {
        "at": now.at.isoformat(),
        "now": _now(now),
        "today": _today(today),
        "queue": [
            {"conversation": one.sid, "pool": one.pool, "since": one.since.isoformat(), "why": one.why}
            for one in now.queue
        ],
        "stuck": [{"what": one.what, "why": one.why, "conversation": one.sid} for one in today.stuck],
        "firestore": {"reads": board.meter.reads, "reads_last_minute": board.meter.last_minute()},
    }


def as_text(board: Board) -> str:
    """https://prometheus.io/docs/instrumenting/exposition_formats/"""
    now, today = board.now(), board.today()
    return "\n".join([*_lines_of_now(now), *_lines_of_today(today), *_lines_of_cost(board)]) + "\n"


def _now(now: Now) -> dict[str, Any]:
    return {
        "waiting": now.waiting,
        "longest_wait_seconds": _age(now.at, now.since),
        "workers": _workers(now.workers),
        "pools": [
            {
                "pool": pool.id,
                "display_name": pool.name,
                "waiting": pool.waiting,
                "longest_wait_seconds": _age(now.at, pool.since),
                "workers": _workers(pool.workers),
            }
            for pool in now.pools
        ],
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
        "average_wait_seconds": today.average,
        "p95_wait_seconds": None if today.p95 == math.inf else today.p95,
        "waits": [
            {"up_to_seconds": edge, "count": count} for edge, count in zip(edges, buckets(waits), strict=True)
        ],
        "hours": [
            {"start": hour.start.isoformat(), "arrived": hour.arrived, "average_wait_seconds": hour.average}
            for hour in today.hours
        ],
    }


def _workers(force: Workforce) -> dict[str, int]:
    return {"available": force.available, "full": force.full, "unavailable": force.unavailable}


def _age(at: datetime, since: datetime | None) -> float:
    return round(max(0.0, (at - since).total_seconds()), 3) if since else 0.0


def _lines_of_now(now: Now) -> Iterator[str]:
    yield from _head("waiting", "gauge", "Conversations in the queue.")
    yield from (_line("waiting", pool.waiting, pool=pool.id) for pool in now.pools)
    yield from _head("longest_wait_seconds", "gauge", "Age of the one that has waited longest.")
    yield from (_line("longest_wait_seconds", _age(now.at, p.since), pool=p.id) for p in now.pools)
    yield from _head("pool_workers", "gauge", "Workers of a pool; one of several pools counts in each.")
    yield from (line for pool in now.pools for line in _pool_workers(pool))
    yield from _head("workers", "gauge", "Workers: available have a free slot.")
    yield from (_line("workers", count, status=name) for name, count in _workers(now.workers).items())


def _pool_workers(pool: PoolRow) -> Iterator[str]:
    for name, count in _workers(pool.workers).items():
        yield _line("pool_workers", count, pool=pool.id, status=name)


def _lines_of_today(today: Today) -> Iterator[str]:
    waits = today.waits
    counted = {
        "arrived": (waits.arrived, "Arrived since midnight at numbers that are routed."),
        "abandoned": (waits.abandoned, "Of these, closed before a worker was in."),
        "within_service_level": (waits.within, "Of these, assigned within the threshold."),
        "not_routed": (today.not_routed, "Arrived since midnight at numbers that are not routed."),
        "stuck": (len(today.stuck), "What needs a person's eye."),
    }
    for name, (value, text) in counted.items():
        yield from _head(name, "gauge", text)
        yield _line(name, value)
    yield from _head("wait_seconds", "histogram", "From arrival to the first worker, since midnight.")
    for edge, count in zip(EDGES, waits.at_most, strict=True):
        yield _line("wait_seconds_bucket", count, le=str(edge))
    yield _line("wait_seconds_bucket", waits.answered, le="+Inf")
    yield _line("wait_seconds_sum", waits.seconds)
    yield _line("wait_seconds_count", waits.answered)


def _lines_of_cost(board: Board) -> Iterator[str]:
    yield from _head(
        "wallboard_reads_total", "counter", "Firestore reads of this page since the process began."
    )
    yield _line("wallboard_reads_total", board.meter.reads)


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{name} {text}"
    yield f"# TYPE {_PREFIX}{name} {kind}"


def _line(name: str, value: float, **labels: str) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{_PREFIX}{name}{{{inside}}} {value}" if inside else f"{_PREFIX}{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
