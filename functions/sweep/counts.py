"""Workers' records: the count of what they hold, counted afresh, and whether that fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from assignment import matching, worker_care
from domain import rules
from domain.pool import Pool
from domain.worker import Worker
from functions.sweep.run import Run
from providers import conversations, database, log, pools, workers
from providers.sweeps import Progress

_AT_ONCE = 100
_MARGIN = 5.0


def recount(progress: Progress, run: Run) -> Progress:
    """Goes through the workers, some each time; a slot that nobody holds comes back, and is used."""
    looked_at = progress.worker_after
    found = workers.after(progress.worker_after, _AT_ONCE)
    known = pools.load_checked(sorted({name for worker in found for name in worker.decisive_pools}))
    for worker in run.in_time(found, _MARGIN):
        right = run.shielded("worker", worker.identity, partial(_counted, worker, known), False)
        run.note("workers' counts", right)
        looked_at = worker.identity
    at_end = len(found) < _AT_ONCE and (not found or looked_at == found[-1].identity)
    return replace(progress, worker_after=None if at_end else looked_at)


def _counted(worker: Worker, known: Mapping[str, Pool]) -> bool:
    """Puts the record right; False if it was, or somebody else is writing it just now.

    The count is read after the record: a claim in between changes the record, and then nothing is written.
    """
    held = conversations.how_many_held(worker.identity)
    try:
        right = worker_care.put_right(worker, held=held, known=known)
    except database.LostRace:
        return False
    except database.Unwritable as error:
        log.error(f"The record of a worker takes nothing more: {error}", worker=worker.identity)
        return False
    if right.version == worker.version:
        return False
    if rules.has_room(right, rules.capacity_of(right, pools.deciding(right, known))):
        matching.freed(right)
    return True
