"""Messages noticed, and customers whom nobody answers, with the real functions, the emulator and the stand-in."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from google.cloud.firestore import Client

from local.twilio.records import new_sid
from proof import seam
from providers import clock
from tests.core import forms, records
from tests.core.records import conversation, is_pending, workers_in
from tests.core.test_routing import write
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"


@pytest.fixture
def sid(service: Service, db: Client) -> str:
    """A conversation in Ann's hands, in a pool where an answer may take 60 s; Ben is not there yet."""
    records.pool(db, "default", display_name="Sales", answer_within=60)
    records.worker(db, ANN)
    service.settle()
    return write(service)


def answer(service: Service, sid: str, worker: str = ANN) -> None:
    service.standin.worker_message(sid, worker, "Good morning")
    service.settle()


def sweep(service: Service) -> dict[str, int]:
    response = service.post("sweep", signed=False)
    assert response.status_code == 200, response.data
    service.settle()
    mended: dict[str, int] = json.loads(response.data)["mended"]
    return mended


def pass_time(service: Service, seconds: float) -> None:
    clock.shift(seconds)
    service.standin.advance(seconds)


def lose(service: Service, *events: str) -> None:
    service.standin.webhook_trouble(lose=1.0, events=list(events))


def test_a_message_is_noted_with_who_wrote_and_since_when_an_answer_is_awaited(
    service: Service, db: Client, sid: str
) -> None:
    first = conversation(db, sid)
    assert (
        first["last_message"]["from"],
        first["last_message"]["text"],
        first["last_message"]["index"],
    ) == (
        "customer",
        "Hello",
        0,
    )
    assert (first["unread"], first["awaiting_since"]) == (1, first["created_at"])
    service.standin.inbound("+15550000001", forms.PROXY, "Anybody there?")
    service.settle()
    assert conversation(db, sid)["unread"] == 2
    answer(service, sid)
    answered = conversation(db, sid)
    assert (answered["unread"], answered["awaiting_since"]) == (0, None)
    assert answered["first_answer_at"] == answered["last_message"]["at"]
    assert answered["last_message"]["from"] == "worker"
    assert answered["log"][-1]["what"] == "answered"
    assert conversation(db, sid)["state"] == "assigned"


def test_messages_in_any_order_twice_and_side_by_side_lead_to_one_record(
    service: Service, db: Client, sid: str
) -> None:
    service.standin.webhook_trouble(repeat=2, shuffle=True, overlap=True)
    for text in ("one", "two", "three"):
        service.standin.inbound("+15550000001", forms.PROXY, text, wait=False)
    service.settle()
    record = conversation(db, sid)
    assert (record["unread"], record["last_message"]["text"]) == (4, "three")
    assert [one["index"] for one in record["heard"]] == [0, 1, 2, 3]


def test_a_message_before_the_record_is_left_to_the_arrival_and_the_sweep(
    service: Service, db: Client
) -> None:
    lose(service, "onMessageAdded")
    sid = write(service)
    record = conversation(db, sid)
    assert (record["unread"], record["awaiting_since"], record["last_message"]) == (
        1,
        record["created_at"],
        None,
    )
    assert sweep(service)["conversations with unheard messages"] == 1
    assert conversation(db, sid)["last_message"]["text"] == "Hello"
    assert (
        conversation(db, sid)["unread"],
        sweep(service).get("conversations with unheard messages"),
    ) == (
        1,
        None,
    )


def test_the_first_message_waits_a_moment_for_the_arrival(
    service: Service, db: Client
) -> None:
    service.standin.webhook_trouble(
        delay=0.1, overlap=True, events=["onConversationAdded"]
    )
    sid = write(service)
    assert conversation(db, sid)["last_message"]["text"] == "Hello"


def test_a_message_of_a_conversation_that_nobody_knows_is_answered_200_and_keeps_nothing(
    service: Service, db: Client
) -> None:
    assert (
        service.post(
            "post_event", forms.message(forms.sid(), 3, "+15550000001")
        ).status_code
        == 200
    )
    assert list(db.collection("conversations").stream()) == []


def test_what_was_not_delivered_is_listed_with_its_code(
    service: Service, db: Client, sid: str
) -> None:
    message = new_sid("IM")
    for status, code in (
        ("sent", "0"),
        ("undelivered", "63016"),
        ("undelivered", "63016"),
        ("sent", "0"),
    ):
        service.post("post_event", forms.delivery(sid, message, status, code))
    (one,) = conversation(db, sid)["undelivered"]
    assert (one["message_sid"], one["code"]) == (message, 63016)


