"""The collection workers. What the service keeps in it, only the ledger (assignment/ledger.py) writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from domain.pool import Pool
from domain.strategies import STRATEGIES
from domain.worker import PERSON, Worker, is_identity, key_of, parse
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import Query

_WORKERS = database.Collection("workers", parse)
reference, of, load, load_all = (
    _WORKERS.reference,
    _WORKERS.of,
    _WORKERS.load,
    _WORKERS.load_all,
)
after = _WORKERS.after
_MOST_ALIKE = 20
_LONGEST_VALUE = 1500  # bytes, in a query
_COUNTED_UP_TO = 1000  # one billed read; more workers in one pool are "1000 or more"


def called(identity: str) -> Worker | None:
    """Return the worker meant by this name: a confirmed record with exactly this name; else one whose name differs in
    case, blanks and invisible characters only. Of several the confirmed one wins, and of those a person's."""
    exact = load(identity)
    if exact.confirmed:
        return exact
    found = _alike(identity, [("confirmed", "==", True)])
    if found:
        return min(found, key=lambda one: (not one.can_sign_in, one.made_by != PERSON))
    return exact if exact.version is not None else named(identity)


def named(identity: str) -> Worker | None:
    """Return the first worker whose name differs from this in case, blanks and invisible characters at most."""
    return next(iter(_alike(identity, [])), None)


def _alike(identity: str, conditions: database.Conditions) -> list[Worker]:
    """Return at most 20 of them, in the order of their names. A name of invisible characters only is nobody's."""
    key = key_of(identity)
    if not 0 < len(key.encode()) <= _LONGEST_VALUE:
        return []
    return _WORKERS.find([("key", "==", key), *conditions], ("__name__",), _MOST_ALIKE)


def confirmed(identities: Iterable[str]) -> dict[str, Worker]:
    """Return those of them who are confirmed workers, by identity, in one round trip; anything else is left out."""
    found = load_all(one for one in dict.fromkeys(identities) if is_identity(one))
    return {worker.identity: worker for worker in found if worker.confirmed}


def free(pool: Pool, limit: int, not_to_ask: Collection[str]) -> list[Worker]:
    """Workers of the pool who are Available, not full, and may be asked, in the order of the pool's strategy.

    `limit` of them where there are so many; reads no more documents than these and those who may not be asked.
    """
    conditions = [
        ("pools", "array_contains", pool.id),
        ("status", "==", "Available"),
        ("full", "==", False),
    ]
    found = _WORKERS.find(
        conditions, STRATEGIES[pool.strategy].order, limit + len(not_to_ask)
    )
    return [one for one in found if one.identity not in not_to_ask]


def available(pool_id: str, limit: int) -> list[Worker]:
    """Available workers of the pool in no order, full or not, also those whose record is not complete yet."""
    return _WORKERS.find(
        [("pools", "array_contains", pool_id), ("status", "==", "Available")], (), limit
    )


def who_missed(limit: int) -> list[Worker]:
    """Workers from whom conversations went back for want of an answer, most of them first."""
    return _WORKERS.find([("missed", ">", 0)], ("-missed",), limit)


def busy(limit: int) -> list[Worker]:
    """Those who say that they hold something or are full, in no order, `limit` of each at most."""
    holding, full = database.together(
        lambda: _WORKERS.find([("active", ">", 0)], (), limit),
        lambda: _WORKERS.find([("full", "==", True)], (), limit),
    )
    return list({worker.identity: worker for worker in [*holding, *full]}.values())


def with_device(fingerprint: str, limit: int) -> list[Worker]:
    """Workers whose record holds a device with this fingerprint (domain/device.py), in no order."""
    return _WORKERS.find(
        [("device_endpoints", "array_contains", fingerprint)], (), limit
    )


def how_many(pool_id: str) -> int:
    """Workers in the pool, counted up to 1000."""
    return database.count(_members(pool_id), _COUNTED_UP_TO)


def how_many_available(pool_id: str) -> int:
    """Those of them who are Available, full or not, counted up to 1000."""
    return database.count(
        _members(pool_id, ("status", "==", "Available")), _COUNTED_UP_TO
    )


def _members(pool_id: str, *conditions: tuple[str, str, Any]) -> Query:
    return database.filtered(
        _WORKERS.name, [("pools", "array_contains", pool_id), *conditions]
    )
