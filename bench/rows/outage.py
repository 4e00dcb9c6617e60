"""How many sweeps it takes until all is well again: after a long outage, and in the evening."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import firestore

from bench.result import Row
from bench.world import Function, World
from proof import population

_NUMBER = "+15550008001"
_LASTS = timedelta(hours=3)
_BEGAN, _AT_MOST = 1500, 5
_OVERDUE, _EVENING_AT_MOST = 300, 2
_MOST_SWEEPS = 12
_numbers = itertools.count(1)


def outage(world: World) -> list[Row]:
    """Webhooks and the sweep are down for three hours; then sweeps, until all wait in the order in which they began."""
    number = 60 if world.quick else _BEGAN
    db, sweep = _begin(world)
    sweep.run()
    world.twilio.call("set_autocreate", address=_NUMBER)
    world.twilio.call("advance", seconds=-_LASTS.total_seconds())
    sids = []
    for _ in range(number):
        world.twilio.call("advance", seconds=_LASTS.total_seconds() / (number + 60))
        made = world.twilio.call("inbound", from_=_customer(), to=_NUMBER, body="Hello")
        sids.append(str(made["conversation_sid"]))
    db.document("service/sweep").update(
        {"listed_since": datetime.now(UTC) - _LASTS - timedelta(minutes=1)}
    )
    runs = sweep.until(lambda: len(_waiting(db)) == number)
    in_order = _waiting(db) == sids
    world.end_functions()
    return [
        Row(
            name=f"outage: {number:,} began in 3 hours without webhooks and sweeps",
            measured="sweeps until all are queued in order",
            floor="-",
            product_value=f"{runs} sweeps{'' if in_order else ', not in order'}",
            floor_value="-",
            wanted=f"at most {_AT_MOST}, all in order, at most 8 calls to Twilio at a time",
            is_reached=runs <= _AT_MOST and in_order and sweep.most_calls <= 8,
            details={"seconds": sweep.seconds, "most_calls_at_once": sweep.most_calls},
        )
    ]


def evening(world: World) -> list[Row]:
    """The shift has gone home: every customer of one pool, or of five, is overdue at once."""
    return [_evening(world, pools) for pools in (1, 5)]


def _evening(world: World, pools: int) -> Row:
    number = 40 if world.quick else _OVERDUE
    db, sweep = _begin(world)
    sweep.run()
    sids = [
        _overdue(world, db, f"p{n % pools}", f"w{n % 30}@example.com")
        for n in range(number)
    ]
    for n in range(pools):
        db.document(f"pools/p{n}").set({"answer_within": 60})
    for n in range(30):
        held = sum(one % 30 == n for one in range(number))
        fields = population.worker(
            "Unavailable", *(f"p{p}" for p in range(pools)), active=held
        )
        population.write(db, [(f"workers/w{n}@example.com", fields)])
    runs = sweep.until(lambda: set(sids) <= set(_waiting(db)))
    left = sum(
        one["participants"][-1]["identity"] is not None for one in _states(world, sids)
    )
    world.end_functions()
    return Row(
        name=f"evening: {number} overdue at once in {pools} pool{'s' if pools > 1 else ''}",
        measured="sweeps until all are back in the queue and their workers are out",
        floor="-",
        product_value=f"{runs} sweeps{f', {left} workers still in' if left else ''}",
        floor_value="-",
        wanted=f"at most {_EVENING_AT_MOST}, at most 8 calls to Twilio at a time",
        is_reached=runs <= _EVENING_AT_MOST and not left and sweep.most_calls <= 8,
        details={"seconds": sweep.seconds, "most_calls_at_once": sweep.most_calls},
    )


class _Sweep:
    """The sweep in a process of its own. `seconds` of each run, `most_calls` to Twilio at one moment."""

    def __init__(self, world: World, function: Function) -> None:
        self._world, self._function = world, function
        self.seconds: list[float] = []
        self.most_calls = 0

    def run(self) -> None:
        began = time.monotonic()
        self._world.twilio.call("forget_traffic")
        self._function.call()
        self.seconds.append(round(time.monotonic() - began, 1))
        self.most_calls = max(
            self.most_calls, int(self._world.twilio.call("most_calls_at_once"))
        )

    def until(self, is_done: Callable[[], bool]) -> int:
        """How many runs it takes."""
        self.seconds.clear()
        for number in range(1, _MOST_SWEEPS + 1):
            self.run()
            if is_done():
                return number
        return _MOST_SWEEPS + 1


def _begin(world: World) -> tuple[firestore.Client, _Sweep]:
    db = world.project()
    population.write(
        db, [("settings/routing", {"mode": "pool"}), ("pools/default", {})]
    )
    return db, _Sweep(world, world.serve("sweep", db.project))


def _overdue(world: World, db: firestore.Client, pool: str, worker: str) -> str:
    """A conversation with its customer and its worker at Twilio, and a record that says they wait since an hour ago."""
    address, then = _customer(), datetime.now(UTC) - timedelta(hours=1)
    made = world.twilio.call(
        "inbound", from_=address, to=_with_autocreate(world), body="Hello"
    )
    sid = str(made["conversation_sid"])
    there = world.twilio.call("worker_join", conversation_sid=sid, identity=worker)
    _, fields = population.conversation(
        0, "assigned", pool, service_sid=world.service_sid
    )
    fields |= {
        "worker": worker,
        "address": address,
        "participant_sid": there["sid"],
        "mode": "pool",
    }
    fields |= {
        "created_at": then,
        "queued_at": then,
        "assigned_at": then,
        "awaiting_since": then,
    }
    population.write(db, [(f"conversations/{sid}", fields)])
    return sid


def _with_autocreate(world: World) -> str:
    world.twilio.call("set_autocreate", address=_NUMBER)
    return _NUMBER


def _states(world: World, sids: list[str]) -> list[dict[str, Any]]:
    found = {one["sid"]: one for one in world.twilio.call("state")["conversations"]}
    return [found[sid] for sid in sids]


def _customer() -> str:
    return f"+1557{next(_numbers):07}"


def _waiting(db: firestore.Client) -> list[str]:
    """The queue, the oldest first."""
    return [
        one.id
        for one in db.collection("pending_conversations").order_by("queued_at").stream()
    ]
