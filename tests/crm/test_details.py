"""What a worker is told about one customer, and who is told."""

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.firestore import Client

from tests.core import records
from tests.crm.frontline import JOHN, App

Keep = Callable[..., None]
OTHER = "other@example.com"


def _customer(app: App, customer_id: str, worker: str = JOHN) -> dict[str, Any]:
    answer = app.details(customer_id, worker)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    customer: dict[str, Any] = answer.get_json()["objects"]["customer"]
    return customer


def test_what_is_not_there_is_left_out(app: App, keep: Keep) -> None:
    keep("bobby", addresses=["+15550000001"])
    assert _customer(app, "bobby") == {
        "customer_id": "bobby",
        "display_name": "+15550000001",
        "channels": [{"type": "sms", "value": "+15550000001"}],
    }


def test_another_workers_customer_is_refused_until_the_setting_opens_it(
    app: App, keep: Keep, db: Client
) -> None:
    keep("bobby", worker=OTHER)
    answer = app.details("bobby")
    assert answer.status_code == 403
    assert "another worker" in answer.get_json()["error"]
    records.routing(db, crm_open=True)
    assert app.details("bobby").status_code == 200


def test_a_customer_of_nobody_is_shown_to_everybody(app: App, keep: Keep) -> None:
    keep("bobby", worker=None)
    assert app.details("bobby").status_code == 200


@pytest.mark.parametrize(
    ("state", "status"), [("assigned", 200), ("inactive", 200), ("closed", 403)]
)
def test_who_talks_to_a_customer_may_know_who_that_is(
    app: App, keep: Keep, db: Client, state: str, status: int
) -> None:
    keep("bobby", worker=OTHER)
    conversation = {"customer_id": "bobby", "worker": JOHN, "state": state}
    db.document("conversations/CH1").set(conversation)
    assert app.details("bobby").status_code == status


@pytest.mark.parametrize(
    "customer_id", ["nobody", "a/b", ".", "..", "__id__", "x" * 2000]
)
def test_an_unknown_id_is_not_found_whatever_it_looks_like(
    app: App, customer_id: str
) -> None:
    assert app.details(customer_id).status_code == 404
    assert app.proxy_address(customer_id).status_code == 404
    assert app.templates(customer_id).status_code == 404


def test_nonsense_in_a_record_is_left_out_and_never_a_crash(
    app: App, db: Client
) -> None:
    record = {
        "display_name": 5,
        "addresses": ["+15550000001", 7, ""],
        "worker": "a/b",
        "avatar": ["x"],
        "links": [{"type": 1, "value": "https://example.com"}, {"type": "Website"}],
        "details": {"title": "T", "content": {"a": 1}},
        "do_not_contact": "please",
    }
    db.document("customers/bobby").set(record)
    assert _customer(app, "bobby") == {
        "customer_id": "bobby",
        "display_name": "+15550000001",
        "channels": [{"type": "sms", "value": "+15550000001"}],
        "links": [{"value": "https://example.com"}],
        "details": {"title": "T"},
    }
    db.document("customers/bobby").set(dict.fromkeys(record, "nonsense"))
    assert _customer(app, "bobby", "nonsense")["display_name"] == "nonsense"


def test_the_largest_record_still_fits_into_an_answer(app: App, keep: Keep) -> None:
    keep(
        "b" * 1500,
        display_name="ß" * 10_000,
        addresses=[f"+1555{number:07}" for number in range(1000)],
        links=[
            {
                "type": "ß" * 100,
                "value": "https://example.com",
                "display_name": "ß" * 100,
            }
        ]
        * 500,
        details={"title": "ß" * 50_000, "content": "ß" * 100_000},
    )
    answer = app.details("b" * 1500)
    assert answer.status_code == 200
    assert len(answer.get_data()) < 64 * 1024


@pytest.mark.parametrize("missing", ["Worker", "CustomerId"])
def test_a_missing_parameter_is_refused_by_name(app: App, missing: str) -> None:
    asked = {
        "crm": "GetCustomerDetailsByCustomerId",
        "outgoing-conversation": "GetProxyAddress",
        "templates": "GetTemplatesByCustomerId",
    }
    for function, location in asked.items():
        form = {
            "Location": location,
            "Worker": JOHN,
            "CustomerId": "bobby",
            "ChannelType": "sms",
            "ChannelValue": "+15550000001",
        }
        del form[missing]
        answer = app.post(function, **form)
        assert answer.status_code == 400
        assert answer.get_json() == {"error": f"{missing} is missing."}


@pytest.mark.parametrize("function", ["crm", "outgoing-conversation", "templates"])
@pytest.mark.parametrize(
    "form", [{}, {"Location": "getcustomerslist"}, {"Location": "GetNothing"}]
)
def test_an_unknown_location_is_not_understood(
    app: App, function: str, form: dict[str, str]
) -> None:
    assert app.post(function, **form).status_code == 422
