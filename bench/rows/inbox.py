"""A worker's open page: one look at what is theirs, over one connection."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from bench.result import Measure, Row, compared, in_turns
from bench.world import FLOORS, SECRET, Function, World
from functions.http import session
from functions.inbox.page import PAGE
from proof import population

WORKER = "ann@example.com"
_HELD = 3
_TEXT = "A message of ordinary length, as somebody writes who has a question about an order."


def cookie(worker: str) -> str:
    """What a browser sends once this worker has signed in."""
    return f"inbox={session.sealed(PAGE, SECRET, worker, worker)}"


def records() -> list[tuple[str, dict[str, object]]]:
    """A worker with three conversations that are on."""
    now = datetime.now(UTC)
    line = {
        "at": now,
        "what": "assigning",
        "why": "to Ann: idle for the longest of those Available in Sales",
    }
    one = {
        "worker": WORKER,
        "state": "assigned",
        "display_name": "Ada Byron",
        "address": "+15550000001",
        "assigned_at": now,
        "awaiting_since": now,
        "last_message": {"at": now, "from": "customer", "text": _TEXT, "index": 7},
        "unread": 2,
        "log": [line] * 6,
    }
    found = [(f"conversations/CH{number:032}", one) for number in range(_HELD)]
    return [(f"workers/{WORKER}", population.worker("Available", "sales")), *found]


def state(world: World) -> list[Row]:
    db = world.project()
    population.write(db, records())
    ours = world.serve("inbox", str(db.project))
    floor = world.serve("state", str(db.project), FLOORS, FLOOR_WORKER=WORKER)
    each = 15 if world.quick else 60
    pairs = in_turns(_look(ours, cookie(WORKER)), _look(floor, ""), 5, each)
    world.end_functions()
    what = "inbox, one look (state) with 3 conversations, p50, one connection"
    return [
        compared(what, "until the answer", "one bare query, one bare get", pairs, 1.3)
    ]


def _look(function: Function, sent: str) -> Measure:
    def look() -> float:
        began = time.perf_counter()
        answer = function.get("state", {"Cookie": sent})
        seconds = time.perf_counter() - began
        if answer.status != 200 or answer.data.count(b"CH0") != _HELD:
            raise RuntimeError(
                f"{function.child.name} answered {answer.status}: {answer.data[:300]!r}"
            )
        return seconds

    return look
