"""The collection workers. Only the ledger (assignment/ledger.py) writes the fields that the service maintains."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
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
    """Return the worker that this name means.

    A confirmed record of exactly this name wins; else the name may differ in case, blanks and invisible characters. Of
    several, a confirmed record wins, and of those one that a person made.
    """
    exact = load(identity)
    if exact.confirmed:
        return exact
    similar = _alike(identity, [("confirmed", "==", True)])
    if similar:
        return min(similar, key=_rank)
    return exact if exact.version is not None else named(identity)


def _rank(worker: Worker) -> tuple[bool, bool]:
    return not worker.can_sign_in, worker.made_by != PERSON


def named(identity: str) -> Worker | None:
    """Return the first worker of this name, which may differ in case, blanks and invisible characters."""
    return next(iter(_alike(identity, [])), None)


def _alike(identity: str, conditions: database.Conditions) -> list[Worker]:
    """Return at most 20 workers of such a name, by name; none for a name without visible characters."""
    key = key_of(identity)
    if not 0 < len(key.encode()) <= _LONGEST_VALUE:
        return []
    return _WORKERS.find([("key", "==", key), *conditions], ("__name__",), _MOST_ALIKE)


def confirmed(identities: Iterable[str]) -> dict[str, Worker]:
    """Return the confirmed workers among these identities, by identity, in one round trip."""
    records = load_all(filter(is_identity, dict.fromkeys(identities)))
    return {worker.identity: worker for worker in records if worker.confirmed}


def free(pool: Pool, limit: int, not_to_ask: Collection[str]) -> list[Worker]:
    """Return workers of the pool that are Available and not full, in the order of the pool's strategy.

    Leaves out `not_to_ask`. Returns `limit` workers or more; reads at most `limit` documents and one for each left out.
    """
    conditions = [
        ("pools", "array_contains", pool.id),
        ("status", "==", "Available"),
        ("full", "==", False),
    ]
    candidates = _WORKERS.find(
        conditions, STRATEGIES[pool.strategy].order, limit + len(not_to_ask)
    )
    return [worker for worker in candidates if worker.identity not in not_to_ask]


def available(pool_id: str, limit: int) -> list[Worker]:
    """Return Available workers of the pool in no order, full or not, even with an incomplete record."""
    return _WORKERS.find(
        [("pools", "array_contains", pool_id), ("status", "==", "Available")], (), limit
    )


def in_pools(names: Collection[str], limit: int) -> list[Worker]:
    """Return workers with one of these names in `pools`, in no order."""
    if not names:
        return []
    return _WORKERS.find([("pools", "array_contains_any", sorted(names))], (), limit)


def who_missed(limit: int) -> list[Worker]:
    """Return workers that lost conversations because they did not answer in time, most losses first."""
    return _WORKERS.find([("missed", ">", 0)], ("-missed",), limit)


def some(limit: int = 20) -> list[Worker]:
    """Return any workers, in no order."""
    return _WORKERS.find([], (), limit)


def busy(limit: int) -> list[Worker]:
    """Return the workers with a positive count or marked as full, in no order, `limit` of each at most."""
    holding, full = database.together(
        lambda: _WORKERS.find([("active", ">", 0)], (), limit),
        lambda: _WORKERS.find([("full", "==", True)], (), limit),
    )
    return list({worker.identity: worker for worker in [*holding, *full]}.values())


def supervisors(limit: int) -> list[Worker]:
    """Return the confirmed supervisors, in no order."""
    conditions = [("role", "==", "supervisor"), ("confirmed", "==", True)]
    return _WORKERS.find(conditions, (), limit)


def with_device(fingerprint: str, limit: int) -> list[Worker]:
    """Return the workers with a device of this fingerprint (domain/device.py), in no order."""
    return _WORKERS.find(
        [("device_endpoints", "array_contains", fingerprint)], (), limit
    )


def how_many(pool_id: str) -> int:
    """Count the workers in the pool, up to 1000."""
    return database.count(_members(pool_id), _COUNTED_UP_TO)


def how_many_available(pool_id: str) -> int:
    """Count the Available workers in the pool, full or not, up to 1000."""
    return database.count(
        _members(pool_id, ("status", "==", "Available")), _COUNTED_UP_TO
    )


def _members(pool_id: str, *conditions: tuple[str, str, Any]) -> Query:
    """Return the query for the workers of a pool that meet these conditions."""
    return database.filtered(
        _WORKERS.name, [("pools", "array_contains", pool_id), *conditions]
    )


def every(limit: int) -> list[Worker]:
    """Return all workers, by identity, at most `limit`."""
    return _WORKERS.after(None, limit)


def changed_status_since(at: datetime, limit: int) -> list[Worker]:
    """Return the workers whose status has changed since then, the earliest first."""
    return _WORKERS.find([("status_since", ">", at)], ("status_since",), limit)