def test_what_was_not_delivered_is_found_where_the_webhook_was_lost(
    service: Service, db: Client, sid: str
) -> None:
    lose(service, "onDeliveryUpdated")
    service.standin.refuse_delivery("+15550000001", 63016)
    answer(service, sid)
    assert conversation(db, sid)["undelivered"] == []
    sweep(service)
    assert [one["code"] for one in conversation(db, sid)["undelivered"]] == [63016]
    assert "conversations with unheard messages" not in sweep(service)


def test_the_text_of_a_message_is_in_no_log_line(
    service: Service, sid: str, capfd: pytest.CaptureFixture[str]
) -> None:
    service.standin.inbound("+15550000001", forms.PROXY, "my secret garden")
    service.post(
        "post_event",
        forms.message(
            sid, 7, "+15550000001", Body="my secret garden", DateCreated="never"
        ),
    )
    service.post(
        "post_event",
        forms.message("CHnone", 7, "+15550000001", Body="my secret garden"),
    )
    service.settle()
    written = capfd.readouterr()
    assert "secret" not in written.out + written.err


def test_nobody_stays_with_a_worker_who_does_not_answer(
    service: Service, db: Client, sid: str
) -> None:
    records.worker(db, BEN)
    service.settle()
    pass_time(service, 45)
    assert "back for want of an answer" not in sweep(service)
    pass_time(service, 20)
    assert sweep(service)["back for want of an answer"] == 1
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["queued_at"]) == (
        "assigned",
        BEN,
        record["created_at"],
    )
    assert workers_in(service.standin, sid) == [BEN]
    assert [line["what"] for line in record["log"]][-3:] == [
        "queued",
        "assigning",
        "assigned",
    ]
    assert f"{ANN} did not answer for 1 min" in record["log"][-3]["why"]
    assert (records.active(db, ANN), records.active(db, BEN)) == (0, 1)
    assert records.read(db, "workers", ANN)["missed"] == 1
    assert (record["leaving"], record["taken_from"]) == (None, None)


def test_with_nobody_else_it_waits_with_its_age_and_the_same_worker_has_it_again_in_the_end(
    service: Service, db: Client, sid: str
) -> None:
    pass_time(service, 61)
    sweep(service)
    entry = records.read(db, "pending_conversations", sid)
    assert entry["queued_at"] == conversation(db, sid)["created_at"]
    assert entry["excluded_workers"] == [ANN]
    assert workers_in(service.standin, sid) == []
    pass_time(service, 301)
    sweep(service)
    assert (conversation(db, sid)["worker"], workers_in(service.standin, sid)) == (
        ANN,
        [ANN],
    )


def test_an_answer_whose_webhook_was_lost_counts(
    service: Service, db: Client, sid: str
) -> None:
    lose(service, "onMessageAdded")
    answer(service, sid)
    assert conversation(db, sid)["awaiting_since"] is not None
    pass_time(service, 61)
    assert "back for want of an answer" not in sweep(service)
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["awaiting_since"]) == (
        "assigned",
        ANN,
        None,
    )


def test_while_twilio_does_not_tell_nothing_is_taken(
    service: Service, db: Client, sid: str
) -> None:
    pass_time(service, 61)
    service.standin.fail(503, path="Messages")
    sweep(service)
    assert conversation(db, sid)["worker"] == ANN


@pytest.mark.parametrize("knows_the_stay", [True, False])
@pytest.mark.parametrize("name", [None, BEN])
def test_after_an_edit_of_which_no_event_told_nobody_waits_for_the_turn_of_the_log_against_twilio(
    service: Service, db: Client, sid: str, name: str | None, knows_the_stay: bool
) -> None:
    """Another name is a hand-over, and nobody is blamed for what somebody else left unanswered; where nobody knows the
    stay, it is whose it is at Twilio, from now on."""
    records.worker(db, BEN)
    service.settle()
    service.triggers.detach(service.project)
    stay = {} if knows_the_stay else {"participant_sid": None}
    db.document(f"conversations/{sid}").update({"worker": name} | stay)
    pass_time(service, 61)
    db.document("service/sweep").set({"truth_after": sid}, merge=True)
    sweep(service)
    assert [
        records.read(db, "workers", one).get("missed", 0) for one in (ANN, BEN)
    ] == [0, 0]
    if not knows_the_stay:
        assert (conversation(db, sid)["worker"], workers_in(service.standin, sid)) == (
            ANN,
            [ANN],
        )
        pass_time(service, 61)
        sweep(service)
        assert records.read(db, "workers", ANN)["missed"] == 1
    record = conversation(db, sid)
    assert (record["state"], record["worker"], workers_in(service.standin, sid)) == (
        "assigned",
        BEN,
        [BEN],
    )
    assert (records.active(db, ANN), records.active(db, BEN)) == (0, 1)


