"""Whatever stands in a record, every page answers, and shows what is right beside it."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient
from google.cloud import firestore

from domain import conversation, customer_search
from domain.conversation import Conversation
from tests.wallboard import records

NAME = "Ada Byron"
PAGES = (
    "/",
    "/?full=1",
    "/now",
    "/today",
    "/log",
    f"/log?customer={NAME}",
    "/log?state=queued",
    "/data",
    "/metrics",
    "/metrics?format=prometheus",
)
ODD: dict[str, Any] = {
    "a text": "yesterday",
    "a long text": "x" * 1400,
    "a blank": " ",
    "a number": 5,
    "a negative number": -1.5,
    "a large number": 1e308,
    "not a number": math.nan,
    "infinity": math.inf,
    "a flag": True,
    "null": None,
    "a list": ["x", 5, None],
    "a map": {"a": {"b": 5}},
    "bytes": b"\xff\x00",
    "a place": firestore.GeoPoint(1, 2),
    "the first moment": datetime(1, 1, 1, tzinfo=UTC),
    "the last moment": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}


@pytest.fixture
def client(client_for: Callable[[str], FlaskClient], project: str) -> FlaskClient:
    return client_for("wallboard")


@pytest.fixture(params=list(ODD.values()), ids=list(ODD))
def odd(request: pytest.FixtureRequest) -> Any:
    return request.param


def right() -> dict[str, dict[str, Any]]:
    """One record of each collection as it should be."""
    now = datetime.now(UTC)
    one = Conversation(
        "",
        state="assigning",
        mode="pool",
        pool="default",
        worker="ann@example.com",
        customer_id="c-1",
        display_name=NAME,
        created_at=now,
        queued_at=now - timedelta(seconds=50),
        lease_until=now - timedelta(seconds=20),
        waited=2.0,
    ).noted(now, "queued", "no one is Available")
    search = customer_search.entries("ann@example.com", "byron", ["ada", "byron"])
    return {
        "conversations": conversation.stored(one),
        "pending_conversations": conversation.entry(one),
        "pools": {
            "display_name": "Sales",
            "addresses": ["+15550000001"],
            "capacity": 5,
        },
        "workers": {
            "status": "Available",
            "pools": ["default"],
            "full": False,
            "problem": "odd",
        },
        "customers": {"display_name": NAME, "search": search, "problem": "odd"},
    }


def with_one_odd_field(odd: object) -> list[tuple[str, dict[str, Any]]]:
    """(path, record): per collection the right one, one with each field odd, and one with all."""
    numbers, found = count(), []
    for collection, record in right().items():
        spoilt = [{**record, name: odd} for name in record]
        if collection == "conversations":
            spoilt += [
                {**record, "log": [{**record["log"][0], name: odd}]}
                for name in record["log"][0]
            ]
        for one in (record, *spoilt, dict.fromkeys(record, odd)):
            found.append((f"{collection}/{records.sid(next(numbers))}", one))
    return found


def test_no_value_in_a_record_makes_a_page_fail(
    client: FlaskClient, db: firestore.Client, odd: Any
) -> None:
    batch = db.batch()
    for path, record in with_one_odd_field(odd):
        batch.set(db.document(path), record)
    batch.commit()
    stories = [
        f"/conversations/{one.id}"
        for one in db.collection("conversations").list_documents()
    ]
    answers = {path: client.get(path) for path in (*PAGES, *stories)}
    assert {
        path: one.status_code for path, one in answers.items() if one.status_code != 200
    } == {}
    found = json.loads(
        answers["/data"].text,
        parse_constant=lambda word: pytest.fail(f"{word} is no JSON"),
    )
    assert found["now"]["waiting"] > 1
    assert found["today"]["arrived"] > 1
    assert NAME in answers["/log"].text
    assert re.search(r"\bSales\b", answers["/"].text)


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
def test_no_settings_make_a_page_fail(
    client: FlaskClient, db: firestore.Client, odd: Any, zone: str
) -> None:
    names = ("mode", "default_pool", "service_level_seconds")
    db.document("settings/routing").set(
        {**dict.fromkeys(names, odd), "time_zone": zone}
    )
    times = {
        "created_at": odd,
        "queued_at": odd,
        "arrived_at": datetime.now(UTC),
        "waited": odd,
    }
    db.document(f"conversations/{records.sid(1)}").set(
        {"display_name": NAME, "state": "queued", **times}
    )
    db.document(f"pending_conversations/{records.sid(1)}").set(
        {"pool": "default", **times}
    )
    pages = (*PAGES, f"/conversations/{records.sid(1)}")
    assert {
        path: status
        for path in pages
        if (status := client.get(path).status_code) != 200
    } == {}
