"""Who is served first, and who serves: the queue's order, an edited priority, the strategies."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain.pool import Pool
from domain.strategies import STRATEGIES, in_order
from domain.worker import Worker
from providers import workers
from tests.core import records
from tests.core.records import conversation, workers_in
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"


def order_of(db: Client, sids: list[str]) -> list[int]:
    """The conversations by the moment when they were given to somebody."""
    return sorted(
        range(len(sids)), key=lambda n: conversation(db, sids[n])["assigned_at"]
    )


def test_oldest_first_and_a_larger_priority_before_all(
    service: Service, db: Client
) -> None:
    sids = [write(service, f"+1555000000{n}") for n in range(4)]
    db.document(f"pending_conversations/{sids[2]}").update({"priority": 5})
    db.document(f"pending_conversations/{sids[3]}").update({"priority": -1})
    records.worker(db, ANN)
    service.settle()
    assert order_of(db, sids) == [2, 0, 1, 3]


def test_a_priority_stays_with_the_conversation_that_comes_back(
    service: Service, db: Client
) -> None:
    first, second = write(service, "+15550000001"), write(service, "+15550000002")
    db.document(f"pending_conversations/{second}").update({"priority": 5})
    records.worker(db, ANN, capacity=1)
    service.settle()
    assert workers_in(service.standin, second) == [ANN]
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    service.standin.worker_leave(second, ANN)
    service.settle()
    assert records.read(db, "pending_conversations", second)["priority"] == 5
    records.worker(db, BEN, capacity=1)
    service.settle()
    assert (
        workers_in(service.standin, first),
        workers_in(service.standin, second),
    ) == ([], [BEN])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_firestore_finds_the_free_in_the_order_of_the_rule(
    service: Service, db: Client, strategy: str
) -> None:
    chance, now = random.Random(1), datetime.now(UTC)
    for number in range(12):
        assigned = chance.choice(
            [None, *(now - timedelta(minutes=m) for m in (1, 2, 3))]
        )
        fields: dict[str, Any] = {
            "active": chance.randrange(3),
            "last_assigned_at": assigned,
        }
        records.worker(
            db, f"w{number}@example.com", full=False, status_since=now, **fields
        )
    service.settle()
    found = workers.free(Pool("default", "Default", strategy=strategy), 20, ())
    assert len(found) == 12
    by_rule = in_order(strategy, found)
    assert [_rank(one, strategy) for one in found] == [
        _rank(one, strategy) for one in by_rule
    ]
    first, *others = [_rank(one, strategy) for one in found]
    chance.shuffle(found)
    assert [_rank(one, strategy) for one in in_order(strategy, found)] == [
        first,
        *others,
    ]
    rest = workers.free(
        Pool("default", "Default", strategy=strategy), 11, {by_rule[0].identity}
    )
    assert by_rule[0] not in rest
    assert [_rank(one, strategy) for one in rest] == others


def _rank(worker: Worker, strategy: str) -> list[object]:
    return [getattr(worker, name) for name in STRATEGIES[strategy].order]


def test_who_was_never_assigned_comes_before_who_was() -> None:
    old = Worker("old", last_assigned_at=datetime(2026, 1, 1, tzinfo=UTC))
    new = replace(old, identity="new", last_assigned_at=None)
    assert [one.identity for one in in_order("longest_idle", [old, new])] == [
        "new",
        "old",
    ]


def test_one_that_twilio_refuses_on_waking_up_goes_to_another_at_once(
    service: Service, db: Client
) -> None:
    """Asleep before it was confirmed; awake again, its worker cannot be added: nobody waits beside a free one."""
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(status=401, code=20003, path="Participants", method="POST")
    sid = write(service)
    service.standin.set_state(sid, "inactive")
    service.settle()
    records.set_status(db, ANN, "Unavailable")
    records.worker(db, BEN)
    service.settle()
    service.standin.heal()
    service.standin.fail(
        status=400, code=50214, path="Participants", method="POST", times=1
    )
    service.standin.set_state(sid, "active")
    service.settle()
    assert workers_in(service.standin, sid) == [BEN]


def test_one_that_twilio_refuses_in_the_sweep_goes_to_another_at_once(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(status=401, code=20003, path="Participants", method="POST")
    sid = write(service)
    records.set_status(db, ANN, "Unavailable")
    records.worker(db, BEN)
    service.settle()
    service.standin.heal()
    service.standin.fail(
        status=400, code=50214, path="Participants", method="POST", times=1
    )
    with later(timedelta(minutes=1)):
        sweep(service)
    assert workers_in(service.standin, sid) == [BEN]
