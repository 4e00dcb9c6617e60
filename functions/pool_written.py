"""The Firestore trigger on pools/{pool_id}: normalizes numbers, reports invalid entries, and assigns waiting
conversations when there is more room.

Its own writes trigger it again, and it then has nothing to do. Events come at least once and in any order, so every
step works on the records as they are now. If two pools with one number are written at the same time, each event
writes its own record first and looks for others afterwards, so one of the two corrects both.
"""

from __future__ import annotations

from assignment import matching, worker_care
from domain import field_names, pool_record
from domain.fields import is_record_name
from domain.pool import Pool, parse
from functions.http.trigger import Change
from providers import database, log, pool_corrections, pools, workers

_MOST_WORKERS = 300  # the sweep updates the others


def handle(change: Change) -> None:
    """Correct the record and others that the change concerns; assign waiting conversations after a new capacity."""
    before, after = parse(change.name, change.before), parse(change.name, change.after)
    _correct(change.name)
    numbers_before = pool_record.numbers_of(change.before)
    numbers_after = pool_record.numbers_of(change.after)
    duplicates = pools.twins(numbers_before | numbers_after, other_than=change.name)
    if duplicates:
        for pool_id in sorted([*duplicates, change.name]):
            _correct(pool_id)
    is_new_or_gone = (change.before is None) != (change.after is None)
    if is_new_or_gone or before.overflow != after.overflow:
        for pool_id in _connected_by_overflow(before, after):
            _correct(pool_id)
    if after.exists and (is_new_or_gone or before.display_name != after.display_name):
        _follow_name(after)
    if before.capacity != after.capacity:
        _use_room(change.name)


def _follow_name(pool: Pool) -> None:
    """Put this pool's id into the records that name it by a display name that it has only now."""
    names = _spellings(pool.display_name) - {pool.id}
    for pool_id in pools.overflowing_into(*names):
        _correct(pool_id)
    for worker in workers.in_pools(names, _MOST_WORKERS):
        pool_ids = pools.as_called(worker.pools or ())
        if pool_ids == worker.pools:
            continue
        try:
            worker_care.put_right(worker, called=pool_ids)
        except database.LostRace:  # the other writer's event reads the names again
            continue
        except database.Unwritable:  # another try would fail, too
            log.warning(
                "The record of a worker is too large to be written to; it stays as it is.",
                worker=worker.identity,
            )


def _spellings(name: str) -> set[str]:
    """Return the usual spellings of a name: a query finds exact ones only."""
    spelled = {name, name.lower(), name.upper(), name.title(), name.capitalize()}
    return {one for one in spelled if is_record_name(one)}


def _connected_by_overflow(before: Pool, after: Pool) -> list[str]:
    """Return the other pools with a `problem` that this change of the overflow may cause or solve."""
    chains = {*pools.overflow_of(before), *pools.overflow_of(after)}
    connected = {*filter(None, chains), *pools.overflowing_into(after.id)}
    return sorted(connected - {after.id})


def _correct(pool_id: str) -> None:
    """Correct one record, after repeated attempts if it is edited meanwhile."""
    try:
        database.until_it_holds(lambda: _write_corrections(pool_id))
    except database.Unwritable:  # another try would fail, too
        log.warning(
            "The record of a pool is too large to be written to; it stays as it is.",
            pool=pool_id,
        )


def _write_corrections(pool_id: str) -> None:
    """Correct the record as it is now, by one compare-and-set; raises database.LostRace."""
    from google.cloud.firestore import DELETE_FIELD

    record = database.read(pools.reference(pool_id))[0]
    stored = record.to_dict()
    if stored is None:
        return
    named = field_names.read(stored, field_names.POOLS)
    data = {**named.data}
    changes = database.renaming(named) | pool_corrections.normalized(pool_id, data)
    data |= {name: value for name, value in changes.items() if name in data}
    problem = pool_corrections.problem(pool_id, data)
    if stored.get("problem") != problem:
        changes["problem"] = problem or DELETE_FIELD
    if not changes:
        return
    pools.write(record, changes)
    if problem and "problem" in changes:
        log.warning(f"The record of a pool is not right: {problem}", pool=pool_id)


def _use_room(pool_id: str) -> None:
    """Update `full` in the workers' records by the new capacity, then assign waiting conversations."""
    pool = pools.load(pool_id)
    for worker in workers.available(pool_id, _MOST_WORKERS):
        try:
            worker_care.put_right(worker, known={pool_id: pool})
        except (
            database.LostRace
        ):  # the other writer has applied, or will apply, the new capacity
            continue
    taken = matching.drain(pool)
    log.info(f"took {taken} from the queue after the capacity changed", pool=pool_id)
