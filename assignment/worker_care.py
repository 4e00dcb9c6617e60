"""Keeps a worker's record complete and true: missing fields, the count of conversations, the problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from assignment import ledger
from domain import field_names, rules
from domain.pool import Pool
from domain.worker import Worker
from providers import clock, conversations, database, log, pools, settings, twilio, workers
from providers.twilio import Outcome


def put_right(
    worker: Worker,
    *,
    status_since: datetime | None = None,
    known: Mapping[str, Pool] = ledger.NO_POOLS,
    held: int | None = None,
    called: tuple[str, ...] | None = None,
) -> Worker:
    """The record with everything that the service keeps, written only if something changes.

    `status_since`: when the status changed, if that is what woke us. `known`: pools that are loaded already.
    `held`: the conversations of this worker, counted after the record was read. `called`: the names of their pools, as
    those are called. Raises database.LostRace.
    """
    right = _completed(worker)
    if right.available and right.unavailable_because:  # their own word that they are there again
        right = replace(right, missed=0, missed_at=None, unavailable_because=None)
    if held is not None:
        right = replace(right, active=held)
    if called is not None:
        right = replace(right, pools=called)
    right = replace(right, full=not rules.has_room(right, pools.deciding(right, known)))
    if status_since is not None:
        right = replace(right, status_since=status_since)
    right = ledger.put_right(worker, right)
    return replace(right, is_complete=True, reported_problem=worker.problem)


def find(identity: str, service_sid: str | None) -> Worker | None:
    """The worker meant by this name: a record, one of another spelling, or a user at Twilio, who gets a record.

    None: nobody is called so, or Twilio cannot tell just now.
    """
    worker = workers.load(identity)
    if worker.version is not None:
        return worker
    if (namesake := workers.named(identity)) is not None:
        return namesake
    result = twilio.user(identity, service_sid)
    return ledger.newcomer(identity, result.body.friendly_name) if result.outcome is Outcome.DONE else None


def answers_again(worker: Worker) -> None:
    """Begins to count anew what went back from them. Raises database.LostRace."""
    ledger.put_right(worker, replace(worker, missed=0, missed_at=None))


def create_if_missing(identity: str, display_name: str | None) -> None:
    """A record for a new user who is no bot; one that exists stays as it is."""
    if identity in settings.load().bots:
        return
    try:
        ledger.register(identity, display_name)
    except database.AlreadyThere:
        return
    log.info("a new worker: Unavailable, in the default pool", worker=identity)


def name_fields(identity: str) -> None:
    """Writes the fields that were typed in another spelling under their own names, for queries ask by those.

    Raises database.LostRace.
    """
    record = database.read(workers.reference(identity))[0]
    named = field_names.read(record.to_dict() or {}, field_names.WORKERS)
    if named.renamed:
        database.write(record.reference, database.renaming(named), record.update_time)


def load_with_pools(worker: Worker) -> tuple[Worker, dict[str, Pool]]:
    """The record as it is now, and in the same round trip the pools that it named a moment ago."""
    asked = map(pools.reference, worker.decisive_pools)
    record, *found = database.read(workers.reference(worker.identity), *asked)
    return workers.of(record), {pool.id: pools.of(pool) for pool in found}


def _completed(worker: Worker) -> Worker:
    if worker.is_complete:
        return worker
    return replace(
        worker,
        pools=(settings.load().default_pool,) if worker.pools is None else worker.pools,
        active=conversations.how_many_held(worker.identity) if worker.active is None else worker.active,
        status_since=worker.status_since or clock.now(),
    )
