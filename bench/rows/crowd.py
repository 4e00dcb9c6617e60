"""Many at once: 32 conversations on 32 free workers, and 16 at a time for a while."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from google.cloud import firestore

from bench.result import Pairs, Row, compared, in_turns
from bench.world import FLOORS, Function, World
from proof import population, webhooks
from proof.population import SALES

_BURST = 32
_AT_ONCE = 16
_numbers = itertools.count(1)


def burst(world: World) -> list[Row]:
    ours, floor = world.project(), world.project()
    threads = str(_BURST)
    served = world.serve("routing", ours.project, THREADS=threads)
    claims = world.serve(
        "burst", floor.project, FLOORS, FLOOR_CAPACITY="1", THREADS=threads
    )
    product, bare = _Burst(world, ours, served), _Burst(world, floor, claims)
    for side, function in ((ours, served), (floor, claims)):
        _warm_up(world, side, function)
    rounds = 2 if world.quick else 9
    pairs = in_turns(product.once, bare.once, rounds, 1, warm_up=1)
    world.end_functions()
    what = f"burst: {_BURST} conversations at once on {_BURST} free workers"
    floor_is = "bare claims (query outside, compare-and-set, random of 8) and the calls to Twilio"
    return [compared(what, "until all participants exist", floor_is, pairs, 2.0)]


def sustained(world: World) -> list[Row]:
    ours, floor = world.project(), world.project()
    product = world.serve("routing", ours.project, THREADS=str(_AT_ONCE))
    bare = world.serve("same_calls", floor.project, FLOORS, THREADS=str(_AT_ONCE))
    for db, function in ((ours, product), (floor, bare)):
        _warm_up(world, db, function)
    number = 32 if world.quick else 160
    pairs = in_turns(
        lambda: _seconds_each(world, product, number),
        lambda: _seconds_each(world, bare, number),
        rounds=1 if world.quick else 5,
        each=1,
        warm_up=1,
    )
    world.end_functions()
    return [_rate_row(pairs)]


def _rate_row(pairs: Pairs) -> Row:
    ours, theirs = (1 / seconds for seconds in pairs.medians)
    low, high = pairs.spread
    return Row(
        name=f"sustained, {_AT_ONCE} at once",
        measured="routed conversations per second until the participants exist",
        floor="the same calls without our code, behind the same framework",
        product_value=f"{ours:.0f}/s",
        floor_value=f"{theirs:.0f}/s",
        wanted="0.7 x or more",
        is_reached=ours / theirs >= 0.7,
        ratio=ours / theirs,
        spread=(1 / high, 1 / low),
        details={"product_per_second": ours, "floor_per_second": theirs},
    )


class _Burst:
    """The same 32 workers again and again, free at the start of each burst."""

    def __init__(self, world: World, db: firestore.Client, function: Function) -> None:
        self._world, self._db, self._function = world, db, function

    def once(self) -> float:
        self._world.emulator.clear(self._db.project)
        population.fill(self._db, population.Size(workers=0))
        _workers(self._db, _BURST, capacity=1)
        forms = [_form(self._world) for _ in range(_BURST)]
        self._world.added_at()
        began = time.time()
        _all_at_once(self._function, forms)
        added = self._world.added_at()
        missing = {form["ConversationSid"] for form in forms} - set(added)
        if missing:
            raise RuntimeError(f"{len(missing)} of {_BURST} conversations got nobody.")
        return max(added.values()) - began


def _warm_up(world: World, db: firestore.Client, function: Function) -> None:
    """Two hundred workers, and one conversation alone, which loads the SDKs."""
    population.fill(db, population.Size(workers=0))
    _workers(db, 200, capacity=1000)
    function.post(_form(world))


def _all_at_once(function: Function, forms: list[dict[str, str]]) -> None:
    gate = threading.Barrier(len(forms))

    def send(form: dict[str, str]) -> None:
        gate.wait()
        function.post(form)

    with ThreadPoolExecutor(len(forms)) as pool:
        list(pool.map(send, forms))


def _seconds_each(world: World, function: Function, number: int) -> float:
    """Seconds per conversation, from the first webhook to the last participant."""
    forms = [_form(world) for _ in range(number)]
    world.added_at()
    began = time.time()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(function.post, forms))
    added = world.added_at()
    if len(added) < number:
        raise RuntimeError(
            f"{number - len(added)} of {number} conversations got nobody."
        )
    return (max(added.values()) - began) / number


def _form(world: World) -> dict[str, str]:
    address = f"+1556{next(_numbers):07}"
    return webhooks.conversation_route(
        world.conversation(), world.service_sid, address, SALES
    )


def _workers(db: firestore.Client, number: int, capacity: int) -> None:
    fields = population.worker("Available", "sales", capacity=capacity)
    population.write(
        db, [(f"workers/w{n:03}@example.com", fields) for n in range(number)]
    )
