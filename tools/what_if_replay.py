"""Plays arrivals through the product's own rules: free workers, their order, waiting customers, the next pull.

Times are seconds since 1970. What is decided is decided by domain/rules.py, domain/strategies.py and the queue's order
(priority, then the length of the wait); what is not in it: the answer timer, hours, and workers who take
conversations by hand.
"""

from __future__ import annotations

import heapq
import itertools
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from statistics import mean

from domain import rules, strategies
from domain.pool import Pool
from domain.worker import Worker

_TURN, _RELEASE, _ARRIVE, _OVERFLOW, _LEAVE = range(
    5
)  # the order of what happens in the same moment
Shifts = Mapping[
    str, Sequence[tuple[float, float]]
]  # when each worker is Available: from, until


@dataclass(frozen=True)
class Visit:
    """One wait for a worker, and the time that it then takes a slot. `worker`, `waited`: what really happened;
    `left`: when the customer left without a worker. `fixed`: it was for this worker, even if others were free."""

    sid: str
    part: int
    pool: str
    arrived: float
    hold: float
    priority: int = 0
    worker: str | None = None
    waited: float | None = None
    left: float | None = None
    fixed: bool = False

    @property
    def key(self) -> str:
        return f"{self.sid}/{self.part}"


@dataclass(frozen=True)
class Outcome:
    """`waited`: seconds until a worker had it; None: not until the end."""

    worker: str | None = None
    waited: float | None = None


@dataclass(frozen=True)
class Figures:
    """Waits in seconds; `level`: the share assigned in time, `fairness`: Jain's index of conversations per worker."""

    answered: int
    unanswered: int
    average: float | None
    p95: float | None
    longest: float | None
    level: float | None
    fairness: float | None


@dataclass(order=True)
class _Waiting:
    rank: tuple[int, float, int]
    visit: Visit = field(compare=False)
    pools: list[str] = field(compare=False)


class _Floor:
    """The state of all workers at one moment of the replay."""

    def __init__(self, workers: Iterable[Worker], pools: Mapping[str, Pool]) -> None:
        self.pools = pools
        self.workers = {
            one.identity: replace(
                one, available=False, active=0, full=False, last_assigned_at=None
            )
            for one in workers
        }
        self.members: dict[str, list[str]] = {}
        for one in self.workers.values():
            for name in one.pools or ():
                self.members.setdefault(name, []).append(one.identity)
        self.queue: list[_Waiting] = []
        self.outcomes: dict[str, Outcome] = {}
        self._events: list[tuple[float, int, int, Visit | str, bool]] = []
        self._number = itertools.count()

    def plan(
        self, at: float, kind: int, whom: Visit | str, value: bool = False
    ) -> None:
        heapq.heappush(self._events, (at, kind, next(self._number), whom, value))

    def events(self) -> Iterator[tuple[float, int, Visit | str, bool]]:
        while self._events:
            at, kind, _, whom, value = heapq.heappop(self._events)
            yield at, kind, whom, value

    def can_take(self, worker: Worker) -> bool:
        return rules.can_take(worker, self.pools)

    def free_for(self, pool: Pool) -> Worker | None:
        found = [self.workers[name] for name in self.members.get(pool.id, ())]
        chosen = strategies.in_order(pool.strategy, filter(self.can_take, found))
        return chosen[0] if chosen else None

    def give(self, visit: Visit, worker: Worker, at: float) -> None:
        since = datetime.fromtimestamp(at, UTC)
        self.workers[worker.identity] = replace(
            worker, active=(worker.active or 0) + 1, last_assigned_at=since
        )
        self.outcomes[visit.key] = Outcome(worker.identity, at - visit.arrived)
        self.plan(at + visit.hold, _RELEASE, worker.identity)

    def enqueue(self, visit: Visit, pool: Pool) -> None:
        insort(
            self.queue,
            _Waiting(
                (-visit.priority, visit.arrived, next(self._number)), visit, [pool.id]
            ),
        )
        if visit.left is not None:
            self.plan(visit.left, _LEAVE, visit)
        due = rules.overflows_at(pool, datetime.fromtimestamp(visit.arrived, UTC))
        if due is not None:
            self.plan(due.timestamp(), _OVERFLOW, visit)

    def pull(self, identity: str, at: float) -> None:
        """Assign waiting conversations to this worker, in order, as long as there is room."""
        while self.can_take(worker := self.workers[identity]):
            theirs = set(worker.pools or ())
            found = next(
                (one for one in self.queue if not theirs.isdisjoint(one.pools)), None
            )
            if found is None:
                return
            self.queue.remove(found)
            self.give(found.visit, worker, at)


