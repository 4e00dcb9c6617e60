"""Workers' records: the count of what they hold, counted afresh, and whether that fills them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from functions import assignment, decisions, worker_records
from providers import conversations, database, deadline, pools, problems, workers
from providers.pools import Pool
from providers.sweeps import Progress
from providers.workers import Worker

_AT_ONCE = 100
_MARGIN = 5.0


def recount(progress: Progress, mended: Counter[str]) -> Progress:
    """Goes through the workers, some each time; a slot that nobody holds comes back, and is used."""
    looked_at = progress.worker_after
    found = workers.after(progress.worker_after, _AT_ONCE)
    known = _checked({name for worker in found for name in worker_records.decisive_pools(worker)})
    for worker in found:
        if deadline.is_over(_MARGIN):
            return replace(progress, worker_after=looked_at)
        if (right := _counted(worker, known)) is not None:
            mended["workers' counts"] += 1
            assignment.take_next(right, "has a free slot")
        looked_at = worker.identity
    return replace(progress, worker_after=looked_at if len(found) == _AT_ONCE else None)


def _checked(names: set[str]) -> dict[str, Pool]:
    """These pools; what makes no sense in a record is told there, also where no conversation arrives."""
    known = {}
    for snapshot in database.read(*map(pools.reference, sorted(names))) if names else []:
        known[snapshot.id] = pool = pools.parse(snapshot.id, snapshot.to_dict())
        problems.keep_true(snapshot, pool.problem)
    return known


def _counted(worker: Worker, known: Mapping[str, Pool]) -> Worker | None:
    """The record put right; None if it was right, or somebody else is writing it just now.

    The count is read after the record: a claim in between changes the record, and then nothing is written.
    """
    held = conversations.how_many_held(worker.identity)
    try:
        right = worker_records.put_right(worker, held=held, known=known)
    except database.LostRace:
        return None
    is_changed = right.version != worker.version
    return (
        right if is_changed and decisions.has_room(right, worker_records.capacity_of(right, known)) else None
    )
