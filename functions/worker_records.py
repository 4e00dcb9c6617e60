"""Keeps a worker's record complete and true: missing fields, the count of conversations, the problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from functions import decisions
from providers import clock, conversations, database, log, pools, settings, workers
from providers.pools import Pool
from providers.workers import Worker


def capacity_of(worker: Worker, known: Mapping[str, Pool] = MappingProxyType({})) -> float:
    """The worker's capacity, or less of it that decides the same: whether there is room for one, and for two.

    Reads the pools' records only where the worker has no own one and those `known` do not settle it: the
    capacity is the largest of the pools', so one pool that leaves room is enough.
    """
    if worker.own_capacity is not None:
        return worker.own_capacity
    mine = {name: known[name] for name in worker.pools or () if name in known}
    at_least = max((pool.capacity for pool in mine.values()), default=0)
    if (worker.active or 0) + 1 < at_least:
        return at_least
    missing = [name for name in worker.pools or () if name not in mine]
    return decisions.capacity_of(worker, mine | pools.load(*missing))


def put_right(
    worker: Worker,
    *,
    status_since: datetime | None = None,
    known: Mapping[str, Pool] = MappingProxyType({}),
    held: int | None = None,
) -> Worker:
    """The record with everything that the service keeps, written only if something changes.

    `status_since`: when the status changed, if that is what woke us. `known`: pools that are loaded already.
    `held`: the conversations of this worker, counted after the record was read. Raises database.LostRace.
    """
    right = _completed(worker)
    if held is not None:
        right = replace(right, active=held)
    right = replace(right, full=not decisions.has_room(right, capacity_of(right, known)))
    if status_since is not None:
        right = replace(right, status_since=status_since)
    if changes := _differences(worker, right):
        batch = database.client().batch()
        database.update(batch, workers.reference(worker.identity), changes, worker.version)
        right = replace(right, version=database.commit(batch)[0])
        if worker.problem != worker.reported_problem and worker.problem:
            log.warning(f"The record of a worker is not right: {worker.problem}", worker=worker.identity)
    return replace(right, is_complete=True, reported_problem=worker.problem)


def new_record(identity: str, display_name: str | None = None) -> Worker:
    """Somebody who turned up without a record: Unavailable, in the default pool."""
    return Worker(
        identity=identity,
        pools=(settings.load().default_pool,),
        display_name=display_name,
        status_since=clock.now(),
        is_complete=True,
    )


def create_if_missing(identity: str, display_name: str | None) -> None:
    """A record for a new user; one that exists stays as it is."""
    batch = database.client().batch()
    batch.create(workers.reference(identity), workers.stored(new_record(identity, display_name)))
    try:
        database.commit(batch)
    except database.AlreadyThere:
        return
    log.info("a new worker: Unavailable, in the default pool", worker=identity)


def load_with_pools(worker: Worker) -> tuple[Worker, dict[str, Pool]]:
    """The record as it is now, and in the same round trip the pools that it named a moment ago."""
    asked = map(pools.reference, decisive_pools(worker))
    record, *found = database.read(workers.reference(worker.identity), *asked)
    return workers.of(record), {pool.id: pools.parse(pool.id, pool.to_dict()) for pool in found}


def decisive_pools(worker: Worker) -> tuple[str, ...]:
    """The pools on which the worker's capacity depends: none where they have an own one."""
    return () if worker.own_capacity is not None else worker.pools or ()


def load_or_new(identity: str) -> Worker:
    worker = workers.load(identity)
    if worker.version is None:
        return new_record(identity)
    return worker if worker.is_complete else put_right(worker)


def _completed(worker: Worker) -> Worker:
    if worker.is_complete:
        return worker
    return replace(
        worker,
        pools=(settings.load().default_pool,) if worker.pools is None else worker.pools,
        active=conversations.how_many_held(worker.identity) if worker.active is None else worker.active,
        status_since=worker.status_since or clock.now(),
    )


def _differences(worker: Worker, right: Worker) -> dict[str, Any]:
    """The fields to write. A status that makes no sense is left for the person to mend, and reported."""
    from google.cloud.firestore import DELETE_FIELD

    kept: dict[str, Any] = {
        "active": (worker.active, right.active),
        "full": (worker.full, right.full),
        "status_since": (worker.status_since, right.status_since),
        "pools": (worker.pools, right.pools),
    }
    changes = {name: after for name, (before, after) in kept.items() if before != after}
    if "pools" in changes:
        changes["pools"] = list(right.pools or ())
    if not worker.is_complete:
        changes["last_assigned_at"] = worker.last_assigned_at
        if not worker.has_status:
            changes["status"] = "Unavailable"
    if worker.problem != worker.reported_problem:
        changes["problem"] = worker.problem or DELETE_FIELD
    return changes
