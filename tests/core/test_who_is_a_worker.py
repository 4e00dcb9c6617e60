"""Who is a worker: confirmed records only; a participant who is none is ignored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from assignment import hand_over
from providers import clock, twilio
from providers.twilio import Outcome
from tests.core import forms, records
from tests.core.records import conversation, is_pending, read, workers_in
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.service import Service

ANN, BEN, NEW = "ann@example.com", "ben@example.com", "new@example.com"
VISITOR = "visitor-1"
ADA = "+15550000001"


def user_added(service: Service, identity: str = NEW) -> None:
    form = {
        "EventType": "onUserAdded",
        "Identity": identity,
        "UserSid": forms.sid("US"),
        "FriendlyName": "New",
    }
    assert service.post("post_event", form).status_code == 200
    service.settle()


def who(db: Client, identity: str = NEW) -> tuple[object, object]:
    record = read(db, "workers", identity)
    return record.get("made_by"), record.get("confirmed")


def asked_of_frontline(service: Service) -> int:
    """How many calls about users have been made, of Frontline or of Conversations."""
    return sum("/Users/" in one["path"] for one in service.standin.requests)


def known_only_to_twilio(service: Service, identity: str) -> None:
    service.standin.webhook_trouble(lose=1.0)
    service.standin.create_user(identity)
    service.standin.heal()


def test_a_new_user_is_an_unconfirmed_worker(service: Service, db: Client) -> None:
    user_added(service)
    record = read(db, "workers", NEW)
    assert who(db) == ("service", False)
    assert (record["status"], record["pools"], record["full"]) == (
        "Unavailable",
        ["default"],
        False,
    )


def test_a_user_whom_frontline_knows_is_confirmed(service: Service, db: Client) -> None:
    service.standin.sign_in_to_frontline(NEW)
    service.settle()
    assert who(db) == ("frontline", True)
    assert (
        "ask_frontline_at" not in read(db, "workers", NEW)
        or read(db, "workers", NEW)["ask_frontline_at"] is None
    )


@pytest.mark.parametrize("status", [503, 404])
def test_the_sweep_asks_again_where_frontline_could_not_say(
    service: Service, db: Client, status: int
) -> None:
    service.standin.fail(
        status=status, code=20404 if status == 404 else 20503, path="/Users/"
    )
    service.standin.sign_in_to_frontline(NEW)
    service.settle()
    assert who(db) == ("service", False)
    service.standin.heal()
    assert sweep(service) == {"workers whom Frontline knows": 1}
    assert who(db) == ("frontline", True)


def test_the_questions_are_few_and_have_an_end(service: Service, db: Client) -> None:
    for number in range(8):
        user_added(service, f"visitor-{number}")
    service.standin.forget_traffic()
    sweep(service)
    assert 0 < asked_of_frontline(service) <= 5
    for day in range(1, 40):
        with later(timedelta(days=day)):
            sweep(service)
    service.standin.forget_traffic()
    with later(timedelta(days=60)):
        sweep(service)
    assert asked_of_frontline(service) == 0
    assert [who(db, f"visitor-{number}") for number in range(8)] == [
        ("service", False)
    ] * 8


def test_an_unconfirmed_worker_gets_nothing_before_a_person_confirms_them(
    service: Service, db: Client
) -> None:
    user_added(service)
    records.set_status(db, NEW, "Available")
    db.document(f"workers/{NEW}").update(
        {"pools": ["default"], "capacity": 9, "display_name": "Newton"}
    )
    service.settle()
    sid = write(service)
    assert sweep(service) == {}
    assert (conversation(db, sid)["state"], workers_in(service.standin, sid)) == (
        "queued",
        [],
    )
    db.document(f"workers/{NEW}").update({"confirmed": True})
    service.settle()
    assert (conversation(db, sid)["worker"], workers_in(service.standin, sid)) == (
        NEW,
        [NEW],
    )


@pytest.mark.parametrize("value", [1, "true", "yes", None, [True]])
def test_only_true_confirms(service: Service, db: Client, value: object) -> None:
    user_added(service)
    db.document(f"workers/{NEW}").update({"confirmed": value, "status": "Available"})
    service.settle()
    sid = write(service)
    assert conversation(db, sid)["state"] == "queued"


def test_an_unconfirmed_worker_of_a_customer_is_reported_and_the_fallback_is_taken(
    service: Service, db: Client
) -> None:
    records.routing(db, mode="custom")
    records.worker(db, ANN)
    records.customer(db, "ada", display_name="Ada", addresses=[ADA], worker=NEW)
    user_added(service)
    sid = write(service, ADA)
    assert workers_in(service.standin, sid) == [ANN]
    assert f"{NEW} waits for confirmation" in read(db, "customers", "ada")["problem"]


def test_a_name_that_a_person_typed_makes_a_confirmed_record(
    service: Service, db: Client
) -> None:
    records.routing(db, mode="custom")
    records.customer(db, "ada", addresses=[ADA], worker=NEW)
    known_only_to_twilio(service, NEW)
    sid = write(service, ADA)
    assert conversation(db, sid)["worker"] == NEW
    assert who(db) == ("service", True)


def test_a_record_of_before_without_a_maker_waits_for_the_upgrade(
    service: Service, db: Client
) -> None:
    """Made by the service, as its key shows; a person's has none yet."""
    full: dict[str, Any] = {
        "key": ANN,
        "active": 0,
        "full": False,
        "last_assigned_at": None,
        "status_since": clock.now(),
    }
    records.worker(db, ANN, **full)
    service.settle()
    sid = write(service)
    assert (conversation(db, sid)["state"], who(db, ANN)) == (
        "queued",
        ("service", False),
    )