def run(
    visits: Sequence[Visit],
    shifts: Shifts,
    workers: Iterable[Worker],
    pools: Mapping[str, Pool],
) -> dict[str, Outcome]:
    """What becomes of each visit, by its key."""
    floor = _Floor(workers, pools)
    for visit in visits:
        floor.plan(visit.arrived, _ARRIVE, visit)
    for identity, times in shifts.items():
        for start, end in times if identity in floor.workers else ():
            floor.plan(start, _TURN, identity, True)
            floor.plan(end, _TURN, identity, False)
    for at, kind, whom, value in floor.events():
        if isinstance(whom, Visit):
            _happens(floor, kind, whom, at)
            continue
        worker = floor.workers[whom]
        if kind == _TURN:
            floor.workers[whom] = replace(worker, available=value)
        else:
            floor.workers[whom] = replace(
                worker, active=max(0, (worker.active or 0) - 1)
            )
        floor.pull(whom, at)
    return {visit.key: floor.outcomes.get(visit.key, Outcome()) for visit in visits}


def _happens(floor: _Floor, kind: int, visit: Visit, at: float) -> None:
    pool = floor.pools[visit.pool]
    waiting = (
        next((one for one in floor.queue if one.visit is visit), None)
        if kind != _ARRIVE
        else None
    )
    if kind == _ARRIVE and visit.fixed and visit.worker in floor.workers:
        floor.give(visit, floor.workers[visit.worker], at)
    elif kind == _ARRIVE:
        worker = floor.free_for(pool)
        if worker is None:
            floor.enqueue(visit, pool)
        else:
            floor.give(visit, worker, at)
    elif waiting is not None and kind == _LEAVE:
        floor.queue.remove(waiting)
    elif waiting is not None and pool.overflow is not None:
        waiting.pools.append(pool.overflow)
        if (worker := floor.free_for(floor.pools[pool.overflow])) is not None:
            floor.pull(worker.identity, at)


def as_it_was(visit: Visit) -> Outcome:
    return Outcome(visit.worker, visit.waited)


def with_more(
    shifts: Shifts, workers: Sequence[Worker], pool_id: str, number: int
) -> tuple[Shifts, tuple[Worker, ...]]:
    """More workers in the pool, Available whenever a member of it was."""
    theirs = [
        shifts.get(one.identity, ()) for one in workers if pool_id in (one.pools or ())
    ]
    covered = union(itertools.chain.from_iterable(theirs))
    new = tuple(
        Worker(f"one more ({n})", pools=(pool_id,), is_complete=True)
        for n in range(1, max(0, number) + 1)
    )
    return {**shifts, **{one.identity: covered for one in new}}, (*workers, *new)


def union(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same times without overlaps, in order."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def shares(outcomes: Iterable[Outcome]) -> Counter[str]:
    """Return the number of conversations of each worker."""
    return Counter(one.worker for one in outcomes if one.worker is not None)


def figures(outcomes: Iterable[Outcome], threshold: float) -> Figures:
    listed = list(outcomes)
    waits = sorted(one.waited for one in listed if one.waited is not None)
    counts = list(shares(listed).values())
    return Figures(
        answered=len(waits),
        unanswered=len(listed) - len(waits),
        average=mean(waits) if waits else None,
        p95=waits[max(0, -(-95 * len(waits) // 100) - 1)] if waits else None,
        longest=waits[-1] if waits else None,
        level=sum(wait <= threshold for wait in waits) / len(listed)
        if listed
        else None,
        fairness=sum(counts) ** 2 / (len(counts) * sum(n * n for n in counts))
        if counts
        else None,
    )
