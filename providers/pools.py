"""The collection pools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from domain import addresses
from domain.pool import Pool, parse
from domain.worker import Worker
from providers import database, problems

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from providers.database import Snapshot

_MOST_WITH_ONE_NUMBER = 3  # enough to see that a number is claimed twice


def reference(pool_id: str) -> DocumentReference:
    return database.document("pools", pool_id)


def of(snapshot: Snapshot) -> Pool:
    return parse(snapshot.id, snapshot.to_dict())


def checked(snapshot: Snapshot) -> Pool:
    """The pool; what makes no sense in its record is told there."""
    pool = of(snapshot)
    problems.keep_true(snapshot, pool.problem)
    return pool


def load(*pool_ids: str) -> dict[str, Pool]:
    """These pools in one round trip."""
    return {pool.id: pool for pool in map(of, _read(pool_ids))}


def deciding(worker: Worker, known: Mapping[str, Pool]) -> Mapping[str, Pool]:
    """`known`, and more of the worker's pools where these do not settle whether there is room for one and for two.

    The capacity is the largest of the pools', so one pool that leaves room is enough.
    """
    mine = [known[name] for name in worker.decisive_pools if name in known]
    if any((worker.active or 0) + 1 < pool.capacity for pool in mine):
        return known
    return {**known, **load(*(name for name in worker.decisive_pools if name not in known))}


def load_checked(pool_ids: Iterable[str]) -> dict[str, Pool]:
    """The same; what makes no sense is told in the records."""
    return {pool.id: pool for pool in map(checked, _read(pool_ids))}


def _read(pool_ids: Iterable[str]) -> list[Snapshot]:
    wanted = [reference(pool_id) for pool_id in pool_ids]
    return database.read(*wanted) if wanted else []


def of_numbers(proxy_addresses: Sequence[str]) -> list[Snapshot]:
    """The pools that name one of these Twilio numbers: one that names it exactly first, then by the bare number."""
    spellings = [s for address in proxy_addresses[:10] for s in addresses.spellings(address)]
    if not spellings:
        return []
    query = database.filtered("pools", [("addresses", "array_contains_any", list(dict.fromkeys(spellings)))])
    found = database.find(query.limit(_MOST_WITH_ONE_NUMBER))
    exact = set(proxy_addresses)
    return sorted(found, key=lambda s: (not exact & set(of(s).addresses), s.id))
