"""Outages of any length: what began meanwhile is found and routed, the oldest first, however much it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from providers import backlog, clock, sweeps
from providers.sweeps import Listing, Stretch
from tests.core import forms, records
from tests.core.records import conversation, is_pending, read, workers_in
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
FOUND = "conversations whose webhook never came"
ADA = "+15550000001"


def missed(
    service: Service, number: int, to: str = forms.PROXY, start: int = 1
) -> list[str]:
    """Conversations of so many customers whose webhooks all get lost, the oldest first, a second apart."""
    service.standin.set_autocreate(to)
    service.standin.webhook_trouble(lose=1.0)
    sids = []
    for customer in range(start, start + number):
        service.standin.advance(1)
        clock.shift(1)
        sids.append(
            str(
                service.standin.inbound(
                    f"+1555000{customer:04}", to, "Hello"
                ).conversation_sid
            )
        )
    service.standin.heal()
    return sids


def pass_minutes(service: Service, minutes: float) -> None:
    clock.shift(minutes * 60)
    service.standin.advance(minutes * 60)


def lists(service: Service) -> list[dict[str, Any]]:
    """The calls that list conversations."""
    calls = service.standin.requests
    return [
        one
        for one in calls
        if one["method"] == "GET" and one["path"].endswith("/Conversations")
    ]


# A customer's message in a conversation that the log does not have in hand


def test_a_customers_message_routes_a_conversation_without_a_record(
    service: Service, db: Client
) -> None:
    (sid,) = missed(service, 1)
    pass_minutes(service, 5)
    service.standin.inbound(ADA, forms.PROXY, "Are you there?")
    service.settle()
    record = conversation(db, sid)
    assert (record["state"], record["address"], record["unread"]) == ("queued", ADA, 2)
    assert record["last_message"]["text"] == "Are you there?"
    first, second = (one["date_created"] for one in service.standin.messages(sid))
    waits = record["queued_at"], record["awaiting_since"]
    assert all(
        abs(one - datetime.fromisoformat(first)) < timedelta(seconds=2) for one in waits
    )
    assert datetime.fromisoformat(second) - datetime.fromisoformat(first) >= timedelta(
        minutes=5
    )
    assert backlog.oldest(10) == []


def test_a_first_message_whose_arrival_was_lost_is_routed_with_its_text(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.set_autocreate(forms.PROXY)
    service.standin.webhook_trouble(lose=1.0, events=["onConversationAdded"])
    sid = str(service.standin.inbound(ADA, forms.PROXY, "Hello").conversation_sid)
    service.settle()
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["last_message"]["text"]) == (
        "assigned",
        ANN,
        "Hello",
    )
    assert workers_in(service.standin, sid) == [ANN]


@pytest.mark.parametrize(
    ("author", "source", "calls"),
    [
        ("bot@example.com", "API", 0),
        ("system", "API", 0),
        (ANN, "SDK", 0),
        (forms.PROXY, "API", 1),
    ],
)
def test_a_message_of_nobody_outside_routes_nothing(
    service: Service, db: Client, author: str, source: str, calls: int
) -> None:
    (sid,) = missed(service, 1)
    service.standin.forget_traffic()
    form = forms.message(sid, 1, author, Body="Hello", Source=source)
    assert service.post("post_event", form).status_code == 200
    assert conversation(db, sid) == {}
    looked_at = [
        one for one in service.standin.requests if one["path"].endswith("/Participants")
    ]
    assert len(looked_at) == calls


def test_delivered_twice_it_is_routed_once(service: Service, db: Client) -> None:
    (sid,) = missed(service, 1)
    form = forms.message(sid, 0, ADA, Body="Hello", Source="SMS")
    for _ in range(2):
        assert service.post("post_event", form).status_code == 200
    service.settle()
    assert [line["what"] for line in conversation(db, sid)["log"]] == ["queued"]


def test_while_twilio_does_not_answer_the_sweep_finishes_it(
    service: Service, db: Client
) -> None:
    pass_minutes(service, 5)
    (sid,) = missed(service, 1)
    service.standin.fail(503, 20503, path="/Participants$")
    form = forms.message(sid, 0, ADA, Body="Hello", Source="SMS")
    assert service.post("post_event", form).status_code == 200
    assert conversation(db, sid) == {}
    service.standin.heal()
    with_listing_elsewhere(db)
    pass_minutes(service, 1)
    assert sweep(service)[FOUND] == 1
    assert conversation(db, sid)["state"] == "queued"


def with_listing_elsewhere(db: Client) -> None:
    """As if Twilio's list had been read further than the conversations of this test."""
    db.document("service/sweep").set(
        {"listed_since": clock.now() + timedelta(minutes=10)}
    )


