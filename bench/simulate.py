"""python -m bench.simulate: how long customers wait, for so many arrivals, workers and minutes a conversation takes.

Arrivals are a Poisson process, service times exponential, workers are chosen by the longest_idle rule and pull the
oldest that waits, as the service does. Where every worker serves one pool, Erlang C says the same by formula.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

_ARRIVAL, _END = 0, 1


@dataclass(frozen=True)
class Demand:
    """What one pool has to do: conversations per hour, and minutes that one holds a slot on average."""

    pool: str
    per_hour: float
    minutes: float

    @property
    def per_second(self) -> float:
        return self.per_hour / 3600

    @property
    def erlangs(self) -> float:
        """Slots in use on average."""
        return self.per_second * self.minutes * 60


@dataclass(frozen=True)
class Group:
    """So many workers who serve these pools, each `capacity` conversations at once."""

    workers: int
    capacity: int
    pools: tuple[str, ...]


@dataclass(frozen=True)
class Waits:
    """Of one pool: how many arrived, who had to wait, how long."""

    arrived: int
    waited: float  # share of those who had to wait at all
    mean: float  # seconds, over everybody
    p95: float
    within: float  # share served within the threshold


@dataclass
class _Worker:
    pools: tuple[str, ...]
    capacity: int
    active: int = 0
    last: float = -1.0


@dataclass
class _Line:
    """One pool's queue, its free workers by their last assignment, and the waits so far."""

    demand: Demand
    waiting: deque[float] = field(default_factory=deque)
    free: list[tuple[float, int]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


class Simulation:
    """One run; the same seed gives the same figures."""

    def __init__(self, demands: Sequence[Demand], groups: Sequence[Group], seed: int) -> None:
        self._random = random.Random(seed)
        self._lines = {demand.pool: _Line(demand) for demand in demands}
        self._workers = [_Worker(g.pools, g.capacity) for g in groups for _ in range(g.workers)]
        self._events: list[tuple[float, int, int, str]] = []
        for number in range(len(self._workers)):
            self._offer(number)

    def run(self, hours: float, warm_up: float, threshold: float) -> dict[str, Waits]:
        """Figures of those who arrive after `warm_up` hours; `threshold` in seconds, for the service level."""
        starts, ends = warm_up * 3600, (warm_up + hours) * 3600
        for pool in self._lines:
            self._next_arrival(pool, 0.0)
        while self._events and self._events[0][0] < ends:
            now, kind, number, pool = heapq.heappop(self._events)
            if kind == _ARRIVAL:
                self._arrive(pool, now, starts)
            else:
                self._workers[number].active -= 1
                self._pull(number, now, starts)
        return {pool: _summed(line.waits, threshold) for pool, line in self._lines.items()}

    def _arrive(self, pool: str, now: float, starts: float) -> None:
        self._next_arrival(pool, now)
        line = self._lines[pool]
        number = self._longest_idle(line)
        if number is None:
            line.waiting.append(now)
        else:
            self._assign(number, line, now, now, starts)

    def _next_arrival(self, pool: str, now: float) -> None:
        rate = self._lines[pool].demand.per_second
        heapq.heappush(self._events, (now + self._random.expovariate(rate), _ARRIVAL, -1, pool))

    def _longest_idle(self, line: _Line) -> int | None:
        """The free worker whose last assignment is the oldest; entries that are outdated are thrown away."""
        while line.free:
            last, number = line.free[0]
            worker = self._workers[number]
            if worker.last == last and worker.active < worker.capacity:
                return number
            heapq.heappop(line.free)
        return None

    def _pull(self, number: int, now: float, starts: float) -> None:
        """The slot goes to the oldest of what waits in the worker's pools."""
        lines = [self._lines[pool] for pool in self._workers[number].pools]
        queued = [line for line in lines if line.waiting]
        if not queued:
            return self._offer(number)
        line = min(queued, key=lambda one: one.waiting[0])
        return self._assign(number, line, line.waiting.popleft(), now, starts)

    def _assign(self, number: int, line: _Line, arrived: float, now: float, starts: float) -> None:
        worker = self._workers[number]
        worker.active, worker.last = worker.active + 1, now
        if arrived >= starts:
            line.waits.append(now - arrived)
        held = self._random.expovariate(1 / (line.demand.minutes * 60))
        heapq.heappush(self._events, (now + held, _END, number, line.demand.pool))
        self._offer(number)

    def _offer(self, number: int) -> None:
        worker = self._workers[number]
        if worker.active < worker.capacity:
            for pool in worker.pools:
                heapq.heappush(self._lines[pool].free, (worker.last, number))


def erlang_c(demand: Demand, slots: int, threshold: float) -> Waits:
    """The same by formula, for one pool with workers of its own. Raises ValueError where the queue grows for ever.

    A. K. Erlang, 1917; the recursion is that of the loss formula, which is stable for thousands of slots.
    """
    load = demand.erlangs
    if load >= slots:
        raise ValueError(f"{load:.0f} slots are needed and there are {slots}: the queue grows for ever.")
    blocked = 1.0
    for number in range(1, slots + 1):
        blocked = load * blocked / (number + load * blocked)
    waits = blocked / (1 - load / slots * (1 - blocked))
    drain = (slots - load) / (demand.minutes * 60)  # per second, while everybody is busy
    p95 = max(0.0, math.log(waits / 0.05) / drain) if waits > 0 else 0.0
    return Waits(0, waits, waits / drain, p95, 1 - waits * math.exp(-drain * threshold))


def _summed(waits: list[float], threshold: float) -> Waits:
    if not waits:
        return Waits(0, 0.0, 0.0, 0.0, 1.0)
    ordered = sorted(waits)
    number = len(ordered)
    return Waits(
        arrived=number,
        waited=sum(wait > 0 for wait in ordered) / number,
        mean=sum(ordered) / number,
        p95=ordered[int(0.95 * (number - 1))],
        within=sum(wait <= threshold for wait in ordered) / number,
    )


@dataclass(frozen=True)
class Scenario:
    """A named set of demands and workers, for docs/scaling.md."""

    name: str
    demands: tuple[Demand, ...]
    groups: tuple[Group, ...]


def scenarios() -> Iterator[Scenario]:
    """Small teams, one large pool, the same in shares, and a million conversations a day."""
    for workers in (3, 4):
        demand = Demand("sales", 60, 10)
        yield Scenario(
            f"{workers} workers, 5 at once, 60 an hour", (demand,), (Group(workers, 5, ("sales",)),)
        )
    apart = tuple(Demand(f"p{n}", 60, 10) for n in range(5))
    own = tuple(Group(3, 5, (f"p{n}",)) for n in range(5))
    yield Scenario("5 pools of 3 workers, apart", apart, own)
    yield Scenario(
        "12 workers for all 5 pools together", apart, (Group(12, 5, tuple(d.pool for d in apart)),)
    )
    flat = Demand("all", 1_000_000 / 24, 6)
    yield Scenario("1,000,000 a day, evenly, 860 workers", (flat,), (Group(860, 5, ("all",)),))
    peak = Demand("all", 1_000_000 / 24 * 2.5, 6)
    yield Scenario("its peak hour (2.5 x), 2,150 workers", (peak,), (Group(2150, 5, ("all",)),))


def main() -> None:
    given = _arguments()
    table = Table(title=f"{given.conversations:,} conversations each, seed {given.seed}")
    for heading in (
        "scenario",
        "pool",
        "load / slots",
        "had to wait",
        "mean",
        "p95",
        f"within {given.within:g} s",
    ):
        table.add_column(heading)
    for scenario in scenarios() if given.per_hour is None else [_asked(given)]:
        found = Simulation(scenario.demands, scenario.groups, given.seed)
        hours = given.conversations / sum(demand.per_hour for demand in scenario.demands)
        warm_up = max(hours / 20, 10 * max(demand.minutes for demand in scenario.demands) / 60)
        for pool, waits in found.run(hours, warm_up, given.within).items():
            demand = next(d for d in scenario.demands if d.pool == pool)
            slots = sum(g.workers * g.capacity for g in scenario.groups if pool in g.pools)
            table.add_row(scenario.name, pool, f"{demand.erlangs:.0f} / {slots}", *_cells(waits))
            if len(scenario.groups) == len(scenario.demands) and demand.erlangs < slots:
                table.add_row("", "Erlang C", "", *_cells(erlang_c(demand, slots, given.within)), style="dim")
    Console(width=130).print(table)


def _asked(given: argparse.Namespace) -> Scenario:
    demand = Demand("pool", given.per_hour, given.minutes)
    return Scenario("as asked", (demand,), (Group(given.workers, given.capacity, ("pool",)),))


def _cells(waits: Waits) -> tuple[str, str, str, str]:
    return f"{waits.waited:.1%}", f"{waits.mean:.1f} s", f"{waits.p95:.0f} s", f"{waits.within:.1%}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.simulate", description=(__doc__ or "").partition("\n")[2]
    )
    parser.add_argument("--per-hour", type=float, help="conversations; left out: a set of scenarios")
    parser.add_argument("--minutes", type=float, default=10, help="that one conversation holds a slot")
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--capacity", type=int, default=5, help="conversations at once per worker")
    parser.add_argument("--within", type=float, default=60, help="seconds, for the service level")
    parser.add_argument("--conversations", type=int, default=200_000, help="how many to simulate")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
