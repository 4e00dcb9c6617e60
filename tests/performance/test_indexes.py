"""Every query has its index: the emulator answers without one, production does not."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, request
from google.cloud.firestore import Client
from google.cloud.firestore_v1.base_query import FieldFilter

from domain.figures import Span
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import listing
from proof.meter import Meter
from providers import (
    audit,
    clock,
    conversation_search,
    conversations,
    figures,
    status_changes,
    workers,
)
from providers.conversation_search import Wanted
from tests.core import forms, records
from tests.performance import queries
from tests.performance.queries import Shape
from tests.service import Service

ANN = "ann@example.com"
SALES = "+15550008888"


@pytest.fixture
def asked(service: Service, db: Client, meter: Meter) -> set[Shape]:
    """The shapes of all queries of a day with everything in it."""
    _records(db)
    _routing(service, db)
    _frontline(service)
    for number in range(
        25
    ):  # more than the wallboard shows, so that it asks for each pool
        entry = {"pool": "sales", "priority": 0, "queued_at": clock.now()}
        db.document(f"pending_conversations/CH{number:032}").set(entry)
    _wallboard(service)
    _inbox(service)
    _desk()
    assert service.post("sweep", signed=False).status_code == 200
    service.settle()
    return {shape for query in meter.queries() for shape in queries.shapes(query)}


def _records(db: Client) -> None:
    records.routing(db, default_pool="front", create_customers=True)
    sales = {"addresses": [SALES], "strategy": "least_busy", "capacity": 1}
    texts = {"queued": "{{Position}}, {{Wait}}"}
    records.pool(db, "sales", **sales, answer_within=1, texts=texts)
    records.pool(db, "front", hours={"daily": "closed"})
    records.worker(db, ANN, "Unavailable", pools=["front", "sales"])
    records.worker(
        db, "bob@example.com", pools=["sales"], missed=1, missed_at=clock.now()
    )
    for name in ("Ada Byron", "Ada Lovelace"):
        fields = {"display_name": name, "addresses": ["+15550000001"], "worker": ANN}
        records.customer(db, name.partition(" ")[2].lower(), **fields)


def _routing(service: Service, db: Client) -> None:
    service.settle()
    written = []
    for number, to in product(range(3), (SALES, forms.PROXY)):
        service.standin.set_autocreate(to)
        written.append(
            service.standin.inbound(
                f"+1555000000{number}", to, "Hello"
            ).conversation_sid
        )
    service.settle()
    records.set_status(db, ANN, "Available")
    service.settle()
    assert written[0] is not None
    service.standin.set_state(written[0], "inactive")
    service.standin.set_state(written[0], "active")
    service.standin.set_state(written[0], "closed")
    service.settle()


def _frontline(service: Service) -> None:
    for query in ("", "Ada", "Ada Byron", "+15550000001"):
        for page in ({}, {"Anchor": "byron"}):
            form = {
                "Location": "GetCustomersList",
                "Worker": ANN,
                "Query": query,
                "PageSize": "1",
                **page,
            }
            assert service.post("crm", form).status_code == 200
    details = {
        "Location": "GetCustomerDetailsByCustomerId",
        "Worker": ANN,
        "CustomerId": "lovelace",
    }
    assert service.post("crm", details).status_code == 200
    assert service.post("crm", details | {"Worker": "bob@example.com"}).status_code in (
        200,
        403,
        404,
    )
    wanted = {
        "Location": "GetTemplatesByCustomerId",
        "Worker": ANN,
        "CustomerId": "byron",
    }
    assert service.post("templates", wanted).status_code == 200
    asked = {
        "Location": "GetProxyAddress",
        "ChannelType": "sms",
        "ChannelValue": "+15550000001",
    }
    answer = service.post("outgoing_conversation", wanted | asked)
    assert answer.status_code in (200, 422)


def _desk() -> None:
    audit.of_record("pools/sales", 1)
    day = Span(clock.now() - timedelta(days=1), clock.now())
    status_changes.latest(ANN, day.start)
    figures.how_many(day)
    figures.of_day(day, 60, ZoneInfo("UTC"))
    figures.available(day, ZoneInfo("UTC"))
    conversations.waiting(1)
    conversations.held(1)
    conversations.moved_since(clock.now(), 1)
    workers.changed_status_since(clock.now(), 1)
    either = ("", "x")
    for customer, people, state, worker, pool, until in product(
        ((), ("ada",)), ((), (ANN,)), either, either, either, (None, clock.now())
    ):
        wanted = Wanted(customer, people, state, worker, pool, until=until)
        conversation_search.page(wanted)


def _wallboard(service: Service) -> None:
    board = service.client_for("wallboard")
    for path in ("/", "/now", "/today", "/data", "/metrics"):
        assert board.get(path).status_code == 200
    states, people = ("", "queued"), ("", ANN)
    for state, worker, customer, before in product(
        states, people, ("", "Ada"), ("", "2026-11-23T10:00:00+00:00")
    ):
        query = {
            "state": state,
            "worker": worker,
            "customer": customer,
            "before": before,
        }
        assert board.get("/log", query_string=query).status_code == 200, query


def _inbox(service: Service) -> None:
    """What it reads; signing in and changes are queries by key, and the engine's."""
    with Flask("inbox").test_request_context():
        listing.state(Visit(request, lambda most, patience: b""), Person(ANN, ANN))
    for state in ("queued", "assigned", "closed"):
        for one in (
            service.db.collection("conversations")
            .where(filter=FieldFilter("state", "==", state))
            .stream()
        ):
            record = one.to_dict() or {}
            conversations.with_customer(record["customer_id"], 3)
            conversations.open_with(record["address"], 3)
            for name in (record["customer_id"], None):
                conversations.earlier(name, record["address"], clock.now(), 3)
                conversations.with_worker_open(name, record["address"], 3)
            conversations.with_open_window(record["address"], forms.PROXY, clock.now())
    workers.called("Ann@Example.com")
    workers.named("Ann@Example.com")
    conversations.involving(ANN)


