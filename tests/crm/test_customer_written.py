"""The trigger on customers: addresses in Twilio's spelling, search terms, problems told and taken away."""

from typing import Any

import pytest
from google.cloud.firestore import DELETE_FIELD, Client

from functions import customer_written
from functions.http.trigger import Change
from tests.core import records
from tests.crm.frontline import JOHN
from tests.service import Service

NUMBER = "+15551234567"
ON_A_BAD_DAY = {"twice": True, "shuffle": 4}


def _customer(db: Client, customer_id: str) -> dict[str, Any]:
    return records.read(db, "customers", customer_id)


def test_what_a_person_types_is_completed_and_then_left_alone(
    service: Service, db: Client
) -> None:
    typed = [
        "+1 (555) 123-4567",
        "whatsapp: +1 555 123 4567",
        "Bobby@Example.com",
        NUMBER,
    ]
    records.customer(
        db, "bobby", display_name="Bobby Shaftoe", addresses=typed, worker=JOHN
    )
    service.settle()
    record = _customer(db, "bobby")
    assert record["addresses"] == [NUMBER, f"whatsapp:{NUMBER}", "bobby@example.com"]
    assert record["sort_name"] == "bobby shaftoe"
    assert record["search"]["sha"] == f"{JOHN}/bobby shaftoe"
    assert record["search"]["1555"] == record["search"]["bob"]
    assert "problem" not in record
    version = db.document("customers/bobby").get().update_time
    customer_written.handle(Change("bobby", None, record))
    assert db.document("customers/bobby").get().update_time == version


def test_a_sender_is_recognised_by_an_address_typed_with_blanks(
    service: Service, db: Client
) -> None:
    records.customer(db, "bobby", display_name="Bobby", addresses=["+1 555 123 4567"])
    service.settle()
    answer = service.post(
        "pre_event",
        {
            "EventType": "onConversationAdd",
            "MessagingBinding.Address": f"whatsapp:{NUMBER}",
            "MessagingBinding.ProxyAddress": "whatsapp:+15550009999",
        },
    )
    assert answer.get_json() == {"friendly_name": "Bobby"}


@pytest.mark.parametrize(
    "typed", ["John@Example.com", " john@example.com", "john@example.com\u200b"]
)
def test_a_worker_in_another_spelling_is_called_as_their_own_record(
    service: Service, db: Client, typed: str
) -> None:
    records.worker(db, JOHN)
    service.settle()
    records.customer(
        db, "bobby", display_name="Bobby", addresses=[NUMBER], worker=typed
    )
    service.settle()
    record = _customer(db, "bobby")
    assert (record["worker"], record["search"]["bob"]) == (JOHN, f"{JOHN}/bobby")
    nobody = "Nobody@Example.com"
    db.document("customers/bobby").update({"worker": nobody})
    service.settle()
    assert _customer(db, "bobby")["worker"] == nobody


def test_a_change_of_name_or_worker_is_followed(service: Service, db: Client) -> None:
    records.customer(db, "bobby", display_name="Bobby", addresses=[NUMBER], worker=JOHN)
    service.settle()
    db.document("customers/bobby").update(
        {"display_name": "Zoe", "worker": "x@example.com"}
    )
    service.settle()
    record = _customer(db, "bobby")
    assert record["search"]["z"] == "x@example.com/zoe"
    assert "b" not in record["search"]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "addresses is empty"),
        ({"addresses": []}, "addresses is empty"),
        ({"addresses": {"number": NUMBER}}, "addresses must be a list of texts"),
        (
            {"addresses": ["0170 1234567"]},
            "0170 1234567 is not an international number",
        ),
        (
            {"addresses": [NUMBER, 15551234567]},
            "addresses has an entry that is not a text",
        ),
        (
            {"addresses": [NUMBER], "worker": "a/b"},
            "worker must be a worker's identity",
        ),
        (
            {"addresses": [NUMBER], "do_not_contact": "x"},
            "do_not_contact must be true or false. It is treated as true",
        ),
    ],
)
def test_what_makes_no_sense_is_told_stays_as_typed_and_is_forgotten_once_mended(
    service: Service, db: Client, record: dict[str, Any], said: str
) -> None:
    records.customer(db, "bobby", display_name="Bobby", **record)
    service.settle()
    assert said in _customer(db, "bobby")["problem"]
    assert {name: _customer(db, "bobby").get(name) for name in record} == record
    records.customer(db, "bobby", display_name="Bobby", addresses=[NUMBER])
    service.settle()
    assert "problem" not in _customer(db, "bobby")


@pytest.mark.parametrize(
    "behaviour", [{}, ON_A_BAD_DAY], ids=["in order", "twice and shuffled"]
)
def test_two_customers_with_one_address_name_each_other_until_it_is_mended(
    service: Service, db: Client, behaviour: dict[str, Any]
) -> None:
    service.triggers.behave(service.project, **behaviour)
    records.customer(db, "bobby", display_name="Bobby", addresses=["+1 555 123 4567"])
    records.customer(db, "twin", display_name="Twin", addresses=["+1-555-123-4567"])
    records.customer(db, "other", display_name="Other", addresses=["+15550000009"])
    service.settle()
    assert (
        f"{NUMBER} also belongs to the customer twin"
        in _customer(db, "bobby")["problem"]
    )
    assert (
        f"{NUMBER} also belongs to the customer bobby"
        in _customer(db, "twin")["problem"]
    )
    assert "problem" not in _customer(db, "other")
    db.document("customers/twin").update({"addresses": ["+15550000008"]})
    service.settle()
    assert "problem" not in _customer(db, "bobby")
    assert "problem" not in _customer(db, "twin")


def test_a_deleted_twin_is_no_twin_any_more(service: Service, db: Client) -> None:
    records.customer(db, "bobby", addresses=[NUMBER])
    records.customer(db, "twin", addresses=[NUMBER])
    service.settle()
    db.document("customers/twin").delete()
    service.settle()
    assert "problem" not in _customer(db, "bobby")


def test_an_old_event_does_not_undo_what_holds_now(
    service: Service, db: Client
) -> None:
    records.customer(db, "bobby", display_name="Bobby", addresses=[NUMBER])
    service.settle()
    now = _customer(db, "bobby")
    outdated = {"display_name": "Old", "addresses": ["+1 555 000"]}
    customer_written.handle(Change("bobby", None, outdated))
    customer_written.handle(Change("bobby", outdated, None))
    customer_written.handle(Change("gone", outdated, None))
    assert _customer(db, "bobby") == now


def test_a_person_who_deletes_what_is_kept_gets_it_back(
    service: Service, db: Client
) -> None:
    records.customer(db, "bobby", display_name="Bobby", addresses=[NUMBER])
    service.settle()
    before = _customer(db, "bobby")
    db.document("customers/bobby").update({"search": DELETE_FIELD, "sort_name": "zzz"})
    service.settle()
    assert _customer(db, "bobby") == before
