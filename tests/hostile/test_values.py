"""Genuine requests and typed records with values that make no sense, or that mean harm: never 500, never passed on."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud.firestore import Client
from werkzeug.wrappers import Response

from tests.core import records
from tests.service import Service

JOHN = "john@example.com"


def ask_crm(service: Service, location: str, **form: str) -> Response:
    return service.post("crm", {"Location": location, "Worker": JOHN, **form})


def token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "sent",
    [
        token(json.dumps(["a", "\ud800"])),
        token(json.dumps(["\ud800", "a"])),
        token("[" * 100_000),
        token('{"a":' * 60_000),
        token(json.dumps(["a", "b", "c"])),
        token(json.dumps(["a" * 400, "b" * 1501])),
        token(json.dumps(["a" * 200_000, "b"])),
        token('["a", ' + "1" * 5000 + "]"),
        token('["a", NaN]'),
        token('"ab"'),
        token("null"),
        "\u00e9",
        "=",
    ],
)
def test_a_token_of_somebody_elses_making_is_400(service: Service, sent: str) -> None:
    answer = ask_crm(service, "GetCustomersList", NextPageToken=sent)
    assert (answer.status_code, "NextPageToken" in answer.get_data(as_text=True)) == (
        400,
        True,
    )


@pytest.mark.parametrize(
    "before",
    [
        "0001-01-01T00:00:00%2B23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-01-01T00:00:00%2B25:00",
        "2026-13-01T00:00:00Z",
        "2026-01-01",
        "1e999",
        "%00",
    ],
)
def test_a_time_that_is_none_is_400_on_the_wallboard(
    service: Service, before: str
) -> None:
    answer = service.post(
        "wallboard", signed=False, method="GET", query=f"view=log&before={before}"
    )
    assert (answer.status_code, "before" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "before",
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-06-01T00:00:00%2B14:00"],
)
def test_the_first_and_the_last_time_are_times(service: Service, before: str) -> None:
    answer = service.post(
        "wallboard", signed=False, method="GET", query=f"view=log&before={before}"
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "number", ["Infinity", "-Infinity", "NaN", "1e999", "-1e999", "[[1e999]]"]
)
def test_a_number_that_json_does_not_have_never_comes_out_of_attributes(
    service: Service, db: Client, number: str
) -> None:
    records.customer(
        db,
        "ada",
        display_name="Ada",
        addresses=["+15550000001"],
        avatar="https://example.com/a.png",
    )
    form = {
        "EventType": "onConversationAdd",
        "MessagingBinding.Address": "+15550000001",
    }
    answer = service.post("pre_event", form | {"Attributes": f'{{"a": {number}}}'})
    assert answer.status_code == 200
    assert not any(word in answer.text for word in ("Infinity", "NaN", "1e999"))


HARMFUL = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "intent://x#Intent;end",
    "https:",
    "//example.com",
    "https://example.com/\njavascript:alert(1)",
]
HARMLESS = [
    "https://example.com/a?b=c#d",
    "HTTP://example.com",
    "mailto:ada@example.com",
    "tel:+44 7700 900001",
]


def test_only_links_that_a_phone_may_open_are_shown_and_the_others_are_told(
    service: Service, db: Client
) -> None:
    links: list[Any] = [
        {"type": "Website", "value": value} for value in [*HARMFUL, *HARMLESS]
    ]
    records.customer(db, "ada", addresses=["+15550000001"], worker=JOHN, links=links)
    service.settle()
    answer = ask_crm(service, "GetCustomerDetailsByCustomerId", CustomerId="ada")
    shown = [
        link["value"]
        for link in json.loads(answer.get_data())["objects"]["customer"]["links"]
    ]
    assert shown == HARMLESS
    assert "links" in records.read(db, "customers", "ada")["problem"]
    records.customer(
        db, "bob", addresses=["+15550000002"], worker=JOHN, links=links[len(HARMFUL) :]
    )
    service.settle()
    assert "problem" not in records.read(db, "customers", "bob")


@pytest.mark.parametrize(
    "value", [value for value in HARMFUL if value.startswith(("j", "d", "v", "f"))]
)
def test_an_avatar_that_is_no_web_address_is_not_shown(
    service: Service, db: Client, value: str
) -> None:
    records.customer(
        db,
        "ada",
        addresses=["+15550000001"],
        worker=JOHN,
        avatar=value,
        created_at=datetime.now(UTC),
    )
    service.settle()
    answer = ask_crm(service, "GetCustomerDetailsByCustomerId", CustomerId="ada")
    assert "avatar" not in json.loads(answer.get_data())["objects"]["customer"]
    assert "avatar" in records.read(db, "customers", "ada")["problem"]
