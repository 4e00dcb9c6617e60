"""Workers' records: the count of what they hold, counted afresh, and whether that fills them.

Who holds nothing is not counted one by one, for most hold nothing most of the time: when those who say that they hold
something do hold, together, all that is held, then nobody else holds anything. Only if that does not come out
(a record that says too little, a conversation whose worker has no record) are all counted, some each time. Records are
also looked at in turns whatever they hold, for what somebody typed while no event came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from assignment import matching, worker_care
from domain import rules
from domain.pool import Pool
from domain.worker import Worker
from functions.sweep import confirmations
from functions.sweep.run import Run
from providers import conversations, database, log, pools, workers
from providers.sweeps import Progress

_AT_ONCE = 100
_IN_TURNS = 20


def recount(progress: Progress, run: Run) -> Progress:
    """A slot that nobody holds comes back, and is used."""
    busy = workers.busy(_AT_ONCE + 1)
    if len(busy) > _AT_ONCE or not _is_all(busy, run):
        return _round(progress, run, _AT_ONCE, is_counted=True)
    return _round(progress, run, _IN_TURNS, is_counted=False)


def _is_all(busy: list[Worker], run: Run) -> bool:
    """Puts these right; whether they hold all that is held."""
    counted = _all_counted(busy, run)
    return (
        len(counted) == len(busy)
        and sum(counted) == conversations.how_many_held_by_all()
    )


def _all_counted(busy: list[Worker], run: Run) -> list[int]:
    known = _pools_of(busy)
    counted = []
    for worker in run.in_time(busy):
        # The count is read after the record: a claim in between changes the record, and then nothing is written.
        held = run.shielded(
            "worker",
            worker.identity,
            partial(conversations.how_many_held, worker.identity),
            None,
        )
        if held is None:
            break
        counted.append(held)
        right = run.shielded(
            "worker", worker.identity, partial(_put_right, worker, held, known), False
        )
        run.note("workers' counts", right)
    return counted


def _round(progress: Progress, run: Run, at_once: int, is_counted: bool) -> Progress:
    """The next ones in the order of their names, counted or only looked at."""
    looked_at = progress.worker_after
    found = workers.after(progress.worker_after, at_once)
    known = _pools_of(found)
    for worker in run.in_time(found):
        right = run.shielded(
            "worker",
            worker.identity,
            partial(_looked_at, worker, is_counted, known),
            False,
        )
        run.note("workers' counts", right)
        looked_at = worker.identity
    confirmations.ask(found, run)
    at_end = len(found) < at_once and (not found or looked_at == found[-1].identity)
    return replace(progress, worker_after=None if at_end else looked_at)


def _looked_at(worker: Worker, is_counted: bool, known: Mapping[str, Pool]) -> bool:
    held = conversations.how_many_held(worker.identity) if is_counted else None
    return _put_right(worker, held, known)


def _pools_of(found: list[Worker]) -> dict[str, Pool]:
    return pools.load_checked(
        sorted({name for worker in found for name in worker.decisive_pools})
    )


def _put_right(worker: Worker, held: int | None, known: Mapping[str, Pool]) -> bool:
    """Puts the record right; False if it was, or somebody else is writing it just now."""
    try:
        right = worker_care.put_right(worker, held=held, known=known)
    except database.LostRace:
        return False
    except database.Unwritable as error:
        log.error(
            f"The record of a worker takes nothing more: {error}",
            worker=worker.identity,
        )
        return False
    if right.version == worker.version:
        return False
    if rules.has_room(right, pools.deciding(right, known)):
        matching.freed(right)
    return True
