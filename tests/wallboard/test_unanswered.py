"""Customers without an answer on the wallboard: with which worker they wait, and what else went wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from google.cloud.firestore import Client
from werkzeug.test import TestResponse

from providers import clock
from tests.core import forms, records
from tests.core.records import conversation
from tests.core.test_answers import answer, pass_time, sweep
from tests.core.test_routing import write
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
ADA = "+15550000001"
Get = Callable[..., TestResponse]


@pytest.fixture
def get(client_for: Callable[[str], FlaskClient], project: str) -> Get:
    return lambda path="/", **more: client_for("wallboard").get(path, **more)


@pytest.fixture
def with_ann(service: Service, db: Client) -> str:
    """A conversation that Ann has; the pool has no answer deadline."""
    records.worker(db, ANN, display_name="Ann")
    service.settle()
    return write(service)


def stuck(get: Get) -> dict[str, str]:
    listed = get("/metrics").get_json()["stuck"]
    return {one["conversation"]: one["why"] for one in listed}


def test_one_who_has_waited_a_short_time_is_not_listed(
    service: Service, db: Client, get: Get, with_ann: str
) -> None:
    pass_time(service, 500)
    assert stuck(get) == {}


@pytest.mark.parametrize("state", ["active", "inactive"])
def test_one_who_waits_for_ten_minutes_is_listed_with_the_worker(
    service: Service, db: Client, get: Get, with_ann: str, state: str
) -> None:
    records.set_status(db, ANN, "Unavailable")
    if state == "inactive":
        service.standin.set_state(with_ann, state)
    service.settle()
    pass_time(service, 700)
    why = stuck(get)[with_ann]
    assert why.startswith("has waited 11 min")
    assert "for a reply from Ann, who is Unavailable" in why
    page = get("/").get_data(as_text=True)
    assert "Waiting for a reply" in page
    assert "for a reply from Ann, who is Unavailable" in page


def test_one_who_waits_while_the_pool_is_closed_is_not_listed(
    service: Service, db: Client, get: Get
) -> None:
    records.pool(db, "default", hours="closed")
    records.worker(db, ANN)
    service.settle()
    write(service)
    pass_time(service, 7000)
    assert stuck(get) == {}


def test_one_who_was_answered_is_not_listed(
    service: Service, db: Client, get: Get, with_ann: str
) -> None:
    answer(service, with_ann)
    pass_time(service, 7000)
    assert stuck(get) == {}


def test_a_lost_reply_is_listed_with_the_reason(
    service: Service, db: Client, get: Get, with_ann: str
) -> None:
    service.standin.refuse_delivery(ADA, 21610)
    answer(service, with_ann)
    why = stuck(get)[with_ann]
    assert why.startswith("the last reply did not reach the customer")
    assert "STOP" in why


def test_one_closed_before_any_reply_is_listed(
    service: Service, db: Client, get: Get
) -> None:
    sid = write(service)
    service.standin.set_state(sid, "closed")
    service.settle()
    assert "before any reply" in stuck(get)[sid]


def test_one_closed_after_a_reply_is_not_listed(
    service: Service, db: Client, get: Get, with_ann: str
) -> None:
    answer(service, with_ann)
    service.standin.set_state(with_ann, "closed")
    service.settle()
    assert stuck(get) == {}


def test_one_that_was_never_to_be_routed_is_not_listed(
    service: Service, db: Client, get: Get
) -> None:
    records.routing(db, mode="none")
    service.settle()
    sid, other = write(service), write(service, "+15550000002")
    service.standin.inbound("+15550000002", forms.PROXY, "Hello??")
    service.standin.set_state(sid, "closed")
    service.settle()
    assert stuck(get) == {}
    assert conversation(db, other)["state"] == "unrouted"


def test_an_unrouted_customer_who_goes_on_writing_is_listed(
    service: Service, db: Client, get: Get
) -> None:
    rules = {"own_worker": "available", "custom_fallback": "none"}
    records.routing(db, mode="custom", **rules)
    service.settle()
    first, second = write(service, ADA), write(service, "+15550000002")
    service.standin.inbound(ADA, forms.PROXY, "Hello??")
    service.settle()
    listed = stuck(get)
    assert "the customer wrote again" in listed[first]
    assert second not in listed


def test_one_that_needs_a_person_is_listed(
    service: Service, db: Client, get: Get
) -> None:
    records.pool(db, "default", answer_within=60)
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    for _ in range(10):
        pass_time(service, 400)
        sweep(service)
    assert conversation(db, sid)["returns"] == 5
    assert "came back to the queue 5 times" in stuck(get)[sid]


def _assigned(db: Client, number: int, priority: int) -> None:
    now = clock.now()
    fields: dict[str, Any] = {
        "state": "assigned",
        "pool": "default",
        "mode": "pool",
        "worker": ANN,
        "priority": priority,
        "created_at": now,
        "assigned_at": now + timedelta(seconds=1),
        "awaiting_since": None,
    }
    db.document(f"conversations/CH{number:032x}").set(fields)


@pytest.mark.parametrize(("times", "is_listed"), [(4, False), (5, True)])
def test_one_overtaken_by_priority_five_times_is_listed(
    service: Service, db: Client, get: Get, times: int, is_listed: bool
) -> None:
    sid = write(service)
    for number in range(times):
        _assigned(db, number, priority=5)
    for number in range(5, 15):
        _assigned(db, number, priority=0)
    listed = stuck(get)
    assert (sid in listed) is is_listed
    if is_listed:
        assert (
            listed[sid] == "was overtaken by 5 later customers with a higher priority"
        )
