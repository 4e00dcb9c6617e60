"""The sweep: whatever was left half done is finished, and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from google.cloud.firestore import Client

from domain.hours import DAYS
from functions.sweep import PARTS
from functions.sweep.run import Run
from providers import clock
from providers.sweeps import Progress
from tests.core import forms, records
from tests.core.records import conversation, is_pending, read, workers_in
from tests.core.test_routing import write
from tests.service import Service

ANN = "ann@example.com"


@contextmanager
def later(by: timedelta) -> Iterator[None]:
    clock.shift(by.total_seconds())
    try:
        yield
    finally:
        clock.shift(0)


def sweep(service: Service) -> dict[str, int]:
    response = service.post("sweep", signed=False)
    assert response.status_code == 200
    service.settle()
    mended: dict[str, int] = json.loads(response.data)["mended"]
    return mended


def test_an_assignment_that_twilio_refused_for_a_while_is_finished(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(status=503, code=20503, path="Participants", method="POST")
    sid = write(service)
    assert conversation(db, sid)["state"] == "assigning"
    assert records.active(db, ANN) == 1
    service.standin.heal()
    assert sweep(service) == {"assignments finished": 1}
    assert conversation(db, sid)["state"] == "assigned"
    assert workers_in(service.standin, sid) == [ANN]
    assert sweep(service) == {}


def test_an_answer_lost_after_twilio_acted_adds_nobody_twice(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(drop_answer=True, times=1, path="Participants$", method="POST")
    sid = write(service)
    assert conversation(db, sid)["state"] == "assigned"
    assert workers_in(service.standin, sid) == [ANN]


def test_overlapping_sweeps_do_no_harm(service: Service, db: Client) -> None:
    records.worker(db, ANN, capacity=3)
    service.settle()
    service.standin.fail(status=401, code=20003, path="Participants", method="POST")
    sids = [write(service, f"+1555000000{n}") for n in range(3)]
    service.standin.heal()
    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(lambda _: sweep(service), range(4)))
    assert [conversation(db, sid)["state"] for sid in sids] == ["assigned"] * 3
    assert records.active(db, ANN) == 3
    assert all(workers_in(service.standin, sid) == [ANN] for sid in sids)


def test_queue_and_log_that_disagree_are_mended(service: Service, db: Client) -> None:
    lost = write(service)
    db.document(f"pending_conversations/{lost}").delete()
    stray = forms.sid()
    db.document(f"pending_conversations/{stray}").set(
        {"pool": "default", "priority": 0, "queued_at": clock.now()}
    )
    assert sweep(service) == {
        "queue entries without a waiting conversation": 1,
        "waiting conversations without a queue entry": 1,
    }
    assert is_pending(db, lost)
    assert not is_pending(db, stray)


def test_a_slot_that_nobody_holds_comes_back_and_is_used(
    service: Service, db: Client
) -> None:
    service.triggers.behave(service.project, drop=True)
    records.worker(
        db,
        ANN,
        capacity=1,
        active=1,
        full=True,
        last_assigned_at=None,
        status_since=clock.now(),
    )
    db.document("conversations/x").set({"state": "closed", "worker": ANN})
    sid = write(service)
    assert conversation(db, sid)["state"] == "queued"
    assert sweep(service)["workers' counts"] == 1
    assert conversation(db, sid)["worker"] == ANN
    assert records.active(db, ANN) == 1


def test_a_raised_capacity_of_the_pool_is_used(service: Service, db: Client) -> None:
    records.pool(db, "default", capacity=1)
    records.worker(db, ANN)
    service.settle()
    sids = [write(service, f"+1555000000{n}") for n in range(2)]
    records.pool(db, "default", capacity=2)
    sweep(service)
    assert [conversation(db, sid)["state"] for sid in sids] == ["assigned", "assigned"]


def test_a_wake_up_that_never_came_is_made_up_for(service: Service, db: Client) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    sid = write(service)
    service.triggers.behave(service.project, drop=True)
    records.set_status(db, ANN, "Available")
    assert sweep(service) == {"pulled": 1}
    assert conversation(db, sid)["worker"] == ANN


def test_conversations_whose_webhook_never_came_are_found(
    service: Service, db: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.webhook_trouble(lose=1.0)
    sid = write(service)
    service.standin.heal()
    mine = forms.sid()
    assert conversation(db, sid) == {}
    assert sweep(service) == {}
    with later(timedelta(minutes=1)):
        assert sweep(service)["conversations whose webhook never came"] == 1
    assert conversation(db, sid)["worker"] == ANN
    assert conversation(db, mine) == {}


def test_one_with_a_confirmed_worker_in_it_counts_as_theirs(
    service: Service, db: Client
) -> None:
    records.worker(db, "bob@example.com", "Unavailable")
    service.settle()
    service.standin.webhook_trouble(lose=1.0)
    sid = write(service)
    service.standin.worker_join(sid, "bob@example.com")
    service.standin.heal()
    with later(timedelta(minutes=1)):
        assert sweep(service)["conversations whose webhook never came"] == 1
    record = conversation(db, sid)
    assert (record["state"], record["worker"]) == ("assigned", "bob@example.com")


def test_a_close_that_was_never_told_gives_the_slot_back(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, capacity=1)
    service.settle()
    first, second = (write(service, f"+1555000000{n}") for n in range(2))
    service.standin.webhook_trouble(lose=1.0)
    service.standin.set_state(first, "closed")
    service.standin.heal()
    assert sweep(service) == {"conversations that Twilio knows otherwise": 1}
    assert conversation(db, first)["state"] == "closed"
    assert conversation(db, second)["worker"] == ANN


def test_a_worker_who_left_untold_is_replaced(service: Service, db: Client) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    service.standin.webhook_trouble(lose=1.0)
    service.standin.worker_leave(sid, ANN)
    service.standin.heal()
    assert sweep(service)["conversations that Twilio knows otherwise"] == 1
    assert conversation(db, sid)["state"] == "queued"


def test_who_is_in_it_untold_has_it_when_its_worker_has_left_untold(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    records.worker(db, "ben@example.com", "Unavailable")
    service.settle()
    sid = write(service)
    service.standin.webhook_trouble(lose=1.0)
    service.standin.worker_join(sid, "ben@example.com")
    service.standin.worker_leave(sid, ANN)
    service.standin.heal()
    sweep(service)
    assert (conversation(db, sid)["state"], conversation(db, sid)["worker"]) == (
        "assigned",
        "ben@example.com",
    )
    assert workers_in(service.standin, sid) == ["ben@example.com"]


def test_which_stay_it_is_is_learned_where_nobody_told(
    service: Service, db: Client
) -> None:
    """Twilio's answer was lost, and by the second try the worker is in it already."""
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(
        None, drop_answer=True, times=1, path="/Participants$", method="POST"
    )
    sid = write(service)
    stay = next(
        one["sid"]
        for one in service.standin.participants(sid)
        if one["identity"] == ANN
    )
    assert conversation(db, sid)["participant_sid"] == stay
    db.document(f"conversations/{sid}").update({"participant_sid": None})
    sweep(service)
    assert conversation(db, sid)["participant_sid"] == stay


