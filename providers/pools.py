"""The collection pools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from domain import addresses
from domain.pool import Pool, parse
from domain.worker import Worker
from providers import database

if TYPE_CHECKING:
    from providers.database import Snapshot

_POOLS = database.Collection("pools", parse)
reference, of, checked = _POOLS.reference, _POOLS.of, _POOLS.checked
_MOST_WITH_ONE_NUMBER = 3  # enough to see that a number is claimed twice


def load(*pool_ids: str) -> dict[str, Pool]:
    """These pools in one round trip."""
    return {pool.id: pool for pool in _POOLS.load_all(pool_ids)}


def deciding(worker: Worker, known: Mapping[str, Pool]) -> Mapping[str, Pool]:
    """`known`, and more of the worker's pools where these do not settle whether there is room for one and for two.

    The capacity is the largest of the pools', so one pool that leaves room is enough.
    """
    mine = [known[name] for name in worker.decisive_pools if name in known]
    if any((worker.active or 0) + 1 < pool.capacity for pool in mine):
        return known
    return {**known, **load(*(name for name in worker.decisive_pools if name not in known))}


def load_checked(pool_ids: Iterable[str]) -> dict[str, Pool]:
    """These pools in one round trip; what makes no sense is told in the records."""
    wanted = list(map(reference, pool_ids))
    return {pool.id: pool for pool in map(checked, database.read(*wanted))} if wanted else {}


def of_numbers(proxy_addresses: Sequence[str]) -> list[Snapshot]:
    """The pools that name one of these Twilio numbers: one that names it exactly first, then by the bare number."""
    spellings = [s for address in proxy_addresses[:10] for s in addresses.spellings(address)]
    if not spellings:
        return []
    conditions = [("addresses", "array_contains_any", list(dict.fromkeys(spellings)))]
    found = database.find(database.filtered(_POOLS.name, conditions).limit(_MOST_WITH_ONE_NUMBER))
    exact = set(proxy_addresses)
    return sorted(found, key=lambda s: (not exact & set(of(s).addresses), s.id))