@pytest.mark.parametrize(
    "name", [NEW, "?", "#", "?PageSize=1", "%62en%40example.com", "\u202e"]
)
def test_nothing_is_handed_over_to_a_name_without_a_confirmed_record(
    service: Service, db: Client, name: str
) -> None:
    records.worker(db, ANN)
    service.settle()
    known_only_to_twilio(service, NEW)
    known_only_to_twilio(service, BEN)
    sid = write(service)
    with pytest.raises(hand_over.Refused, match="No worker is called"):
        hand_over.to_worker(sid, ANN, name)
    user_added(service)
    with pytest.raises(hand_over.Refused, match="waits for confirmation"):
        hand_over.to_worker(sid, ANN, NEW)
    service.settle()
    assert conversation(db, sid)["worker"] == ANN
    assert {one.id for one in db.collection("workers").stream()} == {ANN, NEW}


@pytest.mark.parametrize(
    "name", ["?", "#", "?PageSize=1", "%6eew%40example.com", "new%40example.com"]
)
def test_a_name_is_one_part_of_twilios_address(service: Service, name: str) -> None:
    service.standin.create_user(NEW)
    assert twilio.user(name, None).outcome is Outcome.MISSING
    assert twilio.frontline_user(name).outcome is Outcome.MISSING
    assert twilio.user(NEW, None).body.identity == NEW


def test_a_visitor_in_a_customers_conversation_is_ignored(
    service: Service, db: Client
) -> None:
    sid = write(service)
    service.standin.worker_join(sid, VISITOR)
    service.settle()
    sweep(service)
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["others"]) == ("queued", None, [])
    records.worker(db, ANN)
    service.settle()
    assert conversation(db, sid)["worker"] == ANN
    service.standin.worker_join(sid, "visitor-2")
    service.settle()
    sweep(service)
    assert conversation(db, sid)["others"] == []
    service.standin.worker_leave(sid, ANN)
    service.settle()
    assert conversation(db, sid)["state"] == "queued"


def test_a_visitor_answers_no_customer(service: Service, db: Client) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    service.standin.worker_join(sid, VISITOR)
    service.standin.worker_message(sid, VISITOR, "I am here, too")
    service.settle()
    assert conversation(db, sid)["awaiting_since"] is not None
    assert conversation(db, sid)["last_message"]["from"] == "service"


def test_a_visitor_does_not_make_a_conversation_served_whose_webhook_was_lost(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.webhook_trouble(lose=1.0)
    sid = write(service)
    service.standin.worker_join(sid, VISITOR)
    service.standin.heal()
    with later(timedelta(minutes=1)):
        assert sweep(service)["conversations whose webhook never came"] == 1
    assert conversation(db, sid)["worker"] == ANN


def web_chat(service: Service) -> str:
    return str(
        twilio.client()
        .conversations.v1.conversations.create(friendly_name="Web chat")
        .sid
    )


def test_a_web_chat_is_none_of_ours(service: Service, db: Client) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = web_chat(service)
    service.standin.worker_join(sid, VISITOR)
    service.standin.worker_message(sid, VISITOR, "Hello")
    service.standin.worker_join(sid, ANN)
    service.settle()
    with later(timedelta(minutes=1)):
        sweep(service)
    assert conversation(db, sid) == {}
    assert read(db, "workers", VISITOR)["confirmed"] is False


def test_who_was_taken_out_untold_is_in_it_no_more_after_the_sweep(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    records.worker(db, BEN, "Unavailable")
    service.settle()
    sid = write(service)
    service.standin.worker_join(sid, BEN)
    service.settle()
    assert conversation(db, sid)["others"] == [BEN]
    service.standin.webhook_trouble(lose=1.0)
    service.standin.worker_leave(sid, BEN)
    service.standin.heal()
    assert sweep(service) == {"conversations that Twilio knows otherwise": 1}
    assert conversation(db, sid)["others"] == []
    assert conversation(db, sid)["worker"] == ANN


def test_an_added_that_comes_after_the_removed_is_not_believed(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    records.worker(db, BEN, "Unavailable")
    service.settle()
    sid = write(service)
    service.standin.worker_join(sid, BEN)
    stay = next(
        one["sid"]
        for one in service.standin.participants(sid)
        if one["identity"] == BEN
    )
    service.standin.worker_leave(sid, BEN)
    service.settle()
    late = forms.participant("onParticipantAdded", sid, BEN, ParticipantSid=stay)
    service.post(
        "post_event", late | {"ChatServiceSid": service.standin.default_service_sid}
    )
    assert conversation(db, sid)["others"] == []


def test_of_two_records_with_one_key_the_confirmed_one_is_meant(
    service: Service, db: Client
) -> None:
    records.routing(db, mode="custom")
    records.worker(db, ANN, "Unavailable")
    service.settle()
    for odd in ("ANN@example.com", " ann@example.com", "Ann@example.com"):
        user_added(service, odd)
    records.customer(db, "ada", addresses=[ADA], worker="ANN@example.com")
    service.settle()
    sid = write(service, ADA)
    assert workers_in(service.standin, sid) == [ANN]
    assert read(db, "customers", "ada")["worker"] == ANN


def test_one_who_is_confirmed_no_more_loses_what_they_have(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    db.document(f"workers/{ANN}").update({"confirmed": False})
    service.settle()
    assert (conversation(db, sid)["state"], workers_in(service.standin, sid)) == (
        "queued",
        [],
    )
    assert is_pending(db, sid)
