"""The Firestore trigger on workers/{identity}: completes a record, and pulls queued conversations.

Its own writes wake it again, and it then finds nothing to do: a count that grew is no reason to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from assignment import arrival, ledger, matching, membership, worker_care
from domain import field_names, rules
from domain.worker import PERSON, Worker, is_identity, parse
from functions.http.trigger import Change
from providers import database, former_workers, log, pools


def handle(change: Change) -> None:
    if not is_identity(change.name):
        return
    if (
        change.after is not None
        and field_names.read(change.after, field_names.WORKERS).renamed
    ):
        database.until_it_holds(lambda: ledger.name_fields(change.name))
        return  # that write is an event of its own
    if change.after is None:
        database.until_it_holds(partial(membership.came_back, change.name))
        _dismiss(change.name)
        return
    before = parse(change.name, change.before) if _was_named(change.before) else None
    after = parse(change.name, change.after, version=change.at)
    if _came_back(before, after):
        return
    if before is not None and before.confirmed and not after.confirmed:
        _dismiss(change.name)
    has_to_care = rules.needs_care(before, after)
    if not (has_to_care or rules.wakes(before, after)):
        return
    if rules.can_be_found(after):
        # First the customers who wait, then the date of the change: it keeps nobody from finding the worker.
        _take(after, before)
        if has_to_care:
            database.until_it_holds(lambda: _cared_for(before, after, change.at))
    elif (
        worker := database.until_it_holds(lambda: _cared_for(before, after, change.at))
    ) is not None:
        _take(worker, before)


def _came_back(before: Worker | None, after: Worker) -> bool:
    """Whether the service has made this record while a person was deleting the one before."""
    if (
        before is not None
        or after.made_by == PERSON
        or not former_workers.includes(after.identity)
    ):
        return False
    return database.until_it_holds(partial(membership.came_back, after.identity))


def _dismiss(identity: str) -> None:
    """The record was deleted, or is confirmed no more: their customers wait for others."""
    membership.dismissed(identity)
    arrival.nobody_to_wait_for(identity)


def _was_named(record: Mapping[str, Any] | None) -> bool:
    """Whether there was a record with all fields under their own names; one that was just renamed counts as new."""
    return (
        record is not None and not field_names.read(record, field_names.WORKERS).renamed
    )


def _cared_for(
    before: Worker | None, after: Worker, at: datetime | None
) -> Worker | None:
    """The record as it is now, completed; None if it is gone. An event that is late or a repeat dates nothing."""
    current, known = worker_care.load_with_pools(after)
    if current.version is None:
        return None
    turned = (
        before is not None and before.available != after.available == current.available
    )
    is_news = at is not None and (
        current.status_since is None or current.status_since < at
    )
    since = at if turned and is_news else None
    is_typed = current.pools is not None and (
        before is None or before.pools != after.pools
    )
    called = pools.as_called(current.pools or ()) if is_typed else None
    return worker_care.put_right(
        current, status_since=since, known=known, called=called
    )


def _take(worker: Worker, before: Worker | None) -> None:
    if worker.available:
        pulled = matching.take_next(worker, _because(before, worker))
        log.info(
            f"took {pulled.taken} from the queue: {pulled.ended.value}",
            worker=worker.identity,
        )


def _because(before: Worker | None, worker: Worker) -> str:
    return (
        "turned Available"
        if before is None or not before.available
        else "has a free slot"
    )
