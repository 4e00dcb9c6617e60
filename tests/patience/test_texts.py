"""A pool's own texts: to whom, when, in which words, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import text_limits
from domain.sent_texts import LEASE, Sending, Step, next_step
from functions import conversation_written
from functions.conversation_written.receiver import Written
from functions.http.answers import Again
from functions.http.trigger import Change
from proof import seam
from providers import clock, messages, twilio
from providers.twilio import Outcome, Place
from tests.core import forms, records
from tests.core.test_routing import write
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
QUEUED = "Thank you, {{Name}}. You are number {{Position}}."
TEXTS = {
    "queued": QUEUED,
    "assigned": "{{Author}} is with you.",
    "away": "Closed. We open at {{Opens}}.",
}


def pool(db: Client, **fields: Any) -> None:
    records.pool(db, "default", display_name="Sales", **({"texts": TEXTS} | fields))


def closed() -> dict[str, Any]:
    """Today is a holiday, as are the two days around it, so that no midnight ends the test's closing time."""
    today = clock.now().date()
    days = [today + timedelta(days=more) for more in (-1, 0, 1)]
    return {"holidays": [day.isoformat() for day in days]}


def said(service: Service, sid: str) -> list[str]:
    """What the service itself has written."""
    return [m["body"] for m in service.standin.messages(sid) if m["author"] == "system"]


def again(db: Client, sid: str, before: str = "unrouted", **after: Any) -> None:
    """The event of a state's beginning, delivered once more."""
    record = records.conversation(db, sid) | after
    conversation_written.handle(Change(sid, record | {"state": before}, record))


def test_who_waits_and_who_is_given_somebody_is_told_once(
    service: Service, db: Client
) -> None:
    pool(db)
    records.worker(db, ANN, "Unavailable", display_name="Ann")
    records.customer(db, "ada", display_name="Ada", addresses=["+15550000001"])
    service.settle()
    sid, other = write(service), write(service, "+15550000002")
    assert said(service, sid) == ["Thank you, Ada. You are number 1."]
    assert said(service, other) == [
        "You are number 2."
    ]  # nobody knows their name: the sentence is left out
    records.set_status(db, ANN, "Available")
    service.settle()
    assert said(service, sid) == [
        "Thank you, Ada. You are number 1.",
        "Ann is with you.",
    ]
    again(db, sid, "assigning")
    again(db, sid, state="queued")
    assert len(said(service, sid)) == 2


def test_nothing_is_said_unless_the_pool_has_texts(
    service: Service, db: Client
) -> None:
    sid = write(service)
    records.worker(db, ANN)
    service.settle()
    assert records.conversation(db, sid)["state"] == "assigned"
    assert said(service, sid) == []


def test_one_who_gets_a_worker_at_once_does_not_hear_that_they_wait(
    service: Service, db: Client
) -> None:
    pool(db)
    records.worker(db, ANN)
    service.settle()
    assert said(service, write(service)) == [f"{ANN} is with you."]


