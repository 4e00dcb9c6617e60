"""The Firestore trigger on pools/{pool_id}: tidies the numbers, says what makes no sense, and lets workers take what
waits when there is more room.

Its own writes wake it again, and it then finds nothing to do. Events come at least once and in any order, so every
step works on the records as they are now. Two pools that name one number and are written at the same time: each
side writes first and looks afterwards, so one of the two sees the other, and sees to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assignment import matching, worker_care
from domain import field_names, phone_numbers, pool_record, pool_texts
from domain.fields import NO_LIMIT
from domain.pool import parse
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
_MOST_WORKERS = 300  # the sweep sees to the others


def handle(change: Change) -> None:
    _put_right(change.name)
    touched = pool_record.numbers_of(change.before) | pool_record.numbers_of(
        change.after
    )
    twins = pools.twins(touched, other_than=change.name)
    for pool_id in sorted([*twins, change.name] if twins else []):
        _put_right(pool_id)
    for pool_id in _touched_by_overflow(change):
        _put_right(pool_id)
    if (
        parse(change.name, change.before).capacity
        != parse(change.name, change.after).capacity
    ):
        _use_room(change.name)


def _touched_by_overflow(change: Change) -> list[str]:
    """Other pools of which it is no longer right, or right again, what their records say of the overflow."""
    before, after = parse(change.name, change.before), parse(change.name, change.after)
    if (change.before is None) == (
        change.after is None
    ) and before.overflow == after.overflow:
        return []
    chains = {
        name for one in (before, after) for name in pools.overflow_of(one) if name
    }
    return sorted({*chains, *pools.overflowing_into(change.name)} - {change.name})


def _put_right(pool_id: str) -> None:
    try:
        database.until_it_holds(lambda: _written_if_wrong(pool_id))
    except database.Unwritable:  # again would be no better
        log.warning(
            "The record of a pool is too large to be written to; it stays as it is.",
            pool=pool_id,
        )


def _written_if_wrong(pool_id: str) -> None:
    """One compare-and-set on the record as it is now; raises database.LostRace when somebody else was faster."""
    from google.cloud.firestore import DELETE_FIELD

    record = database.read(pools.reference(pool_id))[0]
    stored = record.to_dict()
    if stored is None:
        return
    named = field_names.read(stored, field_names.POOLS)
    data = {**named.data}
    changes = database.renaming(named) | _as_meant(pool_id, data)
    data |= {name: value for name, value in changes.items() if name in data}
    twins = pools.twins(pool_record.numbers_of(data), other_than=pool_id)
    countries = pool_record.countries_of(data)
    pool = parse(pool_id, data)
    problem = pool_record.problem(
        pool_id,
        data,
        twins,
        unknown_countries=public_holidays.unknown(countries),
        overflow=pools.overflow_of(pool),
        namesakes=pools.namesakes(pool_id, pool.display_name)
        if data.get("display_name")
        else (),
        countries_with_parts=public_holidays.with_parts(countries),
        unknown_templates=templates.missing(pool_texts.templates_in(pool.texts)),
        zone=settings.load().zone,
    )
    if stored.get("problem") != problem:
        changes["problem"] = problem or DELETE_FIELD
    if not changes:
        return
    pools.write(record, changes)
    if problem and "problem" in changes:
        log.warning(f"The record of a pool is not right: {problem}", pool=pool_id)


def _as_meant(pool_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What is typed in another spelling, as queries need it: numbers as Twilio writes them, seconds as numbers, and the
    other pool by its id."""
    pool = parse(pool_id, data)
    changes: dict[str, Any] = {}
    numbers = phone_numbers.tidied(data.get("addresses"))
    if isinstance(numbers, list) and numbers != data["addresses"]:
        changes["addresses"] = numbers
    for name in _NUMBERS:
        number = getattr(pool, name)
        if isinstance(data.get(name), str) and name not in pool.invalid:
            changes[name] = None if number in (None, NO_LIMIT) else int(number)
    if (
        pool.overflow
        and (called := pools.as_called([pool.overflow])[0]) != data["overflow"]
    ):
        changes["overflow"] = called
    return changes


def _use_room(pool_id: str) -> None:
    """Says in the workers' records whether they are full by the capacity that holds now; then what waits is taken."""
    pool = pools.load(pool_id)
    for worker in workers.available(pool_id, _MOST_WORKERS):
        try:
            worker_care.put_right(worker, known={pool_id: pool})
        except database.LostRace:  # whoever changed the record has looked at the pool, or looks when it is complete
            continue
    taken = matching.drain(pool)
    log.info(
        f"{taken} were taken from the queue after the capacity changed", pool=pool_id
    )