def test_a_conversation_of_another_service_is_found_where_the_message_names_none(
    service: Service, db: Client
) -> None:
    other = service.standin.add_service("Other")
    service.standin.set_autocreate("+15550008888", service_sid=other)
    sweep(service)
    (sid,) = missed(service, 1, "+15550008888")
    form = forms.message(sid, 0, ADA, Body="Hello", Source="SMS")
    assert service.post("post_event", form).status_code == 200
    assert conversation(db, sid)["service_sid"] == other


# A closed record


def closed_by_mistake(service: Service, db: Client) -> str:
    sid = write(service)
    service.settle()
    db.document(f"conversations/{sid}").update(
        {"state": "closed", "closed_at": clock.now()}
    )
    db.document(f"pending_conversations/{sid}").delete()
    return sid


@pytest.mark.parametrize("state", ["active", "inactive"])
def test_a_message_in_a_closed_record_begins_a_new_wait_if_twilio_has_it_open(
    service: Service, db: Client, state: str
) -> None:
    sid = closed_by_mistake(service, db)
    service.standin.webhook_trouble(lose=1.0)
    pass_minutes(service, 10)
    service.standin.inbound(ADA, forms.PROXY, "Hello again")
    if state == "inactive":
        service.standin.set_state(sid, state)
    form = forms.message(sid, 1, ADA, Body="Hello again", Source="SMS")
    for _ in range(2):
        assert service.post("post_event", form).status_code == 200
    record = conversation(db, sid)
    assert (record["state"], record["closed_at"], record["expires_at"]) == (
        "queued",
        None,
        None,
    )
    assert clock.now() - record["queued_at"] < timedelta(minutes=1)
    assert [line["what"] for line in record["log"]][-2:] == ["open again", "queued"]
    assert is_pending(db, sid)


def test_a_message_in_a_closed_record_changes_nothing_if_twilio_has_closed_it(
    service: Service, db: Client
) -> None:
    sid = write(service)
    service.standin.set_state(sid, "closed")
    service.settle()
    form = forms.message(sid, 1, ADA, Body="Too late", Source="SMS")
    assert service.post("post_event", form).status_code == 200
    record = conversation(db, sid)
    assert (record["state"], record["last_message"]["text"]) == ("closed", "Too late")
    assert not is_pending(db, sid)