def test_an_event_that_is_late_says_nothing_that_is_true_no_more(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Unavailable")
    sid = write(service)
    record = records.conversation(db, sid)
    pool(db)
    records.set_status(db, ANN, "Available")
    service.settle()
    service.standin.set_state(sid, "closed")
    service.settle()
    heard = said(service, sid)
    conversation_written.handle(Change(sid, None, record))
    again(db, sid, "assigning", state="assigned")
    assert said(service, sid) == heard == [f"{ANN} is with you."]


def test_a_conversation_that_is_not_to_be_routed_gets_none(
    service: Service, db: Client
) -> None:
    pool(db, mode="none", addresses=[forms.PROXY])
    records.worker(db, ANN, "Unavailable")
    service.settle()
    sid = write(service)
    service.standin.worker_join(sid, ANN)
    service.settle()
    assert records.conversation(db, sid)["state"] == "assigned"
    assert said(service, sid) == []


def test_who_may_not_be_written_to_gets_none(service: Service, db: Client) -> None:
    pool(db)
    records.customer(db, "ada", addresses=["+15550000001"], do_not_contact=True)
    assert said(service, write(service)) == []
    service.triggers.behave(service.project, "conversation_written", drop=1.0)
    sid = write(service, "+15550000002")
    (customer,) = service.standin.participants(sid)
    assert (
        twilio.remove_participant(Place(None, sid), customer["sid"]).outcome
        is Outcome.DONE
    )
    again(db, sid)
    assert said(service, sid) == []


def test_in_the_customers_language(service: Service, db: Client) -> None:
    pool(
        db,
        texts={
            "queued": {
                "en": "Please wait.",
                "de": "Bitte warten.",
                "de-AT": "Bitt’schön warten.",
            }
        },
    )
    people = {
        "de_AT": "Bitt’schön warten.",
        "de-CH": "Bitte warten.",
        "fr": "Please wait.",
        "": "Please wait.",
    }
    for number, (language, expected) in enumerate(people.items()):
        address = f"+1555000001{number}"
        records.customer(db, f"c{number}", addresses=[address], language=language)
        assert said(service, write(service, address)) == [expected]


def test_outside_the_hours_they_hear_once_per_closing_time_when_it_opens(
    service: Service, db: Client
) -> None:
    pool(db, **closed())
    sid = write(service)
    opens = (clock.now().date() + timedelta(days=2)).isoformat()
    assert said(service, sid) == [f"Closed. We open at {opens} 00:00."]
    service.standin.set_state(sid, "closed")
    service.settle()
    after = write(service)  # a new conversation in the same closing time
    again(db, after)
    assert said(service, after) == []
    assert records.conversation(db, after)["state"] == "queued"


def test_an_edit_of_the_hours_is_no_new_closing_time(
    service: Service, db: Client
) -> None:
    pool(db, **closed())
    sid = write(service)
    later = [
        *closed()["holidays"],
        (clock.now().date() + timedelta(days=2)).isoformat(),
    ]
    pool(db, holidays=later)
    again(db, sid)
    assert len(said(service, sid)) == 1


def test_a_text_goes_out_in_a_later_wait_and_in_the_next_closing_time_only() -> None:
    now = clock.now()
    told = Sending(now, "token", "attempt", now, is_sent=True)
    waits = [now - timedelta(seconds=1), now, now + timedelta(seconds=1)]
    assert [next_step("queued", told, wait, now) is Step.BEGIN for wait in waits] == [
        False,
        False,
        True,
    ]
    moments = [
        now - timedelta(seconds=1),
        now,
    ]  # the closing time ends when the pool opens, to the second
    later = now + timedelta(days=1)
    assert [
        next_step("away", told, later, moment) is Step.BEGIN for moment in moments
    ] == [False, True]
    unfinished = replace(told, is_sent=False)
    steps = [
        next_step("queued", unfinished, now, now + LEASE - timedelta(seconds=late))
        for late in (1, 0)
    ]
    assert steps == [Step.LATER, Step.LOOK]


def test_a_text_waits_while_twilio_does_not_tell_who_is_in_it(
    service: Service, db: Client
) -> None:
    service.triggers.behave(service.project, "conversation_written", drop=1.0)
    pool(db)
    sid = write(service)
    service.standin.fail(503, 20503, path="Participants")
    with pytest.raises(Again):
        again(db, sid)
    service.standin.heal()
    again(db, sid)
    assert said(service, sid) == ["You are number 1."]


def test_a_receiver_that_fails_keeps_no_other_from_being_called_and_the_event_comes_again() -> (
    None
):
    called = []

    def fails(written: Written) -> None:
        raise ZeroDivisionError

    def works(written: Written) -> None:
        called.append(written.sid)

    with pytest.raises(Again):
        conversation_written.handle(
            Change("CH1", None, {"state": "queued"}), (fails, works)
        )
    assert called == ["CH1"]


def test_a_worker_who_is_available_outside_the_hours_takes_them(
    service: Service, db: Client
) -> None:
    pool(db, **closed())
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    assert records.conversation(db, sid)["state"] == "assigned"
    assert said(service, sid) == [f"{ANN} is with you."]


def test_who_writes_once_more_after_closing_hears_when_it_opens(
    service: Service, db: Client
) -> None:
    pool(db)
    sid = write(service)
    assert said(service, sid) == ["You are number 1."]
    pool(db, **closed())
    record = records.conversation(db, sid)
    message = {"at": clock.now(), "from": "customer", "text": "Hello?", "index": 7}
    conversation_written.handle(Change(sid, record, record | {"last_message": message}))
    conversation_written.handle(
        Change(sid, record, record | {"last_message": message | {"index": 8}})
    )
    by_worker = message | {"index": 9, "from": "worker"}
    conversation_written.handle(
        Change(sid, record, record | {"last_message": by_worker})
    )
    assert [text[:6] for text in said(service, sid)] == ["You ar", "Closed"]


def test_how_long_is_said_by_the_pace_of_the_last_half_hour(
    service: Service, db: Client
) -> None:
    pool(db, capacity=3, texts={"queued": "About {{Wait}}. Thank you."})
    assert said(service, write(service)) == ["Thank you."]
    records.worker(db, ANN, display_name="Ann")
    service.settle()
    for number in range(2, 4):
        write(service, f"+1555000000{number}")
    assert records.active(db, ANN) == 3
    assert said(service, write(service, "+15550000009")) == [
        "About 10 min. Thank you."
    ]  # 3 in 30 minutes
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    assert said(service, write(service, "+15550000010")) == [
        "Thank you."
    ]  # nobody works any more


def test_a_text_whose_answer_is_lost_is_not_sent_again(
    service: Service, db: Client
) -> None:
    service.triggers.behave(service.project, "conversation_written", drop=1.0)
    pool(db)
    sid = write(service)
    service.standin.fail(
        None, path="Messages", method="POST", drop_answer=True, times=1
    )
    with pytest.raises(Again):
        again(db, sid)
    with pytest.raises(Again):  # the first try may be under way still
        again(db, sid)
    clock.shift(31)
    again(db, sid)
    again(db, sid)
    assert said(service, sid) == ["You are number 1."]


def test_a_text_that_twilio_did_not_take_is_sent_later(
    service: Service, db: Client
) -> None:
    service.triggers.behave(service.project, "conversation_written", drop=1.0)
    pool(db)
    sid = write(service)
    service.standin.fail(429, 20429, path="Messages", method="POST", times=1)
    with pytest.raises(Again):
        again(db, sid)
    clock.shift(31)
    again(db, sid)
    assert said(service, sid) == ["You are number 1."]


def test_a_text_that_twilio_was_too_busy_to_take_waits_for_no_lease(
    service: Service,
    db: Client,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service.triggers.behave(
        service.project, "conversation_written", retry_after=[0.1] * 12
    )
    pool(db)
    service.standin.fail(429, 20429, path="Messages", method="POST", times=8)
    sid = write(service)
    service.settle(timeout=30)
    assert said(service, sid) == ["You are number 1."]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    about = [line["severity"] for line in lines if "20429" in line["message"]]
    assert about == ["WARNING"] * 8
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_crash_anywhere_sends_it_at_most_once_and_the_next_delivery_finishes(
    service: Service, db: Client
) -> None:
    """Between any two commits and calls; the delivery after the lease finds out what there is to do."""
    service.triggers.behave(service.project, "conversation_written", drop=1.0)
    pool(db, texts={"queued": "Please wait."})
    for step in range(1, 100):
        sid = write(service, f"+1555000{step:04}")
        with seam.interrupted_by(_dies_at(step)):
            try:
                again(db, sid)
            except seam.Crash:
                clock.shift(31)
                again(db, sid)
            else:
                break
        assert said(service, sid) == ["Please wait."], f"died at point {step}"
    assert step == 11  # two commits and three calls, before and after each


def _dies_at(step: int) -> Callable[[str], None]:
    points = iter(range(1, 1000))

    def die(where: str) -> None:
        if next(points) == step:
            raise seam.Crash

    return die


def test_it_is_looked_at_again_right_before_it_is_sent(
    service: Service, db: Client
) -> None:
    service.triggers.behave(service.project, "conversation_written", drop=1.0)
    pool(db)
    sid = write(service)

    def somebody_comes(where: str) -> None:
        if where == seam.COMMITTED:  # the mark has been written
            db.document(f"conversations/{sid}").update({"state": "assigned"})

    with seam.interrupted_by(somebody_comes):
        again(db, sid)
    assert said(service, sid) == []


def test_the_token_of_a_text_is_in_its_message(service: Service, db: Client) -> None:
    pool(db)
    sid = write(service)
    (message,) = [m for m in service.standin.messages(sid) if m["author"] == "system"]
    (record,) = db.collection("sent_texts").stream()
    assert json.loads(message["attributes"]) == {
        messages.SERVICE_TEXT: record.get("queued.token")
    }
    assert record.get("expires_at") > clock.now()


def test_whether_it_was_closed_is_noted_when_somebody_arrives(
    service: Service, db: Client
) -> None:
    pool(db, **closed())
    sid = write(service)
    record = records.conversation(db, sid)
    assert (record["outside_hours"], record["arrived_outside_at"]) == (
        True,
        record["created_at"],
    )
    assert record["log"][0]["what"] == "outside the hours"
    pool(db)
    assert "arrived_outside_at" not in records.conversation(
        db, write(service, "+15550000002")
    )


def test_one_address_gets_a_limited_number_of_texts_a_day(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    pool(db, texts={"queued": "Please wait."})
    assert said(service, write(service)) == ["Please wait."]
    (sent,) = db.collection("sent_texts").stream()
    assert sent.get("day_texts") == 1
    sent.reference.update({"day_texts": text_limits.MOST_A_DAY - 1})
    service.standin.set_state(
        next(iter(db.collection("conversations").stream())).id, "closed"
    )
    service.settle()
    last = write(service)
    assert said(service, last) == ["Please wait."]
    service.standin.set_state(last, "closed")
    service.settle()
    assert said(service, write(service)) == []
    assert f"{text_limits.MOST_A_DAY} texts today" in capsys.readouterr().out
    sent.reference.update({"day": "2020-01-01"})
    assert said(service, write(service, "+15550000077")) == [
        "Please wait."
    ]  # others are not concerned


def test_one_pool_sends_a_limited_number_of_texts_an_hour(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    pool(db, texts={"queued": "Please wait."})
    assert said(service, write(service)) == ["Please wait."]
    (count,) = db.collection("text_counts").stream()
    assert (count.get("texts"), count.get("hour")) == (
        1,
        text_limits.hour_of(clock.now()),
    )
    stem = count.id.rpartition("-")[0]
    full = {
        "hour": count.get("hour"),
        "texts": text_limits.MOST_AN_HOUR // text_limits.PARTS,
    }
    for part in range(text_limits.PARTS):
        db.document(f"text_counts/{stem}-{part}").set(full)
    assert said(service, write(service, "+15550000002")) == []
    assert "texts in this hour" in capsys.readouterr().out
    for part in range(text_limits.PARTS):
        db.document(f"text_counts/{stem}-{part}").update({"hour": "2020-01-01T00"})
    assert said(service, write(service, "+15550000003")) == ["Please wait."]
