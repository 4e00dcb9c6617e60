"""The collection workers. What the service keeps in it, only the ledger (assignment/ledger.py) writes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from domain.pool import Pool
from domain.strategies import STRATEGIES
from domain.worker import Worker, key_of, parse
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import Query

_WORKERS = database.Collection("workers", parse)
reference, of, load, load_all = _WORKERS.reference, _WORKERS.of, _WORKERS.load, _WORKERS.load_all
after = _WORKERS.after
_COUNTED_UP_TO = 1000  # one billed read; more workers in one pool are "1000 or more"


def named(identity: str) -> Worker | None:
    """The worker whose name this is but for case, blanks and what cannot be seen; the first of several."""
    return next(iter(_WORKERS.find([("key", "==", key_of(identity))], ("__name__",), 1)), None)


def free(pool: Pool, limit: int, not_to_ask: Collection[str]) -> list[Worker]:
    """Workers of the pool who are Available, not full, and may be asked, in the order of the pool's strategy.

    `limit` of them where there are so many; reads no more documents than these and those who may not be asked.
    """
    conditions = [("pools", "array_contains", pool.id), ("status", "==", "Available"), ("full", "==", False)]
    found = _WORKERS.find(conditions, STRATEGIES[pool.strategy].order, limit + len(not_to_ask))
    return [one for one in found if one.identity not in not_to_ask]


def available(pool_id: str, limit: int) -> list[Worker]:
    """Available workers of the pool in no order, full or not, also those whose record is not complete yet."""
    return _WORKERS.find([("pools", "array_contains", pool_id), ("status", "==", "Available")], (), limit)


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
    return _WORKERS.find([("device_endpoints", "array_contains", fingerprint)], (), limit)


def how_many(pool_id: str) -> int:
    """Workers in the pool, counted up to 1000."""
    return database.count(_members(pool_id), _COUNTED_UP_TO)


def how_many_available(pool_id: str) -> int:
    """Those of them who are Available, full or not, counted up to 1000."""
    return database.count(_members(pool_id, ("status", "==", "Available")), _COUNTED_UP_TO)


def _members(pool_id: str, *conditions: tuple[str, str, Any]) -> Query:
    return database.filtered(_WORKERS.name, [("pools", "array_contains", pool_id), *conditions])
