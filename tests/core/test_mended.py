"""What one odd record, one odd conversation or one event that never came must not keep from its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import DELETE_FIELD, Client

from providers import twilio
from tests.core import forms, records
from tests.core.records import conversation, is_pending, workers_in
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
OURS = forms.PROXY


def untold(service: Service) -> None:
    """From now on Twilio calls nobody."""
    service.standin.set_autocreate(OURS)
    service.standin.configure_webhooks(pre_url=None, post_url=None)


@pytest.mark.parametrize(
    ("state", "wanted"), [("active", "assigned"), ("closed", "closed")]
)
def test_what_became_of_one_asleep_is_noticed_untold(
    service: Service, db: Client, state: str, wanted: str
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    service.standin.set_state(sid, "inactive")
    service.settle()
    assert conversation(db, sid)["state"] == "inactive"
    untold(service)
    service.standin.set_state(sid, state)
    sweep(service)
    assert conversation(db, sid)["state"] == wanted
    assert records.active(db, ANN) == (wanted == "assigned")


def test_one_that_woke_up_without_its_worker_gets_another_one_untold(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    service.standin.set_state(sid, "inactive")
    service.settle()
    records.set_status(db, ANN, "Unavailable")
    records.worker(db, BEN)
    service.settle()
    untold(service)
    service.standin.worker_leave(sid, ANN)
    service.standin.set_state(sid, "active")
    sweep(service)
    assert workers_in(service.standin, sid) == [BEN]
    assert conversation(db, sid)["state"] == "assigned"


@pytest.mark.parametrize("mode", ["pool", "custom"])
def test_one_that_fell_asleep_before_its_worker_came_is_not_forgotten(
    service: Service, db: Client, mode: str
) -> None:
    records.routing(db, mode=mode)
    records.customer(db, "ada", addresses=["+15550000001"], worker=ANN)
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(status=401, code=20003, path="Participants", method="POST")
    sid = write(service, "+15550000001")
    assert conversation(db, sid)["state"] == "assigning"
    service.standin.set_state(sid, "inactive", reason="TIMER")
    service.settle()
    service.standin.heal()
    with later(timedelta(minutes=10)):
        sweep(service)
        sweep(service)
    assert workers_in(service.standin, sid) == [ANN]


@pytest.mark.parametrize(("status", "code"), [(400, 50417), (400, 50436), (400, 99999)])
def test_a_conversation_that_takes_nobody_does_not_hold_up_the_others(
    service: Service, db: Client, status: int, code: int
) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    bad, second, third = (write(service, f"+1555000000{n}") for n in range(3))
    service.standin.fail(
        status=status, code=code, path=f"{bad}/Participants", method="POST"
    )
    records.set_status(db, ANN, "Available")
    service.settle()
    assert [conversation(db, sid)["state"] for sid in (bad, second, third)] == [
        "assigning",
        "assigned",
        "assigned",
    ]
    assert records.active(db, ANN) == 3


def test_another_group_of_the_same_people_is_not_taken_for_the_worker(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(status=409, code=50438, path="Participants", method="POST")
    sid = write(service)
    assert conversation(db, sid)["state"] == "assigning"
    assert workers_in(service.standin, sid) == []


def test_a_look_that_fails_oddly_does_not_end_a_conversation(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    records.worker(db, BEN)
    service.settle()
    service.standin.fail(
        status=400, code=50214, path="Participants", method="POST", times=1
    )
    service.standin.fail(status=404, code=0, path="Participants", method="GET")
    sid = write(service)
    assert conversation(db, sid)["state"] == "assigned"


def test_an_odd_entry_among_a_pools_numbers_stops_nothing(
    service: Service, db: Client
) -> None:
    records.pool(db, "sales", addresses=[OURS, {"a": 1}])
    records.worker(db, ANN, pools=["sales"])
    service.settle()
    sid = write(service)
    assert conversation(db, sid)["worker"] == ANN
    assert "addresses" in records.read(db, "pools", "sales")["problem"]
    sweep(service)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"capacity": "many"}, "capacity"),
        ({"addresses": {"number": "+15550009999"}}, "addresses must be a list"),
        ({"addresses": ["0170 1234567"]}, "0170 1234567 is not a number of Twilio's"),
    ],
)
def test_a_pool_where_nothing_arrives_is_told_what_is_wrong(
    service: Service, db: Client, fields: dict[str, Any], told: str
) -> None:
    records.pool(db, "vip", **fields)
    records.worker(db, ANN, pools=["vip"])
    service.settle()
    sweep(service)
    assert told in records.read(db, "pools", "vip")["problem"]


@pytest.mark.parametrize(
    "edit",
    [
        {"priority": DELETE_FIELD},
        {"priority": "low"},
        {"queued_at": DELETE_FIELD},
        {"pool": 5},
        {"pool": "a/b"},
        {"pool": ["default"]},
        {"pool": DELETE_FIELD},
    ],
)
def test_an_entry_of_the_queue_that_was_spoilt_is_put_right(
    service: Service, db: Client, edit: dict[str, Any]
) -> None:
    sid = write(service)
    db.document(f"pending_conversations/{sid}").update(edit)
    assert sweep(service)["queue entries with fields missing"] == 1
    records.worker(db, ANN)
    service.settle()
    assert conversation(db, sid)["worker"] == ANN
    assert not is_pending(db, sid)


def test_many_that_need_nobody_do_not_hide_one_whose_webhook_never_came(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    untold(service)
    sid = str(service.standin.inbound("+15550000001", OURS, "Hello").conversation_sid)
    for _ in range(55):
        twilio.client().conversations.v1.conversations.create(
            friendly_name="made by a program"
        )
    with later(timedelta(minutes=1)):
        sweep(service)
        sweep(service)
    assert conversation(db, sid)["worker"] == ANN


def test_a_groups_projected_address_is_looked_up_where_no_webhook_told_it(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    untold(service)
    group = service.standin.inbound_group(
        author="+15550000001", to=[OURS, "+15550000002"], body="Hi"
    )
    with later(timedelta(minutes=1)):
        sweep(service)
        sweep(service)
    assert workers_in(service.standin, str(group.conversation_sid)) == [ANN]


def test_what_is_no_number_does_not_keep_a_customers_trigger_going(
    service: Service, db: Client
) -> None:
    records.customer(db, "ada", display_name="Ada", addresses=float("nan"))
    service.settle()  # would not end
    assert "addresses" in records.read(db, "customers", "ada")["problem"]
