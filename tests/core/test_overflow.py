"""Priority of pools and customers, entries that a person moves, and overflow from one pool into another."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from assignment import ledger
from domain import edits, rules, transitions
from domain.conversation import Conversation, Pending
from domain.pool import Pool
from domain.pool import parse as parse_pool
from providers import conversations, pending
from tests.core import records
from tests.core.records import conversation, workers_in
from tests.core.test_hand_over import breaches, story
from tests.core.test_order import order_of
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.service import Service

ANN, BEN, CAT = (f"{name}@example.com" for name in ("ann", "ben", "cat"))
SALES, HELP = "+15550008888", "+15550007777"
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture
def firm(service: Service, db: Client) -> Client:
    """Sales overflows into Support after a minute; nobody of Sales is there."""
    records.pool(
        db,
        "sales",
        display_name="Sales",
        addresses=[SALES],
        overflow="help",
        overflow_after=60,
    )
    records.pool(db, "help", display_name="Support", addresses=[HELP])
    records.worker(db, ANN, "Unavailable", pools=["sales"])
    records.worker(db, "dan@example.com", "Unavailable", pools=["help"])
    service.settle()
    return db


def entry(db: Client, sid: str) -> dict[str, Any]:
    return records.read(db, "pending_conversations", sid)


# Priority


def test_the_customers_priority_wins_over_the_pools(
    service: Service, db: Client
) -> None:
    records.pool(db, "default", priority=3)
    for number, priority in enumerate((None, 5, 0, "high", -1)):
        fields = {} if priority is None else {"priority": priority}
        records.customer(db, f"c{number}", addresses=[f"+1555000000{number}"], **fields)
    sids = [write(service, f"+1555000000{number}") for number in range(6)]
    assert [entry(db, sid)["priority"] for sid in sids] == [3, 5, 0, 3, -1, 3]
    assert (
        "priority must be a whole number"
        in records.read(db, "customers", "c3")["problem"]
    )
    records.worker(db, ANN, capacity=None)
    service.settle()
    assert order_of(db, sids) == [1, 0, 3, 5, 2, 4]


def test_a_moved_entry_is_pulled_in_the_new_pool_and_its_conversation_is_there(
    firm: Client, service: Service
) -> None:
    old, moved = (
        write(service, "+15550000001", HELP),
        write(service, "+15550000002", SALES),
    )
    firm.document(f"pending_conversations/{moved}").update(
        {"pool": "help", "priority": 9}
    )
    records.worker(firm, BEN, pools=["help"], capacity=1)
    service.settle()
    assert (workers_in(service.standin, moved), workers_in(service.standin, old)) == (
        [BEN],
        [],
    )
    assert (
        conversation(firm, moved)["pool"],
        conversation(firm, moved)["priority"],
    ) == ("help", 9)


def test_the_log_follows_a_moved_entry_with_the_next_sweep_and_whoever_is_free_there_takes_it(
    firm: Client, service: Service
) -> None:
    records.worker(firm, BEN, pools=["other"])
    service.settle()
    sid = write(service, "+15550000002", SALES)
    firm.document(f"pending_conversations/{sid}").update(
        {"pool": "help", "priority": 9}
    )
    sweep(service)
    record = conversation(firm, sid)
    assert (record["state"], record["pool"], record["priority"], record["due_at"]) == (
        "queued",
        "help",
        9,
        None,
    )
    assert "queued: moved to Support by hand" in story(firm, sid)
    assert not breaches(service, firm)
    firm.document(f"pending_conversations/{sid}").update({"pool": "other"})
    sweep(service)
    assert workers_in(service.standin, sid) == [BEN]


def test_an_edited_priority_outlives_whatever_else_is_written(
    service: Service, db: Client
) -> None:
    sid = write(service)
    db.document(f"pending_conversations/{sid}").update({"priority": 5})
    record = conversations.load(sid)
    ledger.move(record, replace(record, others=(BEN,)))
    assert entry(db, sid)["priority"] == 5


# Overflow


@pytest.mark.parametrize(
    ("seconds", "is_open"),
    [(-0.001, False), (0.0, True), (1.0, True)],
    ids=["before", "at", "after"],
)
def test_the_time_is_up_exactly_at_the_second(seconds: float, is_open: bool) -> None:
    pool = Pool("sales", "Sales", overflow="help", overflow_after=60)
    waits = Conversation("CH1", created_at=NOW, queued_at=NOW)
    back = transitions.queued(waits, pool, NOW + timedelta(seconds=60 + seconds), "")
    assert (back.open_to, back.due_at) == (
        (("help",), None) if is_open else ((), NOW + timedelta(seconds=60))
    )
    assert rules.overflows_at(Pool("a", "A", overflow_after=60), NOW) is None
    assert (
        rules.overflows_at(Pool("a", "A", overflow="b", overflow_after=None), NOW)
        is None
    )


@pytest.mark.parametrize(
    ("typed", "read", "is_told"),
    [
        ({"overflow": "help"}, ("help", 0), False),
        ({"overflow": " help ", "overflow_after": 60.0}, ("help", 60), False),
        ({"overflow": "help", "overflow_after": None}, ("help", None), False),
        ({"overflow": "help", "overflow_after": "soon"}, ("help", None), True),
        ({"overflow": "help", "overflow_after": -1}, ("help", None), True),
        ({"overflow": "sales", "overflow_after": 60}, (None, 60), True),
        ({"overflow": "a/b"}, (None, 0), True),
        ({"overflow": 5}, (None, 0), True),
        ({"priority": "high"}, (None, 0), True),
    ],
)
def test_what_is_typed_into_a_pool_is_read_as_meant(
    typed: dict[str, Any], read: tuple[str | None, int | None], is_told: bool
) -> None:
    pool = parse_pool("sales", typed)
    assert ((pool.overflow, pool.overflow_after), pool.problem is not None) == (
        read,
        is_told,
    )
    assert pool.priority == 0


def test_the_sweep_finds_what_is_due_exactly_at_the_second(db: Client) -> None:
    db.document("pending_conversations/CH1").set({"pool": "sales", "due_at": NOW})
    assert [one.sid for one in pending.due(NOW, 10)] == ["CH1"]
    assert pending.due(NOW - timedelta(microseconds=1), 10) == []


def test_before_its_time_only_its_own_pool_takes_it(
    firm: Client, service: Service
) -> None:
    records.worker(firm, BEN, pools=["help"])
    service.settle()
    sid = write(service, "+15550000001", SALES)
    with later(timedelta(seconds=45)):
        sweep(service)
        assert workers_in(service.standin, sid) == []
        records.set_status(firm, ANN, "Available")
        service.settle()
    assert workers_in(service.standin, sid) == [ANN]


def test_after_it_whoever_is_free_there_takes_it_with_the_next_sweep(
    firm: Client, service: Service
) -> None:
    records.worker(firm, BEN, pools=["help"])
    service.settle()
    sid = write(service, "+15550000001", SALES)
    with later(timedelta(seconds=61)):
        sweep(service)
        assert not breaches(service, firm)
    assert workers_in(service.standin, sid) == [BEN]
    assert conversation(firm, sid)["pool"] == "sales"
    assert re.search(
        r"overflow: no worker of Sales was free for 1 min \d+ s: Support may take it, too",
        story(firm, sid),
    )
    assert "as overflow of sales" in story(firm, sid)


def test_the_oldest_goes_first_among_all_whom_a_worker_may_take(
    firm: Client, service: Service
) -> None:
    first, second = (
        write(service, "+15550000001", HELP),
        write(service, "+15550000002", SALES),
    )
    third = write(service, "+15550000003", HELP)
    vip = write(service, "+15550000004", SALES)
    firm.document(f"pending_conversations/{vip}").update({"priority": 1})
    sids = [first, second, third, vip]
    with later(timedelta(seconds=61)):
        sweep(service)
        records.worker(firm, BEN, pools=["help"])
        service.settle()
    assert all(workers_in(service.standin, sid) == [BEN] for sid in sids)
    assert order_of(firm, sids) == [3, 0, 1, 2]


def test_both_pools_may_take_it_once_it_is_open(firm: Client, service: Service) -> None:
    sid = write(service, "+15550000001", SALES)
    with later(timedelta(seconds=61)):
        sweep(service)
        assert entry(firm, sid)["open_to"] == ["help"]
        assert sweep(service) == {}
        records.set_status(firm, ANN, "Available")
        service.settle()
    assert workers_in(service.standin, sid) == [ANN]
    assert conversation(firm, sid)["open_to"] == []


def test_at_once_means_at_once(firm: Client, service: Service) -> None:
    firm.document("pools/sales").update({"overflow_after": 0})
    records.worker(firm, BEN, pools=["help"])
    service.settle()
    assert workers_in(service.standin, write(service, "+15550000001", SALES)) == [BEN]


def test_one_whom_twilio_refuses_leaves_it_to_the_next_of_either_pool(
    firm: Client, service: Service
) -> None:
    records.worker(firm, BEN, pools=["help"])
    records.worker(firm, CAT, pools=["help"])
    service.settle()
    sid = write(service, "+15550000001", SALES)
    service.standin.fail(
        status=400, code=50214, path="Participants", method="POST", times=1
    )
    with later(timedelta(seconds=61)):
        sweep(service)
        service.settle()
        assert not breaches(service, firm)
    assert workers_in(service.standin, sid)


@pytest.mark.parametrize(
    ("edit", "taken"), [({"overflow_after": 10}, True), ({"overflow": "other"}, False)]
)
def test_an_edit_of_the_pool_holds_for_those_who_wait(
    firm: Client, service: Service, edit: dict[str, Any], taken: bool
) -> None:
    records.worker(firm, BEN, pools=["help"])
    service.settle()
    sid = write(service, "+15550000001", SALES)
    firm.document("pools/sales").update(edit)
    service.settle()
    with later(timedelta(seconds=11 if taken else 61)):
        sweep(service)
    assert workers_in(service.standin, sid) == ([BEN] if taken else [])


def test_what_was_open_is_not_any_more_when_the_overflow_is_taken_back(
    firm: Client, service: Service
) -> None:
    sid = write(service, "+15550000001", SALES)
    with later(timedelta(seconds=61)):
        sweep(service)
        firm.document("pools/sales").update({"overflow": None})
        sweep(service)
        assert "open_to" not in entry(firm, sid)
        records.worker(firm, BEN, pools=["help"])
        service.settle()
    assert workers_in(service.standin, sid) == []


# What is told


def problem(db: Client, pool: str) -> str:
    return str(records.read(db, "pools", pool).get("problem", ""))


def test_an_overflow_that_helps_nobody_is_told_until_it_is_mended(
    firm: Client, service: Service
) -> None:
    records.pool(firm, "a", overflow="a")
    records.pool(firm, "b", overflow="nowhere")
    service.settle()
    assert "names the pool itself" in problem(firm, "a")
    assert "there is no pool called nowhere" in problem(firm, "b")
    assert problem(firm, "sales") == ""
    records.pool(firm, "nowhere")
    firm.document("pools/help").update({"overflow": "b"})
    firm.document("pools/b").update({"overflow": "sales"})
    service.settle()
    assert [
        ("is a circle" in problem(firm, name)) for name in ("sales", "help", "b", "a")
    ] == [
        True,
        True,
        True,
        False,
    ]
    assert "overflow: sales, help, b, sales is a circle" in problem(firm, "sales")
    firm.document("pools/b").update({"overflow": "nowhere"})
    service.settle()
    assert [problem(firm, name) for name in ("sales", "help", "b")] == ["", "", ""]


def test_an_entry_is_compared_with_the_log_by_what_a_person_may_have_moved() -> None:
    pool = Pool("sales", "Sales", overflow="help", overflow_after=60)
    waits = transitions.queued(Conversation("CH1", created_at=NOW), pool, NOW, "")
    same = Pending("CH1", "sales", (), None, NOW, 0, due_at=waits.due_at)
    assert edits.asked_for(same, waits, {"sales": pool}, NOW) == waits
    assert edits.is_told_right(same, waits)
    assert not edits.is_told_right(Pending("CH1", "sales", (), None, NOW, 0), waits)
