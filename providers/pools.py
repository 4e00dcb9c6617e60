"""The collection pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain import addresses
from domain.pool import Pool, parse
from domain.worker import Worker, key_of
from providers import database, workers

if TYPE_CHECKING:
    from providers.database import Snapshot

_POOLS = database.Collection("pools", parse)
reference, of, load, after = _POOLS.reference, _POOLS.of, _POOLS.load, _POOLS.after
_MOST_WITH_ONE_NUMBER = 3  # enough to see that a number is claimed twice
_MOST_TWINS = 20
_MOST_POOLS = 500
_LONGEST_CHAIN = 10


def by_id(pool_ids: Iterable[str]) -> dict[str, Pool]:
    """These pools in one round trip."""
    return {pool.id: pool for pool in _POOLS.load_all(pool_ids)}


def as_called(names: Sequence[str]) -> tuple[str, ...]:
    """These names as the pools' own ids, where they are an id or a display name in another spelling. One that no record
    has stays: a pool needs none. An id goes before a display name; one that two pools have means neither."""
    records = database.read(*map(reference, names)) if names else []
    if all(record.exists for record in records):
        return tuple(names)
    known = _ids_by_key()
    called = (
        record.id if record.exists else known.get(key_of(record.id), record.id)
        for record in records
    )
    return tuple(dict.fromkeys(called))


def _ids_by_key() -> dict[str, str]:
    """Each pool's id by the key of its id, and of its display name if no other pool has the same."""
    named = [(str(record.id), of(record).display_name) for record in _names_of_all()]
    keys = Counter(key_of(display_name) for _, display_name in named)
    by_display_name = {
        key_of(name): pool_id for pool_id, name in named if keys[key_of(name)] == 1
    }
    return by_display_name | {key_of(pool_id): pool_id for pool_id, _ in named}


def _names_of_all() -> list[Snapshot]:
    return database.find(
        database.client()
        .collection(_POOLS.name)
        .select(["display_name"])
        .limit(_MOST_POOLS)
    )


def namesakes(pool_id: str, display_name: str) -> list[str]:
    """Other pools with this display name, in any spelling, or with it as their id."""
    key = key_of(display_name)
    others = [
        (str(record.id), of(record).display_name)
        for record in _names_of_all()
        if record.id != pool_id
    ]
    return sorted(
        other for other, name in others if key in (key_of(other), key_of(name))
    )


def deciding(worker: Worker, known: Mapping[str, Pool]) -> Mapping[str, Pool]:
    """`known`, and more of the worker's pools where these do not settle whether there is room for one and for two.

    The capacity is the largest of the pools', so one pool that leaves room is enough.
    """
    mine = [known[name] for name in worker.decisive_pools if name in known]
    if any((worker.active or 0) + 1 < pool.capacity for pool in mine):
        return known
    return {
        **known,
        **by_id(name for name in worker.decisive_pools if name not in known),
    }


def with_patience(limit: int) -> list[Pool]:
    """Pools whose customers go back to the queue when nobody answers them."""
    return _POOLS.find([("answer_within", ">", 0)], ("answer_within",), limit)


def checked(snapshot: Snapshot) -> Pool:
    """The pool; what makes no sense is told in the record, if it is not told yet (functions/pool_written.py does)."""
    pool = of(snapshot)
    told = (snapshot.to_dict() or {}).get("problem")
    if pool.problem is None or (isinstance(told, str) and pool.problem in told):
        return pool
    return _POOLS.checked(snapshot)


def load_checked(pool_ids: Iterable[str]) -> dict[str, Pool]:
    """These pools in one round trip; what makes no sense is told in the records."""
    wanted = list(map(reference, pool_ids))
    return (
        {pool.id: pool for pool in map(checked, database.read(*wanted))}
        if wanted
        else {}
    )


def of_numbers(proxy_addresses: Sequence[str]) -> list[Snapshot]:
    """The pools that name one of these Twilio numbers: one that names it exactly first, then by the bare number."""
    spellings = [
        s for address in proxy_addresses[:10] for s in addresses.spellings(address)
    ]
    if not spellings:
        return []
    few = list(dict.fromkeys(spellings))[: database.MOST_ALTERNATIVES]
    query = database.filtered(_POOLS.name, [("addresses", "array_contains_any", few)])
    found = database.find(query.limit(_MOST_WITH_ONE_NUMBER))
    exact = set(proxy_addresses)
    return sorted(found, key=lambda s: (not exact & set(of(s).addresses), s.id))


def twins(numbers: Iterable[str], other_than: str) -> dict[str, tuple[str, ...]]:
    """Other pools with one of these numbers, by id; 20 at most, for 120 spellings at most."""
    wanted = sorted(
        {form for number in numbers for form in addresses.on_same_channel(number)}
    )
    found = _POOLS.having_any("addresses", wanted, _MOST_TWINS + 1)
    return {name: one.addresses for name, one in found.items() if name != other_than}


def overflow_of(pool: Pool) -> list[str | None]:
    """The pools into which this one overflows, one after the other, until one is met again, or has neither a record nor
    workers (None)."""
    chain: list[str | None] = []
    following = pool.overflow
    while following and len(chain) < _LONGEST_CHAIN:
        record = database.read(reference(following))[0]
        is_known = following in (pool.id, *chain)
        chain.append(
            following if record.exists or workers.how_many(following) else None
        )
        following = of(record).overflow if record.exists and not is_known else None
    return chain


def overflowing_into(pool_id: str) -> list[str]:
    """The pools that overflow into this one; 20 at most."""
    query = database.filtered(_POOLS.name, [("overflow", "==", pool_id)]).select([])
    return [record.id for record in database.find(query.limit(_MOST_TWINS))]


def write(record: Snapshot, fields: Mapping[str, Any]) -> None:
    """Writes these fields where the record is still as it was read; raises database.LostRace."""
    database.write(record.reference, dict(fields), record.update_time)
