"""The Firestore trigger on workers/{identity}: completes a record, and pulls queued conversations.

Its own writes wake it again, and it then finds nothing to do: a count that grew is no reason to look.
"""

from __future__ import annotations

from datetime import datetime

from functions import assignment, decisions, worker_records
from functions.trigger import Change
from providers import database, log, workers
from providers.workers import Worker


def handle(change: Change) -> None:
    if change.after is None or not workers.is_identity(change.name):
        return
    before = workers.parse(change.name, change.before) if change.before is not None else None
    after = workers.parse(change.name, change.after, version=change.at)
    has_to_care = needs_care(before, after)
    if not (has_to_care or decisions.wakes(before, after)):
        return
    if _can_be_found(after):
        # First the customers who wait, then the date of the change: it keeps nobody from finding the worker.
        _take(after, before)
        if has_to_care:
            database.until_it_holds(lambda: _cared_for(before, after, change.at))
    elif (worker := database.until_it_holds(lambda: _cared_for(before, after, change.at))) is not None:
        _take(worker, before)


def needs_care(before: Worker | None, after: Worker) -> bool:
    """Whether something in the record is for the service to put right."""
    turned = before is not None and before.available != after.available
    capacity = before is not None and (before.own_capacity, before.pools) != (after.own_capacity, after.pools)
    return turned or capacity or not after.is_complete or after.problem != after.reported_problem


def _can_be_found(worker: Worker) -> bool:
    """Whether the record is such that whoever looks for a free worker finds this one."""
    is_right = worker.is_complete and worker.problem == worker.reported_problem
    return worker.available and is_right and not worker.full


def _cared_for(before: Worker | None, after: Worker, at: datetime | None) -> Worker | None:
    """The record as it is now, completed; None if it is gone. An event that is late or a repeat dates nothing."""
    current, known = worker_records.load_with_pools(after)
    if current.version is None:
        return None
    turned = before is not None and before.available != after.available == current.available
    is_news = at is not None and (current.status_since is None or current.status_since < at)
    since = at if turned and is_news else None
    return worker_records.put_right(current, status_since=since, known=known)


def _take(worker: Worker, before: Worker | None) -> None:
    if worker.available:
        pulled = assignment.take_next(worker, _because(before, worker))
        log.info(f"took {pulled.taken} from the queue: {pulled.stopped.value}", worker=worker.identity)


def _because(before: Worker | None, worker: Worker) -> str:
    return "turned Available" if before is None or not before.available else "has a free slot"