@pytest.mark.parametrize("point", range(1, 10))
def test_a_worker_who_answers_while_it_is_taken_away_keeps_it(
    service: Service, db: Client, sid: str, point: int
) -> None:
    """The answer arrives at any step of taking it away; where the sweep has found it at Twilio, it is left alone."""
    pass_time(service, 61)
    passed = 0

    def answers(where: str) -> None:
        nonlocal passed
        passed += 1
        if passed == point and ANN in workers_in(service.standin, sid):
            service.standin.worker_message(sid, ANN, "Here I am")

    with seam.interrupted_by(answers):
        response = service.client_for("sweep").post("/")
    assert response.status_code == 200
    service.settle()
    said = [one["author"] for one in service.standin.messages(sid)]
    sweep(service)
    record = conversation(db, sid)
    if ANN in said:
        assert (record["state"], record["worker"], record["awaiting_since"]) == (
            "assigned",
            ANN,
            None,
        )
        assert workers_in(service.standin, sid) == [ANN]
        assert records.read(db, "workers", ANN).get("missed", 0) == 0
    else:
        assert record["state"] == "queued"
    assert records.active(db, ANN) == (record["state"] == "assigned")


@pytest.mark.parametrize("point", range(1, 10))
def test_a_crash_anywhere_while_it_is_taken_away_is_finished_by_the_next_sweep(
    service: Service, db: Client, sid: str, point: int
) -> None:
    pass_time(service, 61)
    passed = 0

    def dies(where: str) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            raise seam.Crash

    with seam.interrupted_by(dies), suppress(seam.Crash):
        service.client_for("sweep").post("/")
    service.settle()
    pass_time(service, 31)
    sweep(service)
    record = conversation(db, sid)
    assert (record["state"], record["leaving"], workers_in(service.standin, sid)) == (
        "queued",
        None,
        [],
    )
    assert is_pending(db, sid)
    assert records.read(db, "workers", ANN)["missed"] == 1
    assert records.active(db, ANN) == 0


def test_another_worker_in_it_has_it_then(
    service: Service, db: Client, sid: str
) -> None:
    records.worker(db, BEN, "Unavailable")
    service.settle()
    service.standin.worker_join(sid, BEN)
    service.settle()
    pass_time(service, 61)
    sweep(service)
    record = conversation(db, sid)
    assert (record["state"], record["worker"], workers_in(service.standin, sid)) == (
        "assigned",
        BEN,
        [BEN],
    )
    pass_time(
        service, 45
    )  # to the second: test_the_answer_is_overdue_exactly_at_the_second
    assert "back for want of an answer" not in sweep(service)
    pass_time(service, 20)
    assert sweep(service)["back for want of an answer"] == 1


def test_who_lets_several_wait_becomes_unavailable_and_an_answer_begins_anew(
    service: Service, db: Client, sid: str
) -> None:
    db.document("pools/default").update({"unavailable_after": 2})
    other = write(service, "+15550000002")
    pass_time(service, 61)
    answer(service, other)
    sweep(service)
    assert records.read(db, "workers", ANN)["missed"] == 1
    third = write(service, "+15550000003")
    answer(service, third)
    assert sweep(service)["workers who answer again"] == 1
    assert records.read(db, "workers", ANN)["missed"] == 0
    for address in ("+15550000004", "+15550000005"):
        write(service, address)
    pass_time(service, 61)
    sweep(service)
    ann = records.read(db, "workers", ANN)
    assert (ann["status"], ann["missed"]) == ("Unavailable", 2)
    assert "2 conversations in a row went back" in ann["unavailable_because"]
    records.set_status(db, ANN, "Available")
    service.settle()
    ann = records.read(db, "workers", ANN)
    assert (ann["missed"], ann["unavailable_because"]) == (0, None)


def test_taken_back_twice_at_once_it_is_taken_once(
    service: Service, db: Client, sid: str
) -> None:
    """Two sweeps side by side: the second begins and ends within the first."""
    pass_time(service, 61)
    inner: list[Any] = []

    def another(where: str) -> None:
        if where == seam.COMMITTING and not inner:
            inner.append(None)
            inner.append(service.client_for("sweep").post("/").status_code)

    with seam.interrupted_by(another):
        assert service.client_for("sweep").post("/").status_code == 200
    service.settle()
    assert inner[1] == 200
    assert records.read(db, "workers", ANN)["missed"] == 1
    assert [line["what"] for line in conversation(db, sid)["log"]].count("queued") == 1