def test_who_left_may_have_it_again_when_nobody_else_took_it(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    service.standin.worker_leave(sid, ANN)
    service.settle()
    assert sweep(service) == {}
    with later(timedelta(minutes=5, seconds=1)):
        assert sweep(service) == {"pulled": 1}
    assert conversation(db, sid)["worker"] == ANN


def test_a_wrong_token_is_said_in_one_sentence_and_nothing_is_lost(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    records.worker(db, ANN)
    service.settle()
    service.standin.fail(status=401, code=20003)
    sid = write(service)
    assert conversation(db, sid)["state"] == "assigning"
    assert "Twilio answered 401, error 20003" in capsys.readouterr().out
    service.standin.heal()
    sweep(service)
    assert conversation(db, sid)["state"] == "assigned"


def test_how_far_it_came_is_kept(service: Service, db: Client) -> None:
    sweep(service)
    kept = read(db, "service", "sweep")
    assert kept["listed_since"] is not None
    assert kept["last_mended"] == {}


def test_a_part_or_a_record_that_fails_is_told_and_counted_and_holds_up_nothing(
    service: Service,
    db: Client,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fails(progress: Progress, run: Run) -> Progress:
        assert (
            run.shielded("worker", "ann@example.com", lambda: 1 // 0, otherwise=7) == 7
        )
        raise ValueError("broken")

    first, *others = list(PARTS.items())
    for name, _ in (first, *others):
        monkeypatch.delitem(PARTS, name)
    for name, part in (first, ("the broken part", fails), *others):
        monkeypatch.setitem(PARTS, name, part)
    lost = write(service)
    db.document(f"pending_conversations/{lost}").delete()
    answer = json.loads(service.post("sweep", signed=False).data)
    assert answer["failed"] == {"worker": 1, "its part": 1}
    assert answer["mended"] == {"waiting conversations without a queue entry": 1}
    told = capfd.readouterr().out
    assert "The sweep could not see to worker" in told
    assert "the broken part" in told


def crowd(service: Service, db: Client, **odd: object) -> None:
    """45 complete records that no event tells of, the last one odd."""
    service.triggers.behave(service.project, drop=True)
    for number in range(45):
        name = f"a{number:02}@example.com"
        kept = {
            "key": name,
            "active": 0,
            "full": False,
            "last_assigned_at": None,
            "status_since": clock.now(),
            "made_by": "person",
            "confirmed": True,
        }
        records.worker(db, name, "Unavailable", **kept | (odd if number == 44 else {}))


def test_who_holds_more_than_they_say_is_found_wherever_they_stand(
    service: Service, db: Client
) -> None:
    """Who says that they hold nothing is not counted, so it must show in the sum, also beside one who says too much."""
    records.worker(db, "zoe@example.com")
    service.settle()
    sid = write(service)
    assert conversation(db, sid)["worker"] == "zoe@example.com"
    crowd(service, db, active=1)
    db.document("workers/zoe@example.com").update({"active": 0})
    assert sweep(service) == {"workers' counts": 2}
    assert records.active(db, "zoe@example.com") == 1
    assert records.active(db, "a44@example.com") == 0


def test_what_somebody_typed_while_no_event_came_is_put_right_in_turns(
    service: Service, db: Client
) -> None:
    crowd(service, db, active="many")
    assert [sweep(service).get("workers' counts", 0) for _ in range(3)] == [0, 0, 1]
    assert records.active(db, "a44@example.com") == 0


def test_how_long_the_first_has_waited_is_told_while_its_pool_is_open(
    service: Service, db: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    """An alert looks at this figure; who waits for the morning alarms nobody."""
    write(service)
    told = []
    another_day = DAYS[(clock.now().weekday() + 3) % 7]
    for opening in ({}, {"hours": {another_day: "09:00-10:00"}}):
        records.pool(db, "default", **opening)
        with later(timedelta(minutes=40)):
            capfd.readouterr()
            sweep(service)
            lines = map(json.loads, filter(None, capfd.readouterr().out.splitlines()))
            told += [
                line["waiting_seconds"] for line in lines if "waiting_seconds" in line
            ]
    assert 2400 <= told[0] < 2500
    assert told[1:] == [0]
