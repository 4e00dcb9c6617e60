"""The collection pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from domain import addresses
from domain.opening import Opening
from domain.pool import Pool, parse
from domain.worker import Worker, key_of
from providers import database, public_holidays, settings, workers

if TYPE_CHECKING:
    from providers.database import Snapshot


def _parse(
    pool_id: str, data: Mapping[str, Any] | None, version: object = None
) -> Pool:
    """Read the record, and for a pool with hours the time zone and the holidays by which they count."""
    pool = parse(pool_id, data, version)
    if pool.hours is None:
        return pool
    is_holiday = partial(_is_holiday, pool.hours.countries)
    return replace(pool, opening=Opening(pool.hours, settings.zone(), is_holiday))


def _is_holiday(countries: tuple[str, ...], day: date) -> bool:
    """Return whether it is a public holiday; the library of holidays loads only when this is asked."""
    return public_holidays.of(countries)(day)


_POOLS = database.Collection("pools", _parse)
reference, of, load, after = _POOLS.reference, _POOLS.of, _POOLS.load, _POOLS.after
_MOST_WITH_ONE_NUMBER = 3  # enough to detect that two pools have a number
_MOST_TWINS = 20
_MOST_POOLS = 500
_LONGEST_CHAIN = 10


def by_id(pool_ids: Iterable[str]) -> dict[str, Pool]:
    """Return these pools by id, in one round trip."""
    return {pool.id: pool for pool in _POOLS.load_all(pool_ids)}


def as_called(names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the pools that a person means by these ids or display names, in any spelling.

    An id goes before a display name; a display name of two pools means neither. A name without a record stays as it
    is, because a pool needs no record.
    """
    records = database.read(*map(reference, names)) if names else []
    if all(record.exists for record in records):
        return tuple(names)
    ids_by_key = _ids_by_key()
    pool_ids = dict.fromkeys(
        record.id if record.exists else ids_by_key.get(key_of(record.id), record.id)
        for record in records
    )
    return tuple(pool_ids)


def _ids_by_key() -> dict[str, str]:
    """Return each pool's id by the key of its id, and by the key of its display name if only this pool has it."""
    display_names = _display_names()
    counts = Counter(map(key_of, display_names.values()))
    ids_by_key = {}
    for pool_id, name in display_names.items():
        if counts[key_of(name)] == 1:
            ids_by_key[key_of(name)] = pool_id
    for pool_id in display_names:
        ids_by_key[key_of(pool_id)] = pool_id
    return ids_by_key


def _display_names() -> dict[str, str]:
    """Return the display names of all pools by id, of 500 pools at most."""
    pools = database.client().collection(_POOLS.name)
    records = database.find(pools.select(["display_name"]).limit(_MOST_POOLS))
    return {str(record.id): of(record).display_name for record in records}


def all_pools() -> list[Pool]:
    """Return all pools by their display names, 500 at most."""
    records = database.find(database.filtered(_POOLS.name, ()).limit(_MOST_POOLS))
    return sorted(map(of, records), key=lambda pool: pool.display_name.casefold())


def namesakes(pool_id: str, display_name: str) -> list[str]:
    """Return the ids of other pools with this display name, in any spelling, or with it as their id."""
    key = key_of(display_name)
    others = _display_names()
    others.pop(pool_id, None)
    return sorted(
        other for other, name in others.items() if key in (key_of(other), key_of(name))
    )


def deciding(worker: Worker, known: Mapping[str, Pool]) -> Mapping[str, Pool]:
    """Return the pools by id that decide whether the worker has room for one conversation, and for two.

    The worker's capacity is the largest of their pools', so one pool that leaves room decides. The others are read
    only if no pool in `known` does.
    """
    occupied = worker.active or 0
    missing = []
    for pool_id in worker.decisive_pools:
        if pool_id not in known:
            missing.append(pool_id)
        elif occupied + 1 < known[pool_id].capacity:
            return known
    return {**known, **by_id(missing)}


def with_patience(limit: int) -> list[Pool]:
    """Return pools with a deadline for answers: unanswered customers return to the queue."""
    return _POOLS.find([("answer_within", ">", 0)], ("answer_within",), limit)


def checked(snapshot: Snapshot) -> Pool:
    """Return the pool; report invalid entries in the record unless functions/pool_written.py has reported them."""
    pool = of(snapshot)
    reported = (snapshot.to_dict() or {}).get("problem")
    if pool.problem is None or pool.problem in str(reported):
        return pool
    return _POOLS.checked(snapshot)


def load_checked(pool_ids: Iterable[str]) -> dict[str, Pool]:
    """Return these pools by id, in one round trip; report invalid entries in their records."""
    references = list(map(reference, pool_ids))
    if not references:
        return {}
    return {pool.id: pool for pool in map(checked, database.read(*references))}


def of_numbers(proxy_addresses: Sequence[str]) -> list[Snapshot]:
    """Return the pools with one of these Twilio numbers; exact spellings come before the bare number."""
    spellings = chain.from_iterable(map(addresses.spellings, proxy_addresses[:10]))
    few = list(dict.fromkeys(spellings))[: database.MOST_ALTERNATIVES]
    if not few:
        return []
    query = database.filtered(_POOLS.name, [("addresses", "array_contains_any", few)])
    records = database.find(query.limit(_MOST_WITH_ONE_NUMBER))
    exact = set(proxy_addresses)
    return sorted(
        records, key=lambda record: (exact.isdisjoint(of(record).addresses), record.id)
    )


def twins(numbers: Iterable[str], other_than: str) -> dict[str, tuple[str, ...]]:
    """Return the numbers of other pools with one of these numbers, by id.

    20 pools at most, for 120 spellings at most.
    """
    spellings = set(chain.from_iterable(map(addresses.on_same_channel, numbers)))
    matches = _POOLS.having_any("addresses", sorted(spellings), _MOST_TWINS + 1)
    matches.pop(other_than, None)
    return {name: pool.addresses for name, pool in matches.items()}


def overflow_of(pool: Pool) -> list[str | None]:
    """Return the ids of the pools into which this one overflows, one after the other.

    The chain ends with a pool that is in it already. None stands for a pool with neither a record nor workers.
    """
    pool_ids: list[str | None] = []
    following = pool.overflow
    while following and len(pool_ids) < _LONGEST_CHAIN:
        record = database.read(reference(following))[0]
        is_circle = following in (pool.id, *pool_ids)
        exists = record.exists or workers.how_many(following) > 0
        pool_ids.append(following if exists else None)
        if is_circle:
            break
        following = of(record).overflow
    return pool_ids


def overflowing_into(*names: str) -> list[str]:
    """Return the ids of the pools whose `overflow` is one of these names; 20 at most."""
    if not names:
        return []
    query = database.filtered(_POOLS.name, [("overflow", "in", list(names))])
    records = database.find(query.select([]).limit(_MOST_TWINS))
    return [record.id for record in records]


def write(record: Snapshot, fields: Mapping[str, Any]) -> None:
    """Write these fields if the record is still as it was read; raises database.LostRace."""
    database.write(record.reference, dict(fields), record.update_time)
