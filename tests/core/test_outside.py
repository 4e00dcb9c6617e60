"""What people outside report of services like this one: names typed otherwise, records deleted, Twilio that forgets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from google.cloud.firestore import Client

from providers import twilio
from tests.core import forms, records
from tests.core.records import conversation, is_pending, workers_in
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.service import Service

ANN, BEN, CAROL = "ann@example.com", "ben@example.com", "carol@example.com"
ADA = "+15550000001"


@pytest.mark.parametrize(
    "typed",
    [
        "Carol@Example.com",
        " carol@example.com ",
        "carol\u200b@example.com",
        "CAROL@EXAMPLE.COM",
    ],
)
@pytest.mark.parametrize("record", [CAROL, "Carol@example.com"])
def test_case_blanks_and_invisible_characters_make_no_other_person(
    service: Service, db: Client, typed: str, record: str
) -> None:
    records.routing(db, mode="custom")
    records.worker(db, record)
    records.customer(db, "ada", display_name="Ada", addresses=[ADA], worker=typed)
    service.settle()
    sid = write(service, ADA)
    assert workers_in(service.standin, sid) == [record]
    assert conversation(db, sid)["worker"] == record
    assert {one.id for one in db.collection("workers").stream()} == {record}


@pytest.mark.parametrize("fallback", ["pool", "none"])
def test_a_worker_whom_nobody_knows_is_told_and_the_fallback_is_taken(
    service: Service, db: Client, fallback: str
) -> None:
    records.routing(db, mode="custom", custom_fallback=fallback)
    records.worker(db, ANN)
    records.customer(
        db, "ada", display_name="Ada", addresses=[ADA], worker="carl@example.com"
    )
    service.settle()
    sid = write(service, ADA)
    assert conversation(db, sid)["state"] == (
        "assigned" if fallback == "pool" else "unrouted"
    )
    assert workers_in(service.standin, sid) == ([ANN] if fallback == "pool" else [])
    assert "carl@example.com" in records.read(db, "customers", "ada")["problem"]
    assert not db.document("workers/carl@example.com").get().exists


def test_a_worker_whom_only_twilio_knows_gets_a_record(
    service: Service, db: Client
) -> None:
    records.routing(db, mode="custom")
    records.customer(db, "ada", display_name="Ada", addresses=[ADA], worker=CAROL)
    service.settle()
    service.standin.configure_webhooks(pre_url=service.url("pre_event"), post_url=None)
    twilio.client().conversations.v1.users.create(identity=CAROL, friendly_name="Carol")
    service.standin.configure_webhooks(
        pre_url=service.url("pre_event"), post_url=service.url("post_event")
    )
    sid = write(service, ADA)
    assert workers_in(service.standin, sid) == [CAROL]
    record = records.read(db, "workers", CAROL)
    assert (record["status"], record["pools"], record["active"]) == (
        "Unavailable",
        ["default"],
        1,
    )


@pytest.mark.parametrize(
    "name", ["gus@example.com ", " gus@example.com", "gus\u200b@example.com"]
)
def test_a_record_whose_name_nobody_can_sign_in_with_gets_nothing(
    service: Service, db: Client, name: str
) -> None:
    records.worker(db, name)
    service.settle()
    sid = write(service)
    assert conversation(db, sid)["state"] == "queued"
    assert "No worker can sign in" in records.read(db, "workers", name)["problem"]


def test_a_pool_typed_with_blanks_is_that_pool(service: Service, db: Client) -> None:
    records.pool(db, "sales", addresses=[forms.PROXY])
    sid = write(service)
    records.worker(db, ANN, pools=["sales "])
    service.settle()
    assert workers_in(service.standin, sid) == [ANN]
    assert records.read(db, "workers", ANN)["pools"] == ["sales"]


def test_a_worker_of_many_pools_is_pulled_by_the_last_and_oldest_first(
    service: Service, db: Client
) -> None:
    names = [f"p{number:02d}" for number in range(64)]
    for name, number in ((names[-1], "+15550007001"), (names[0], "+15550007002")):
        records.pool(db, name, addresses=[number])
    last, first = (
        write(service, ADA, "+15550007001"),
        write(service, "+15550000002", "+15550007002"),
    )
    records.worker(db, ANN, pools=names, capacity=1)
    service.settle()
    assert workers_in(service.standin, last) == [ANN]
    assert conversation(db, first)["state"] == "queued"


def test_what_a_worker_held_whose_record_is_deleted_waits_again(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sids = [write(service, f"+1555000000{n}") for n in range(2)]
    db.document(f"workers/{ANN}").delete()
    service.settle()
    assert [conversation(db, sid)["state"] for sid in sids] == ["queued", "queued"]
    assert "has no record any more" in conversation(db, sids[0])["log"][-1]["why"]
    assert workers_in(service.standin, sids[0]) == []
    assert not db.document(f"workers/{ANN}").get().exists
    records.worker(db, BEN)
    service.settle()
    assert [workers_in(service.standin, sid) for sid in sids] == [[BEN], [BEN]]


@pytest.mark.parametrize("typed", ["Sales", "sales\u200b", " sales", "SALES\u00a0"])
def test_a_pool_in_another_spelling_is_the_same_pool(
    service: Service, db: Client, typed: str
) -> None:
    records.pool(db, "sales", addresses=["+15550007003"])
    waiting = write(service, ADA, "+15550007003")
    records.worker(db, ANN, pools=[typed, "nowhere"])
    service.settle()
    assert records.read(db, "workers", ANN)["pools"] == ["sales", "nowhere"]
    assert workers_in(service.standin, waiting) == [ANN]


@pytest.mark.parametrize("typed", ["Sales", "sales\u200b"])
def test_the_default_pool_in_another_spelling_is_the_same_pool(
    service: Service, db: Client, typed: str
) -> None:
    records.pool(db, "sales")
    records.routing(db, default_pool=typed)
    records.worker(db, ANN, pools=["sales"])
    service.settle()
    sid = write(service, ADA)
    assert (workers_in(service.standin, sid), conversation(db, sid)["pool"]) == (
        [ANN],
        "sales",
    )


def test_the_sweep_notices_a_deleted_worker_of_whom_nobody_told(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    service.triggers.detach(service.project)  # the event is lost
    db.document(f"workers/{ANN}").delete()
    records.worker(db, BEN)
    sweep(service)
    assert workers_in(service.standin, sid) == [BEN]
    assert conversation(db, sid)["worker"] == BEN


def test_a_waiting_conversation_whose_record_is_deleted_is_routed_anew(
    service: Service, db: Client
) -> None:
    sid = write(service)
    db.document(f"conversations/{sid}").delete()
    sweep(service)
    assert conversation(db, sid)["state"] == "queued"
    assert is_pending(db, sid)
    db.document(f"conversations/{sid}").delete()
    records.worker(db, ANN, pools=["default"])
    service.settle()
    sweep(service)
    assert workers_in(service.standin, sid) == [ANN]
    assert not is_pending(db, sid)


@pytest.mark.parametrize("change", ["pool deleted", "number moved", "default renamed"])
def test_who_waits_in_a_pool_of_nobody_waits_where_they_would_enter_now(
    service: Service, db: Client, change: str
) -> None:
    if change != "default renamed":
        records.pool(db, "old", addresses=[forms.PROXY])
    sid = write(service)
    records.worker(db, ANN, pools=["new"])
    if change == "pool deleted":
        db.document("pools/old").delete()
    elif change == "number moved":
        db.document("pools/old").update({"addresses": []})
    if change == "number moved":
        records.pool(db, "new", addresses=[forms.PROXY])
    else:
        records.routing(db, default_pool="new")
    service.settle()
    sweep(service)
    sweep(service)
    assert workers_in(service.standin, sid) == [ANN]
    assert "any more" in " ".join(line["why"] for line in conversation(db, sid)["log"])


def test_the_service_that_a_webhook_names_wins(
    service: Service, db: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_CONVERSATION_SERVICE_SID", "IS" + "b" * 32)
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    assert workers_in(service.standin, sid) == [ANN]
    assert conversation(db, sid)["service_sid"] == service.standin.default_service_sid


@pytest.mark.parametrize("code", [20404, 50350, 0])
def test_a_404_ends_nothing_by_itself(service: Service, db: Client, code: int) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(
        status=404, code=code, path="Participants", method="POST", times=1
    )
    sid = write(service)
    assert conversation(db, sid)["state"] == "assigning"
    with later(timedelta(minutes=1)):
        sweep(service)
    assert workers_in(service.standin, sid) == [ANN]
    assert conversation(db, sid)["state"] == "assigned"


def test_an_account_that_twilio_does_not_know_for_a_while_ends_nothing(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, capacity=1)
    service.settle()
    held, waits = write(service, ADA), write(service, "+15550000002")
    service.standin.fail(status=404, code=20404, path="")
    for _ in range(2):
        sweep(service)
    assert [conversation(db, sid)["state"] for sid in (held, waits)] == [
        "assigned",
        "queued",
    ]
    service.standin.heal()


def test_one_that_was_removed_untold_ends_with_the_sweep(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    service.standin.configure_webhooks(pre_url=None, post_url=None)
    service.standin.remove_conversation(sid)
    sweep(service)
    assert conversation(db, sid)["state"] == "closed"
    assert records.active(db, ANN) == 0


@pytest.mark.parametrize("is_told", [True, False])
def test_a_customer_who_leaves_while_waiting_is_given_to_nobody(
    service: Service, db: Client, is_told: bool
) -> None:
    sid = write(service)
    if not is_told:
        service.standin.configure_webhooks(pre_url=None, post_url=None)
    (customer,) = service.standin.participants(sid)
    gone = (
        twilio.client()
        .conversations.v1.conversations(sid)
        .participants(customer["sid"])
    )
    gone.delete()
    if is_told:
        service.post("post_event", forms.participant("onParticipantRemoved", sid))
    else:
        sweep(service)
        with later(timedelta(seconds=70)):
            sweep(service)
    assert conversation(db, sid)["state"] == "closed"
    records.worker(db, ANN)
    service.settle()
    assert workers_in(service.standin, sid) == []


def test_a_bot_is_nobodys_worker(service: Service, db: Client) -> None:
    records.routing(db, mode="pool", bots=["helper-bot"])
    sid = write(service)
    service.standin.worker_join(sid, "helper-bot")
    service.settle()
    sweep(service)
    assert conversation(db, sid)["state"] == "queued"
    records.worker(db, ANN)
    service.settle()
    assert conversation(db, sid)["worker"] == ANN
    assert set(workers_in(service.standin, sid)) == {"helper-bot", ANN}
    assert not db.document("workers/helper-bot").get().exists
