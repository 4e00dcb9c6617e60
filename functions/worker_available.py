"""The Firestore trigger on workers/{identity}: completes a record, assigns queued conversations, sends a worker away on
holiday, and texts the customers of a worker who has become Available.

Its own writes trigger it again, and it then has nothing to do: a count that grew frees no slot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from assignment import arrival, hand_over, ledger, matching, membership, worker_care
from domain import facts, field_names, rules, status_change
from domain.conversation import Conversation
from domain.worker import PERSON, Worker, is_identity, parse
from functions import texts
from functions.http.trigger import Change
from providers import (
    clock,
    conversations,
    customers,
    database,
    former_workers,
    log,
    pools,
    status_changes,
)

_MOST_TEXTED = 20  # customers of one worker who has become Available


def handle(change: Change) -> None:
    """Follow the creation, change or deletion of a worker; a name that is no identity is ignored."""
    if not is_identity(change.name):
        return
    _follow_record(change)
    _store_status(change)


def _follow_record(change: Change) -> None:
    if change.after is None:
        database.until_it_holds(partial(membership.came_back, change.name))
        _dismiss(change.name)
    elif _has_typed_names(change.after):
        # This write is an event of its own.
        database.until_it_holds(partial(ledger.name_fields, change.name))
    else:
        _follow(change, parse(change.name, change.after, version=change.at))


def _store_status(change: Change) -> None:
    """Store a change of status by a person or another app, and log every change as a fact.

    Each event is about its own write, so repeated and late ones do not matter.
    """
    at = change.at or clock.now()
    version = change.at or change.was_at
    seen = status_change.seen(change.name, change.before, change.after, at, version)
    if seen is None:
        return
    if not seen.is_stored:
        status_changes.store(seen.change, seen.name)
    log.fact(facts.of_status_change(seen, customers.key()))


def _follow(change: Change, after: Worker) -> None:
    """Follow a new or changed record with all fields under the service's names."""
    before = _before(change)
    if _came_back(before, after):
        return
    was_confirmed = before is not None and before.confirmed
    if was_confirmed and not after.confirmed:
        _dismiss(change.name)
    if after.away_until and (before is None or before.away_until != after.away_until):
        hand_over.send_away(change.name, change.at)
    is_incomplete = rules.needs_care(before, after)
    if not is_incomplete and not rules.wakes(before, after):
        return
    given = _given_while_unavailable(before, after)
    if rules.can_be_found(after):
        # The waiting customers come first: the worker can be found without the date of the change.
        _take(after, before)
        if is_incomplete:
            database.until_it_holds(lambda: _complete(before, after, change.at))
    else:
        worker = database.until_it_holds(lambda: _complete(before, after, change.at))
        if worker is not None:
            _take(worker, before)
    texts.announce(given)


def _given_while_unavailable(
    before: Worker | None, after: Worker
) -> Sequence[Conversation]:
    """Return the worker's unanswered conversations if the worker has turned Available, the latest ones."""
    has_turned = before is not None and after.available and not before.available
    if not has_turned or after.active == 0:
        return ()
    latest = conversations.latest_assigned(after.identity, _MOST_TEXTED)
    return [one for one in latest if one.awaiting_since is not None]


def _came_back(before: Worker | None, after: Worker) -> bool:
    """Undo a record that the service made while a person was deleting the one before; return whether it was one."""
    if before is not None or after.made_by == PERSON:
        return False
    if not former_workers.includes(after.identity):
        return False
    return database.until_it_holds(partial(membership.came_back, after.identity))


def _dismiss(identity: str) -> None:
    """Let the worker's customers wait for other workers: the record was deleted, or is no longer confirmed."""
    membership.dismissed(identity)
    arrival.nobody_to_wait_for(identity)


def _before(change: Change) -> Worker | None:
    """Return the worker before the change; None for a new record, and for one with fields under typed names."""
    if change.before is None or _has_typed_names(change.before):
        return None
    return parse(change.name, change.before)


def _has_typed_names(record: Mapping[str, Any]) -> bool:
    """Return whether fields have names as a person typed them, in another spelling than the service's."""
    return bool(field_names.read(record, field_names.WORKERS).renamed)


def _complete(
    before: Worker | None, after: Worker, at: datetime | None
) -> Worker | None:
    """Complete the record as it is now and return it; None if it is gone."""
    current, pools_by_id = worker_care.load_with_pools(after)
    if current.version is None:
        return None
    pools_changed = before is None or before.pools != after.pools
    pool_ids = None
    if current.pools is not None and pools_changed:
        pool_ids = pools.as_called(current.pools)
    return worker_care.put_right(
        current,
        status_since=_turned_at(before, after, current, at),
        known=pools_by_id,
        called=pool_ids,
    )


def _turned_at(
    before: Worker | None, after: Worker, current: Worker, at: datetime | None
) -> datetime | None:
    """Return the time of a change of availability; None for a late or repeated event, and for any other change."""
    if at is None or before is None:
        return None
    if after.status_since not in (None, before.status_since):
        return None  # written with the status
    has_turned = before.available != after.available == current.available
    is_news = (current.status_since or conversations.BEFORE_ALL) < at
    return at if has_turned and is_news else None


def _take(worker: Worker, before: Worker | None) -> None:
    """Assign queued conversations to the worker, if Available."""
    if not worker.available:
        return
    was_available = before is not None and before.available
    reason = "has a free slot" if was_available else "turned Available"
    pulled = matching.take_next(worker, reason)
    log.info(
        f"took {pulled.taken} from the queue: {pulled.ended.value}",
        worker=worker.identity,
    )
