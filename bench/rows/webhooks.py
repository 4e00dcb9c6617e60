"""One webhook after another over one connection: pre_event, routing, queueing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

from bench.result import Measure, Row, compared, in_turns, median, ms
from bench.world import FLOORS, Function, World
from local.functions import MAIN
from proof import population, webhooks
from proof.meter import Meter
from proof.population import ADA, SALES

_WORKERS = 50
_ROUND_TRIP = (
    0.01  # seconds; from a function to Firestore in its region and back, roughly
)


def pre_event(world: World) -> list[Row]:
    project = _prepared(world, "Available")
    ours = world.serve("pre_event", project)
    floor = world.serve("pre_event", project, FLOORS)
    form = webhooks.conversation_add(ADA, SALES)
    each = 15 if world.quick else 100
    pairs = in_turns(lambda: ours.timed(form), lambda: floor.timed(form), 5, each)
    world.end_functions()
    what = "pre_event, p50, one connection"
    return [
        compared(what, "until the answer", "signature + one bare query", pairs, 1.3)
    ]


def routing(world: World) -> list[Row]:
    return _near_and_far(world, _routing)


def queueing(world: World) -> list[Row]:
    return _near_and_far(world, _queueing)


def _near_and_far(
    world: World, measure: Callable[[World, int, dict[str, str]], Row]
) -> list[Row]:
    """With the emulator on this machine, where only computing counts, and with a round trip in between."""
    near = measure(world, 4 if world.quick else 30, {})
    with Meter(world.emulator.host, delay=_ROUND_TRIP) as meter:
        far = measure(
            world, 4 if world.quick else 15, {"FIRESTORE_EMULATOR_HOST": meter.host}
        )
    return [
        near,
        replace(far, name=f"{far.name}, Firestore {_ROUND_TRIP * 1000:g} ms away"),
    ]


def _routing(world: World, each: int, more: dict[str, str]) -> Row:
    project = _prepared(world, "Available")
    ours = world.serve("routing", project, MAIN, **more)
    floor = world.serve("routing", project, FLOORS, **more)
    samples = _Samples(world)
    pairs = in_turns(samples.routed(ours), samples.bare(floor), 5, each)
    world.end_functions()
    served = median(samples.served)
    row = compared(
        "routing, p50, a worker is free",
        "from the webhook until the participant exists",
        "one batched read, one query, one commit, one call to Twilio",
        pairs,
        1.3,
        until_answered_ms={
            name: median(values) * 1000 for name, values in samples.answered.items()
        },
        floor_served_ms=served * 1000,
    )
    return replace(row, note=_note(served))


def _queueing(world: World, each: int, more: dict[str, str]) -> Row:
    project = _prepared(world, "Unavailable")
    ours = world.serve("routing", project, MAIN, **more)
    floor = world.serve("queueing", project, FLOORS, **more)
    served: list[float] = []

    def product() -> float:
        return ours.timed(_form(world, next(_numbers)))

    def bare() -> float:
        form = _form(world, next(_numbers))
        began = time.time()
        inside = floor.post(form).json()
        served.append(time.time() - began)
        return float(inside["ended"] - inside["began"])

    pairs = in_turns(product, bare, 5, each)
    world.end_functions()
    row = compared(
        "queueing, p50",
        "from the webhook until the entry exists and nobody was found free",
        "one batched read, one query, one commit, one query",
        pairs,
        1.3,
        floor_served_ms=median(served) * 1000,
    )
    return replace(row, note=_note(median(served)))


def _note(served: float) -> str:
    return f"behind the same framework and signature the floor is {ms(served)}"


class _Samples:
    """Times until the participant exists, by the stand-in's clock, which is this machine's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answered: dict[str, list[float]] = {"product": [], "floor": []}
        self.served: list[float] = []

    def routed(self, function: Function) -> Measure:
        def sample() -> float:
            form = _form(self._world, next(_numbers))
            began = time.time()
            function.post(form)
            self.answered["product"].append(time.time() - began)
            return self._added(form) - began

        return sample

    def bare(self, function: Function) -> Measure:
        def sample() -> float:
            form = _form(self._world, next(_numbers))
            sent = time.time()
            inside = function.post(form).json()
            self.answered["floor"].append(time.time() - sent)
            added = self._added(form)
            self.served.append(added - sent)
            return added - float(inside["began"])

        return sample

    def _added(self, form: dict[str, str]) -> float:
        return self._world.added_at()[form["ConversationSid"]]


_numbers = itertools.count(1)


def _form(world: World, number: int) -> dict[str, str]:
    address = f"+1555{number:07}"
    return webhooks.conversation_route(
        world.conversation(), world.service_sid, address, SALES
    )


def _prepared(world: World, status: str) -> str:
    """A project whose pool sales has so many workers of this status."""
    db = world.project()
    population.fill(db, population.Size(workers=0))
    records = [
        (f"workers/w{n:03}@example.com", population.worker(status, "sales"))
        for n in range(_WORKERS)
    ]
    population.write(db, records)
    return str(db.project)
