"""The Firestore trigger on workers/{identity}: completes a record, and pulls queued conversations.

Its own writes wake it again, and it then finds nothing to do: a count that grew is no reason to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from functions import assignment, decisions, worker_records
from functions.trigger import Change
from providers import database, log, workers
from providers.pools import Pool
from providers.workers import Worker


def handle(change: Change) -> None:
    if change.after is None or not workers.is_identity(change.name):
        return
    before = workers.parse(change.name, change.before) if change.before is not None else None
    after = workers.parse(change.name, change.after)
    if not (needs_care(before, after) or decisions.wakes(before, after)):
        return
    if after.available and (pools := _took_at_once(before, after)) is not None:
        if needs_care(before, after):
            database.until_it_holds(lambda: _cared_for(before, after, change.at, pools))
        return
    worker, known = database.until_it_holds(lambda: _cared_for(before, after, change.at))
    if worker is not None:
        _take(worker, before, known)


def needs_care(before: Worker | None, after: Worker) -> bool:
    """Whether something in the record is for the service to put right."""
    turned = before is not None and before.available != after.available
    capacity = before is not None and (before.own_capacity, before.pools) != (after.own_capacity, after.pools)
    return turned or capacity or not after.is_complete or after.problem != after.reported_problem


def _cared_for(
    before: Worker | None, after: Worker, at: datetime | None, pools: Mapping[str, Pool] | None = None
) -> tuple[Worker | None, Mapping[str, Pool]]:
    """The record as it is now, completed (None if it is gone), and pools read with it, unless they are given.

    An event that is late or a repeat dates nothing.
    """
    if pools is None:
        current, known = worker_records.load_with_pools(after)
    else:
        current, known = workers.load(after.identity), pools
    if current.version is None:
        return None, known
    turned = before is not None and before.available != after.available == current.available
    is_news = at is not None and (current.status_since is None or current.status_since < at)
    since = at if turned and is_news else None
    return worker_records.put_right(current, status_since=since, known=known), known


def _took_at_once(before: Worker | None, after: Worker) -> Mapping[str, Pool] | None:
    """First the customers who wait, then the date of the change: it keeps nobody from finding the worker.

    None where something else in the record is not right, for until it is, others may not find them; else the
    worker's pools.
    """
    worker, known = worker_records.load_with_pools(after)
    if not (worker.available and worker_records.is_right(worker, known)):
        return None
    _take(worker, before, known)
    return known


def _take(worker: Worker, before: Worker | None, known: Mapping[str, Pool]) -> None:
    if worker.available:
        pulled = assignment.take_next(worker, _because(before, worker), known)
        log.info(f"took {pulled.taken} from the queue: {pulled.stopped.value}", worker=worker.identity)


def _because(before: Worker | None, worker: Worker) -> str:
    return "turned Available" if before is None or not before.available else "has a free slot"
