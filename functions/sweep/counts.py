"""Repairs workers' records: `active`, counted from the conversations, and `full`.

Most workers hold nothing most of the time, so they are not counted one by one: if the workers with a count hold,
together, all assigned conversations, then the others hold none. Only if the totals differ (a record with a field
missing, a conversation whose worker has no record) all workers are counted, some in each run. Records are also looked
at in turns whatever their count, for edits whose event was lost.
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
from functions.sweep.run import Run, next_after
from providers import conversations, database, log, pools, workers
from providers.sweeps import Progress

_AT_ONCE = 100
_IN_TURNS = 20


def recount(progress: Progress, run: Run) -> Progress:
    """Correct the counts, and let workers with free slots take conversations."""
    busy = workers.busy(_AT_ONCE + 1)
    if len(busy) > _AT_ONCE or not _is_all(busy, run):
        return _round(progress, run, _AT_ONCE, is_counted=True)
    return _round(progress, run, _IN_TURNS, is_counted=False)


def _is_all(busy: list[Worker], run: Run) -> bool:
    """Correct these workers' counts; return whether they hold all assigned conversations."""
    counts = _corrected(busy, run)
    if len(counts) < len(busy):
        return False
    return sum(counts) == conversations.how_many_held_by_all()


def _corrected(busy: list[Worker], run: Run) -> list[int]:
    """Correct these workers' counts; return those that were counted in time."""
    pools_by_id = _pools_of(busy)
    counts = []
    for worker in run.in_time(busy):
        # The count is read after the record: a claim in between changes the record, and then nothing is written.
        count = partial(conversations.how_many_held, worker.identity)
        held = run.shielded("worker", worker.identity, count, None)
        if held is None:
            break
        counts.append(held)
        repair = partial(_put_right, worker, held, pools_by_id)
        is_repaired = run.shielded("worker", worker.identity, repair, False)
        run.note("workers' counts", is_repaired)
    return counts


def _round(progress: Progress, run: Run, at_once: int, is_counted: bool) -> Progress:
    """Look at the next workers in the order of their names; count them, or check only their fields."""
    after = progress.worker_after
    listed = workers.after(after, at_once)
    pools_by_id = _pools_of(listed)
    for worker in run.in_time(listed):
        look = partial(_looked_at, worker, is_counted, pools_by_id)
        is_repaired = run.shielded("worker", worker.identity, look, False)
        run.note("workers' counts", is_repaired)
        after = worker.identity
    confirmations.ask(listed, run)
    names = [worker.identity for worker in listed]
    return replace(progress, worker_after=next_after(names, after, at_once))


def _looked_at(worker: Worker, is_counted: bool, known: Mapping[str, Pool]) -> bool:
    held = conversations.how_many_held(worker.identity) if is_counted else None
    return _put_right(worker, held, known)


def _pools_of(listed: list[Worker]) -> dict[str, Pool]:
    names = {name for worker in listed for name in worker.decisive_pools}
    return pools.load_checked(sorted(names))


def _put_right(worker: Worker, held: int | None, known: Mapping[str, Pool]) -> bool:
    """Repair the record; False if it was right, or is being changed by another writer."""
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
