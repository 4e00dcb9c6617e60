"""The past as the log of conversations has it: each wait with the time it then took, and when workers were Available.

The stored changes of status say when workers were Available. For the time before the oldest of them this is estimated:
a worker that the pool assigned a conversation to was Available then; a worker with a free slot was not, while a
customer waited in one of the worker's pools for longer than an assignment takes.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain import availability, rules
from domain.conversation import Conversation
from domain.figures import Span
from domain.pool import Pool
from domain.status_change import StatusChange
from domain.worker import Worker
from tools.what_if_replay import Shifts, Visit

_IN_IT = re.compile(r"(.+) is in the conversation")  # domain/transitions.confirmed
_LETS_GO = ("inactive", "closed", "left", "unrouted", "queued")
_PULLING = 2.0  # seconds that a free worker needs at most to take one that waits
_WITHOUT_END = float("inf")


@dataclass(frozen=True)
class History:
    """`workers` are those with a record, and those with conversations but without a record by now."""

    visits: tuple[Visit, ...]
    shifts: Shifts
    workers: tuple[Worker, ...]


@dataclass(frozen=True)
class Statuses:
    """The stored changes of status of the days, oldest first. `since`: the oldest change ever stored, None: there is
    none."""

    changes: tuple[StatusChange, ...] = ()
    since: datetime | None = None


NO_STATUSES = Statuses()


@dataclass
class _Part:
    """One wait and what followed it, as the story is read."""

    arrived: float
    queued: bool = False
    fixed: bool = False
    worker: str | None = None
    assigned: float | None = None
    left: float | None = None
    held: list[tuple[float, float]] = field(default_factory=list)
    holding_since: float | None = None

    def let_go(self, at: float) -> None:
        if self.holding_since is not None:
            self.held.append((self.holding_since, max(at, self.holding_since)))
        self.holding_since = None


def history(
    conversations: Iterable[Conversation],
    workers: Sequence[Worker],
    pools: Mapping[str, Pool],
    now: datetime,
    statuses: Statuses = NO_STATUSES,
) -> History:
    """`pools`: every pool that one of them names. Conversations that were not to be routed do not count."""
    parts: list[tuple[Visit, _Part]] = []
    for one in conversations:
        if (
            one.pool in pools
            and one.mode in ("pool", "custom")
            and one.created_at is not None
        ):
            read = list(_parts(one, now.timestamp()))
            parts += zip(_visits(one, read), read, strict=True)
    parts.sort(key=lambda pair: pair[0].arrived)
    visits = [visit for visit, _ in parts]
    everybody = (*workers, *_without_record(visits, {one.identity for one in workers}))
    estimated = _shifts(parts, everybody, pools, now.timestamp())
    shifts = _with_statuses(estimated, statuses, everybody, now)
    return History(tuple(visits), shifts, everybody)


def _with_statuses(
    estimated: Shifts, statuses: Statuses, workers: Iterable[Worker], now: datetime
) -> Shifts:
    """Replace the estimate by the stored changes, from the oldest stored change on."""
    if statuses.since is None or statuses.since >= now:
        return estimated
    known = Span(statuses.since, now)
    changes: dict[str, list[StatusChange]] = defaultdict(list)
    for change in statuses.changes:
        changes[change.worker].append(change)
    shifts: dict[str, list[tuple[float, float]]] = {}
    for worker in workers:
        mine = changes[worker.identity]
        was_available = mine[0].was_available if mine else worker.available
        spans = availability.spans(mine, was_available, known)
        stored = [(span.start.timestamp(), _end_of(span, now)) for span in spans]
        before = _until(known.start.timestamp(), estimated.get(worker.identity, ()))
        if times := _joined([*before, *stored]):
            shifts[worker.identity] = times
    return shifts


def _end_of(span: Span, now: datetime) -> float:
    """Return the end; a worker that is Available now stays so to the end of the replay."""
    return _WITHOUT_END if span.end == now else span.end.timestamp()


def _until(
    end: float, times: Iterable[tuple[float, float]]
) -> Iterator[tuple[float, float]]:
    for start, stop in times:
        if start < end:
            yield start, min(stop, end)


def _joined(times: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join times that touch, so that the worker stays Available in between."""
    joined: list[tuple[float, float]] = []
    for start, end in times:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _parts(one: Conversation, now: float) -> Iterator[_Part]:
    """The log, cut where the conversation began to wait again."""
    part = _Part(
        one.created_at.timestamp() if one.created_at else now,
        fixed=one.mode == "custom",
    )
    for line in one.log:
        if not isinstance(line["at"], datetime):
            continue
        at, what = line["at"].timestamp(), line["what"]
        is_waiting = part.worker is None
        if what in _LETS_GO:
            part.let_go(at)
        if what == "queued" and not is_waiting:
            yield part
            part = _Part(at)
        if what == "queued":
            part.queued, part.fixed = True, False
        elif what == "closed" and is_waiting:
            part.left = at
        elif what == "by hand":
            part.fixed = True
        elif what == "assigned":
            if is_waiting and (named := _IN_IT.fullmatch(line["why"])):
                part.worker, part.assigned = named[1], at
            if part.worker is not None and part.holding_since is None:
                part.holding_since = at
    part.let_go(now)
    yield part