def test_every_query_of_the_service_has_its_index(asked: set[Shape]) -> None:
    needy = {one for one in asked if one.needs_composite}
    assert len(needy) > 10
    without = [
        one
        for one in needy
        if not any(queries.serves(index, one) for index in queries.indexes())
    ]
    assert not without


def test_no_query_needs_a_field_whose_index_is_switched_off(asked: set[Shape]) -> None:
    single = [one for one in asked if not one.needs_composite]
    off = queries.exempted()
    assert off
    assert not [
        one for one in single if {(one.collection, field) for field in one.fields} & off
    ]


def test_every_index_is_used_by_a_query(asked: set[Shape]) -> None:
    """One that nobody uses is paid for with every write."""
    unused = [
        index
        for index in queries.indexes()
        if not any(queries.serves(index, one) for one in asked)
    ]
    assert not unused


def _shape_of(query: Any) -> Shape:
    return queries.shape(query._to_protobuf())  # the message that the client sends


def test_the_check_knows_what_firestore_wants(db: Client) -> None:
    queue: Any = db.collection("pending_conversations")
    in_pool = queue.where(filter=FieldFilter("pool", "==", "a"))
    assert not _shape_of(queue.order_by("queued_at")).needs_composite
    assert not _shape_of(
        in_pool.where(filter=FieldFilter("address", "==", "b"))
    ).needs_composite
    assert not _shape_of(in_pool.order_by("__name__")).needs_composite
    assert _shape_of(in_pool.order_by("queued_at")).needs_composite
    assert _shape_of(
        in_pool.where(filter=FieldFilter("priority", ">", 1))
    ).needs_composite
    members = queue.where(filter=FieldFilter("pools", "array_contains", "a"))
    assert not _shape_of(members).needs_composite
    assert _shape_of(
        members.where(filter=FieldFilter("status", "==", "Available"))
    ).needs_composite
