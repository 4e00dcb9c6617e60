"""Fills a database: pools, customers, and as many workers, queued conversations and old ones as asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

from google.cloud import firestore

from domain.worker import key_of

SALES, CROWD, VIP, NEWS, OTHER = (f"+1555000800{n}" for n in range(5))  # Twilio numbers
ADA = "+15550000001"  # a customer with a record and a worker of her own
OWN = "own@example.com"  # Ada's worker
PULLS, CLOSES = "pulls@example.com", "closes@example.com"  # of the crowded pool
_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_BY_A_PERSON = {"made_by": "person", "confirmed": True}
_AT_ONCE = 500  # writes in one commit

Record = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Size:
    """How much there is. Half of the workers are Available in sales and default, half Unavailable in crowd."""

    workers: int = 10
    queued: int = 0
    log: int = 0


def fill(db: firestore.Client, size: Size) -> None:
    """Everything that `proof.operations` works on, and `size` of the rest around it."""
    records = chain(
        _named(), _workers(size.workers), _queue(size.queued), _log(size.log)
    )
    while part := list(islice(records, _AT_ONCE)):
        write(db, part)


def write(db: firestore.Client, records: Iterable[Record]) -> None:
    """These documents in one commit; any that exist are replaced."""
    batch = db.batch()
    for path, data in records:
        collection, _, name = path.partition("/")
        known = {"key": key_of(name), **_BY_A_PERSON} if collection == "workers" else {}
        batch.set(db.document(path), known | data)
    batch.commit()


def worker(status: str, *pools: str, **more: Any) -> dict[str, Any]:
    """A complete record, which no trigger has to care for."""
    kept = {"active": 0, "full": False, "last_assigned_at": None, "status_since": _THEN}
    return {"status": status, "pools": list(pools), **kept, **more}


def _named() -> Iterator[Record]:
    yield "settings/routing", {"mode": "pool"}
    yield "pools/default", {"display_name": "Default", "capacity": None}
    yield (
        "pools/sales",
        {"display_name": "Sales", "addresses": [SALES], "capacity": None},
    )
    yield "pools/crowd", {"display_name": "Crowd", "addresses": [CROWD], "capacity": 1}
    yield "pools/vip", {"display_name": "VIP", "addresses": [VIP], "mode": "custom"}
    yield "pools/news", {"display_name": "News", "addresses": [NEWS], "mode": "none"}
    ada = {
        "display_name": "Ada Byron",
        "addresses": [ADA],
        "worker": OWN,
        "avatar": "https://example.com/a.png",
    }
    yield "customers/ada", ada
    yield f"workers/{OWN}", worker("Unavailable", "vip", capacity=5)
    yield f"workers/{PULLS}", worker("Unavailable", "crowd")
    yield f"workers/{CLOSES}", worker("Unavailable", "crowd")


def _workers(number: int) -> Iterator[Record]:
    for n in range(number):
        at = _THEN + timedelta(seconds=n)
        fields = worker("Available", "sales", "default", last_assigned_at=at)
        if n % 2:
            fields = worker("Unavailable", "crowd", last_assigned_at=at)
        yield f"workers/w{n:05}@example.com", fields


def conversation(n: int, state: str, pool: str, **more: Any) -> Record:
    """A record of the log."""
    at = _THEN + timedelta(seconds=n)
    fields = {
        "state": state,
        "mode": "pool",
        "pool": pool,
        "customer_id": f"c{n}",
        "display_name": f"C {n}",
    }
    times = {
        "created_at": at,
        "arrived_at": at,
        "queued_at": at,
        "address": f"+1555{n:07}",
        "attempts": 0,
    }
    story = [
        {"at": at, "what": state, "why": "no one in Crowd is Available; 5 Unavailable"}
    ]
    return f"conversations/CH{n:032x}", fields | times | {
        "log": story,
        "priority": 0,
    } | more


def _queue(number: int) -> Iterator[Record]:
    for n in range(number):
        yield conversation(n, "queued", "crowd")
        at = _THEN + timedelta(seconds=n)
        entry = {
            "pool": "crowd",
            "priority": 0,
            "queued_at": at,
            "excluded_workers": [],
        }
        yield f"pending_conversations/CH{n:032x}", entry


def _log(number: int) -> Iterator[Record]:
    for n in range(1_000_000, 1_000_000 + number):
        more = {
            "worker": f"w{n % 1000:05}@example.com",
            "waited": 3.5,
            "closed_at": _THEN,
        }
        yield conversation(n, "closed", "sales", **more)
