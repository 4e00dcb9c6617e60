"""The Firestore trigger on pools/{pool_id}: normalizes numbers, reports invalid entries, and assigns waiting
conversations when there is more room.

Its own writes trigger it again, and it then has nothing to do. Events come at least once and in any order, so every
step works on the records as they are now. If two pools with one number are written at the same time, each event
writes its own record first and looks for others afterwards, so one of the two corrects both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assignment import matching, worker_care
from domain import field_names, phone_numbers, pool_record, pool_texts
from domain.fields import NO_LIMIT
from domain.pool import Pool, parse
from functions.http.trigger import Change
from providers import (
    database,
    log,
    pools,
    public_holidays,
    settings,
    templates,
    workers,
)

_NUMBERS = (
    "capacity",
    "priority",
    "answer_within",
    "unavailable_after",
    "overflow_after",
)
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
    if before.capacity != after.capacity:
        _use_room(change.name)


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
    changes = database.renaming(named) | _normalized(pool_id, data)
    data |= {name: value for name, value in changes.items() if name in data}
    problem = _problem(pool_id, data)
    if stored.get("problem") != problem:
        changes["problem"] = problem or DELETE_FIELD
    if not changes:
        return
    pools.write(record, changes)
    if problem and "problem" in changes:
        log.warning(f"The record of a pool is not right: {problem}", pool=pool_id)


def _problem(pool_id: str, data: Mapping[str, Any]) -> str | None:
    """Return the sentences for the field `problem`, None for a valid record."""
    pool = parse(pool_id, data)
    countries = pool_record.countries_of(data)
    same_name: Sequence[str] = ()
    if data.get("display_name"):
        same_name = pools.namesakes(pool_id, pool.display_name)
    return pool_record.problem(
        pool_id,
        data,
        pools.twins(pool_record.numbers_of(data), other_than=pool_id),
        unknown_countries=public_holidays.unknown(countries),
        overflow=pools.overflow_of(pool),
        namesakes=same_name,
        countries_with_parts=public_holidays.with_parts(countries),
        unknown_templates=templates.missing(pool_texts.templates_in(pool.texts)),
        zone=settings.load().zone,
    )


def _normalized(pool_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a person typed in another spelling, in the one that queries need.

    Phone numbers as Twilio writes them, seconds as numbers, and the other pool by its id.
    """
    pool = parse(pool_id, data)
    changes = _typed_numbers(pool, data)
    numbers = phone_numbers.tidied(data.get("addresses"))
    if isinstance(numbers, list) and numbers != data["addresses"]:
        changes["addresses"] = numbers
    if pool.overflow:
        overflow_id = pools.as_called([pool.overflow])[0]
        if overflow_id != data["overflow"]:
            changes["overflow"] = overflow_id
    return changes


def _typed_numbers(pool: Pool, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the fields that hold a number as text, such as "5 min"; None: no limit."""
    changes: dict[str, Any] = {}
    for name in _NUMBERS:
        if isinstance(data.get(name), str) and name not in pool.invalid:
            number = getattr(pool, name)
            changes[name] = None if number in (None, NO_LIMIT) else int(number)
    return changes


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
    log.info(
        f"{taken} were taken from the queue after the capacity changed", pool=pool_id
    )