def _visits(one: Conversation, parts: Sequence[_Part]) -> Iterator[Visit]:
    for number, part in enumerate(parts):
        yield Visit(
            sid=one.sid,
            part=number,
            pool=one.pool or "",
            arrived=part.arrived,
            hold=sum(end - start for start, end in part.held),
            priority=one.priority,
            worker=part.worker,
            waited=None
            if part.assigned is None
            else max(0.0, part.assigned - part.arrived),
            left=part.left,
            fixed=part.fixed and part.worker is not None,
        )


def _without_record(visits: Iterable[Visit], known: set[str]) -> Iterator[Worker]:
    pools: dict[str, set[str]] = defaultdict(set)
    for visit in visits:
        if visit.worker is not None and visit.worker not in known:
            pools[visit.worker].add(visit.pool)
    for identity, theirs in sorted(pools.items()):
        yield Worker(identity, pools=tuple(sorted(theirs)), is_complete=True)


class _Load:
    """How many conversations one worker held at any moment."""

    def __init__(self, held: Iterable[tuple[float, float]]) -> None:
        listed = list(held)
        self.starts = sorted(start for start, _ in listed)
        self.ends = sorted(end for _, end in listed)

    def at(self, moment: float) -> int:
        return bisect_right(self.starts, moment) - bisect_right(self.ends, moment)

    def free_within(self, start: float, end: float, capacity: float) -> Iterator[float]:
        """Moments from which on there was room, and the worker did not take what waited."""
        for moment in (
            start,
            *self.ends[bisect_left(self.ends, start) : bisect_left(self.ends, end)],
        ):
            following = bisect_right(self.starts, moment)
            taken_at = (
                self.starts[following] if following < len(self.starts) else _WITHOUT_END
            )
            if self.at(moment) < capacity and min(end, taken_at) - moment > _PULLING:
                yield moment


def _shifts(
    parts: Sequence[tuple[Visit, _Part]],
    workers: Sequence[Worker],
    pools: Mapping[str, Pool],
    now: float,
) -> Shifts:
    held: dict[str, list[tuple[float, float]]] = defaultdict(list)
    turns: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for visit, part in parts:
        if visit.worker is not None:
            held[visit.worker] += part.held
            if not visit.fixed and part.assigned is not None:
                turns[visit.worker].append(
                    (part.assigned if part.queued else visit.arrived, True)
                )
    loads = {one.identity: _Load(held[one.identity]) for one in workers}
    members: dict[str, list[Worker]] = defaultdict(list)
    for one in workers:
        for name in one.pools or ():
            members[name].append(one)
    for number, (visit, part) in enumerate(parts):
        if not part.queued:
            continue
        until = next(
            (moment for moment in (part.assigned, part.left) if moment is not None), now
        )
        before = _holder_before(parts, number)
        for one in members[visit.pool]:
            if one.identity == before:  # not asked again for a while, Available or not
                continue
            room = loads[one.identity].free_within(
                visit.arrived, until, rules.capacity_of(one, pools)
            )
            turns[one.identity] += [(moment, False) for moment in room]
    ends = {identity: max(load.ends, default=0.0) for identity, load in loads.items()}
    return {
        identity: _spans(sorted(told), ends.get(identity, 0.0))
        for identity, told in turns.items()
    }


def _holder_before(parts: Sequence[tuple[Visit, _Part]], number: int) -> str | None:
    """The worker before the conversation began to wait again."""
    visit = parts[number][0]
    earlier = (
        (v.worker for v, _ in reversed(parts[:number]) if v.sid == visit.sid)
        if visit.part
        else ()
    )
    return next(iter(earlier), None)


def _spans(
    turns: Iterable[tuple[float, bool]], last: float
) -> list[tuple[float, float]]:
    """From each sign that they were Available to the next that they were not; at the end, as long as they were busy."""
    found: list[tuple[float, float]] = []
    since = latest = None
    for at, is_available in turns:
        if is_available:
            since, latest = at if since is None else since, at
        elif since is not None:
            found.append((since, at))
            since = None
    if since is not None and latest is not None:
        found.append((since, max(latest, last) + _PULLING))
    return found
