"""The collection workers. What the service keeps in it, only the ledger (assignment/ledger.py) writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.pool import Pool
from domain.strategies import STRATEGIES
from domain.worker import Worker, parse
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Query

    from providers.database import Snapshot

_COUNTED_UP_TO = 1000  # one billed read; more workers in one pool are "1000 or more"


def reference(identity: str) -> DocumentReference:
    return database.document("workers", identity)


def of(snapshot: Snapshot) -> Worker:
    return parse(snapshot.id, snapshot.to_dict(), snapshot.update_time if snapshot.exists else None)


def load(identity: str) -> Worker:
    return of(database.read(reference(identity))[0])


def free(pool: Pool, limit: int) -> list[Worker]:
    """Workers of the pool who are Available and not full, in the order of the pool's strategy.

    Reads at most `limit` documents however many workers there are.
    """
    conditions = [("pools", "array_contains", pool.id), ("status", "==", "Available"), ("full", "==", False)]
    query = database.ordered(database.filtered("workers", conditions), STRATEGIES[pool.strategy].order, limit)
    return [of(snapshot) for snapshot in database.find(query)]


def available(pool_id: str, limit: int) -> list[Worker]:
    """Available workers of the pool in no order, full or not, also those whose record is not complete yet."""
    query = _members(pool_id, ("status", "==", "Available")).limit(limit)
    return [of(snapshot) for snapshot in database.find(query)]


def after(name: str | None, limit: int) -> list[Worker]:
    """Workers in the order of their names, for going through all of them in turns."""
    return [of(snapshot) for snapshot in database.after("workers", (), name, limit)]


def how_many(pool_id: str) -> int:
    """Workers in the pool, counted up to 1000."""
    return database.count(_members(pool_id), _COUNTED_UP_TO)


def how_many_available(pool_id: str) -> int:
    """Those of them who are Available, full or not, counted up to 1000."""
    return database.count(_members(pool_id, ("status", "==", "Available")), _COUNTED_UP_TO)


def _members(pool_id: str, *conditions: tuple[str, str, Any]) -> Query:
    return database.filtered("workers", [("pools", "array_contains", pool_id), *conditions])