def test_a_closed_record_with_its_worker_at_twilio_is_theirs_again(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    service.settle()
    db.document(f"conversations/{sid}").update(
        {"state": "closed", "closed_at": clock.now()}
    )
    db.document(f"workers/{ANN}").update({"active": 0})
    service.standin.inbound(ADA, forms.PROXY, "Hello again")
    service.settle()
    assert (conversation(db, sid)["state"], conversation(db, sid)["worker"]) == (
        "assigned",
        ANN,
    )
    assert records.active(db, ANN) == 1
    assert workers_in(service.standin, sid) == [ANN]


# Twilio's lists


def test_several_pages_and_days_are_routed_the_oldest_first(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, capacity=1)
    service.settle()
    sweep(service)
    sids = missed(service, 3)
    pass_minutes(service, 60 * 50)
    sids += missed(service, 120, start=100)
    service.standin.forget_traffic()
    pass_minutes(service, 1)
    assert sweep(service)[FOUND] == 123
    assert [sid for sid in sids if conversation(db, sid)["worker"] == ANN] == sids[:1]
    entries = db.collection("pending_conversations").order_by("queued_at").stream()
    assert [one.id for one in entries] == sids[1:]
    assert service.standin.most_calls_at_once <= 8
    assert all(int(one["params"]["PageSize"]) <= 100 for one in lists(service))
    assert read(db, "service", "listing").get("behind", []) == []
    assert backlog.oldest(10) == []
    assert FOUND not in sweep(service)


def test_a_run_that_ends_in_the_middle_of_a_list_goes_on_from_that_page(
    service: Service, db: Client
) -> None:
    """What the first page of a day held is in the backlog, and waits until the day's oldest is known, too."""
    sweep(service)
    sids = missed(service, 130)
    pass_minutes(service, 1)
    first_page = lists_by_hand(service)
    since = read(db, "service", "sweep")["listed_since"]
    stretch = Stretch(
        service.standin.default_service_sid, since, clock.now(), first_page
    )
    sweeps.save_listing(Listing(), [stretch])
    backlog.add(
        [
            backlog.Entry(sid, None, clock.now() - timedelta(seconds=40))
            for sid in sids[-1:]
        ]
    )
    service.standin.forget_traffic()
    sweep(service)
    assert lists(service)[0]["params"]["PageToken"] == first_page
    pending = {one.id for one in db.collection("pending_conversations").stream()}
    assert set(sids[:30]) | {sids[-1]} <= pending


def lists_by_hand(service: Service) -> str:
    """The token of the second page of today's conversations."""
    from providers import twilio

    today = clock.now().date()
    page = twilio.created_on(service.standin.default_service_sid, today, today, None)
    assert len(page.body.conversations) == 100
    return str(page.body.next_token)


def test_a_token_that_twilio_refuses_begins_the_day_again(
    service: Service, db: Client
) -> None:
    sweep(service)
    (sid,) = missed(service, 1)
    since = read(db, "service", "sweep")["listed_since"]
    stretch = Stretch(
        service.standin.default_service_sid, since, clock.now(), "not a token"
    )
    sweeps.save_listing(Listing(), [stretch])
    pass_minutes(service, 1)
    assert FOUND not in sweep(service)
    assert sweep(service)[FOUND] == 1
    assert is_pending(db, sid)


def test_while_one_service_cannot_be_listed_others_are_and_it_loses_nothing(
    service: Service, db: Client
) -> None:
    other = service.standin.add_service("Other")
    service.standin.set_autocreate("+15550008888", service_sid=other)
    sweep(service)
    (here,) = missed(service, 1)
    (there,) = missed(service, 1, "+15550008888", start=2)
    service.standin.fail(403, 20003, path=f"{other}/Conversations$", method="GET")
    pass_minutes(service, 1)
    assert sweep(service)[FOUND] == 1
    assert (is_pending(db, here), is_pending(db, there)) == (True, False)
    pass_minutes(service, 60)
    sweep(service)
    service.standin.heal()
    assert sweep(service)[FOUND] == 1
    assert is_pending(db, there)


def test_an_outage_of_twilios_before_its_services_were_ever_named_loses_nothing(
    service: Service, db: Client
) -> None:
    (sid,) = missed(service, 1)
    service.standin.fail(403, 20003, method="GET")
    pass_minutes(service, 1)
    sweep(service)
    pass_minutes(service, 150)
    sweep(service)
    service.standin.heal()
    assert sweep(service)[FOUND] == 1
    assert is_pending(db, sid)


def test_a_service_that_only_a_known_conversation_names_is_listed_too(
    service: Service, db: Client
) -> None:
    other = service.standin.add_service("Other")
    sweep(service)
    service.standin.set_autocreate("+15550008888", service_sid=other)
    known = str(service.standin.inbound(ADA, "+15550008888", "Hello").conversation_sid)
    service.settle()
    assert conversation(db, known)["service_sid"] == other
    (sid,) = missed(service, 1, "+15550008888", start=2)
    pass_minutes(service, 1)
    sweep(service)
    assert sweep(service)[FOUND] == 1
    assert is_pending(db, sid)


@pytest.mark.parametrize(
    "odd", [None, True, -1, "x", [1], {"a": None}, b"x", float("nan")]
)
def test_no_value_in_what_is_kept_about_lists_stops_the_sweep(
    service: Service, db: Client, odd: Any
) -> None:
    sweep(service)
    (sid,) = missed(service, 1)
    fields = ("service_sid", "since", "until", "token")
    behind = [{"since": clock.now(), name: odd} for name in fields]
    db.document("service/listing").set(
        {"behind": behind if odd is None else odd, "more": odd}
    )
    db.document("service/sweep").update(
        {"services": odd, "services_at": odd, "listed_services": odd}
    )
    entries = db.document("service/found").collection("backlog")
    entries.document(forms.sid()).set(
        {"created_at": odd, "service_sid": odd, "failures": odd}
    )
    entries.document("not a conversation").set(
        {"created_at": clock.now() - timedelta(hours=1)}
    )
    pass_minutes(service, 1)
    answer = service.post("sweep", signed=False)
    assert answer.status_code == 200
    assert b"failed" not in answer.data
    service.settle()
    assert is_pending(db, sid)


def test_an_idle_sweep_makes_one_call_per_service(service: Service) -> None:
    sweep(service)
    service.standin.forget_traffic()
    pass_minutes(service, 1)
    sweep(service)
    assert [one["path"].rpartition("/")[2] for one in service.standin.requests] == [
        "Conversations"
    ]


def test_beyond_twilios_limit_of_calls_at_once_nothing_is_lost(
    service: Service, db: Client
) -> None:
    sweep(service)
    sids = missed(service, 20)
    service.standin.limit_calls_at_once(3)
    pass_minutes(service, 1)
    for _ in range(3):
        sweep(service)
    assert all(is_pending(db, sid) for sid in sids)


# A queued conversation without its customer


def without_customer(service: Service) -> str:
    """Queued, and its customer's leaving was lost."""
    sid = write(service)
    service.settle()
    service.standin.webhook_trouble(lose=1.0)
    service.standin.customer_leave(sid, ADA)
    service.standin.heal()
    return sid


def test_two_sweeps_and_a_minute_end_a_queued_conversation_without_its_customer(
    service: Service, db: Client
) -> None:
    sid = without_customer(service)
    for _ in range(3):
        sweep(service)
        assert conversation(db, sid)["state"] == "queued"
    with later(timedelta(seconds=70)):
        assert sweep(service)["conversations that Twilio knows otherwise"] == 1
    assert conversation(db, sid)["state"] == "closed"


def test_one_look_without_the_customer_ends_nothing(
    service: Service, db: Client
) -> None:
    sid = without_customer(service)
    pass_minutes(service, 5)
    sweep(service)
    assert conversation(db, sid)["customer_missing_since"] is not None
    service.standin.customer_join(sid, ADA, forms.PROXY)
    sweep(service)
    record = conversation(db, sid)
    assert (record["state"], record["customer_missing_since"]) == ("queued", None)


def test_a_worker_who_was_added_during_an_outage_has_the_conversation(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    (sid,) = missed(service, 1)
    service.standin.webhook_trouble(lose=1.0)
    service.standin.worker_join(sid, ANN)
    service.standin.heal()
    pass_minutes(service, 5)
    sweep(service)
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["address"]) == (
        "assigned",
        ANN,
        ADA,
    )
    assert records.active(db, ANN) == 1


# The evening


def test_all_who_are_overdue_are_back_after_one_sweep_with_eight_calls_at_a_time(
    service: Service, db: Client
) -> None:
    for pool in ("default", "sales"):
        records.pool(db, pool, answer_within=60)
    records.worker(db, ANN, pools=["default"], capacity=None)
    service.settle()
    sids = [write(service, f"+1555000{n:04}") for n in range(1, 41)]
    service.settle()
    assert {conversation(db, sid)["worker"] for sid in sids} == {ANN}
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    service.standin.forget_traffic()
    pass_minutes(service, 5)
    assert sweep(service)["back for want of an answer"] == 40
    assert all(conversation(db, sid)["state"] == "queued" for sid in sids)
    assert not any(workers_in(service.standin, sid) for sid in sids)
    assert 1 < service.standin.most_calls_at_once <= 8
