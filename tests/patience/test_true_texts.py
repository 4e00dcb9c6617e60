"""A pool's texts are true: which worker is there, who waits, and which place the customer has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain.pool import parse as parse_pool
from domain.sent_texts import MOST_WORKERS, Sending, Step, next_step, workers_in
from providers import clock
from tests.core import forms, records
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.patience.test_texts import closed, pool, said
from tests.service import Service

ANN, BEN, CAROL = "ann@example.com", "ben@example.com", "carol@example.com"
ADA = "+15550000001"
SALES = "+15550008888"
POSITION = {"queued": "You are number {{Position}}."}


def own_worker(service: Service, db: Client, **settings: Any) -> None:
    """Carol is Ada's own worker, and Unavailable."""
    records.routing(db, mode="custom", **settings)
    records.customer(db, "ada", display_name="Ada", addresses=[ADA], worker=CAROL)
    records.worker(db, CAROL, "Unavailable", display_name="Carol", pools=["default"])
    service.settle()


def test_no_worker_is_announced_who_is_unavailable(
    service: Service, db: Client
) -> None:
    pool(db)
    own_worker(service, db)
    sid = write(service, ADA)
    assert records.conversation(db, sid)["worker"] == CAROL
    assert said(service, sid) == []
    records.set_status(db, CAROL, "Available")
    service.settle()
    assert said(service, sid) == ["Carol is with you."]
    records.set_status(db, CAROL, "Unavailable")
    service.settle()
    records.set_status(db, CAROL, "Available")
    service.settle()
    assert said(service, sid) == ["Carol is with you."]


def test_a_customer_of_an_unavailable_worker_hears_that_the_pool_is_closed(
    service: Service, db: Client
) -> None:
    pool(db, **closed())
    own_worker(service, db)
    sid = write(service, ADA)
    assert [text[:6] for text in said(service, sid)] == ["Closed"]
    records.set_status(db, CAROL, "Available")
    service.settle()
    assert said(service, sid)[1:] == ["Carol is with you."]


def test_a_hand_over_to_an_unavailable_worker_announces_nobody(
    service: Service, db: Client
) -> None:
    pool(db)
    records.worker(db, ANN, display_name="Ann")
    records.worker(db, CAROL, "Unavailable", display_name="Carol")
    service.settle()
    sid = write(service)
    db.document(f"conversations/{sid}").update({"worker": CAROL})
    service.settle()
    assert records.conversation(db, sid)["worker"] == CAROL
    assert said(service, sid) == ["Ann is with you."]


@pytest.mark.parametrize("hours", [{}, closed()], ids=["open", "closed"])
def test_a_customer_who_asks_nothing_is_not_told_to_wait(
    service: Service, db: Client, hours: dict[str, Any]
) -> None:
    pool(db)
    records.worker(db, ANN, display_name="Ann")
    service.settle()
    sid = write(service)
    service.standin.worker_message(sid, ANN, "Done, bye")
    service.settle()
    assert records.conversation(db, sid).get("awaiting_since") is None
    pool(db, **hours)
    records.set_status(db, ANN, "Unavailable")
    service.standin.worker_leave(sid, ANN)
    service.settle()
    assert records.conversation(db, sid)["state"] == "queued"
    assert said(service, sid) == ["Ann is with you."]
    service.standin.inbound(ADA, forms.PROXY, "Hello?")
    service.settle()
    texts = said(service, sid)[1:]
    assert [text[:6] for text in texts] == (["Closed"] if hours else ["You ar"])


def test_the_position_counts_what_the_pools_workers_take_from_other_pools(
    service: Service, db: Client
) -> None:
    records.pool(
        db, "sales", addresses=[SALES], overflow="default", texts=POSITION, priority=0
    )
    pool(db, texts=POSITION)
    records.worker(db, ANN, "Unavailable", pools=["default"])
    records.worker(db, BEN, "Unavailable", pools=["sales"])
    service.settle()
    for number in (2, 3):
        write(service, f"+1555000000{number}", SALES)
    assert said(service, write(service)) == ["You are number 3."]
    records.customer(db, "vip", addresses=["+15550000009"], priority=9)
    assert said(service, write(service, "+15550000009")) == ["You are number 1."]
    assert said(service, write(service, "+15550000004")) == ["You are number 5."]


def test_the_next_worker_of_a_wait_is_announced_too(
    service: Service, db: Client
) -> None:
    pool(db, texts={"assigned": "{{Author}} is with you."}, answer_within=300)
    records.worker(db, ANN, display_name="Ann")
    service.settle()
    sid = write(service)
    records.worker(db, BEN, display_name="Ben")
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    with later(timedelta(seconds=400)):
        sweep(service)
    assert records.conversation(db, sid)["worker"] == BEN
    assert said(service, sid) == ["Ann is with you.", "Ben is with you."]


def test_each_worker_is_announced_once_per_wait() -> None:
    now = clock.now()
    told = Sending(now, "token", "attempt", now, is_sent=True, workers=(ANN, BEN))
    steps = {
        worker: next_step("assigned", told, now, now, worker)
        for worker in (ANN, BEN, CAROL)
    }
    assert steps == {ANN: Step.NOTHING, BEN: Step.NOTHING, CAROL: Step.BEGIN}
    next_wait = now + timedelta(seconds=1)
    assert next_step("assigned", told, next_wait, now, ANN) is Step.BEGIN
    assert workers_in("assigned", told, now, now, CAROL) == (ANN, BEN, CAROL)
    assert workers_in("assigned", told, next_wait, now, CAROL) == (CAROL,)
    many = tuple(f"worker{number}" for number in range(MOST_WORKERS))
    full = Sending(now, "token", "attempt", now, is_sent=True, workers=many)
    assert next_step("assigned", full, now, now, ANN) is Step.NOTHING
    old = Sending(now, "token", "attempt", now, is_sent=True)
    assert next_step("assigned", old, now, now, ANN) is Step.NOTHING


def test_in_closed_hours_no_worker_is_announced_after_away(
    service: Service, db: Client
) -> None:
    pool(db, **closed())
    sid = write(service)
    assert [text[:6] for text in said(service, sid)] == ["Closed"]
    records.worker(db, ANN, display_name="Ann")
    service.settle()
    assert records.conversation(db, sid)["worker"] == ANN
    assert [text[:6] for text in said(service, sid)] == ["Closed"]


def test_the_text_is_due_when_the_wait_for_one_worker_ends(
    service: Service, db: Client
) -> None:
    pool(db, texts=POSITION)
    own_worker(service, db, own_worker="wait", own_worker_wait=60)
    sid = write(service, ADA)
    assert said(service, sid) == []
    with later(timedelta(seconds=90)):
        sweep(service)
    assert said(service, sid) == ["You are number 1."]


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ({"queued": "Hello {{Name}}, thank you."}, "its only sentence needs a name"),
        ({"away": {"de": "Hallo {{Name}}! Bis bald, {{Name}}."}}, "each sentence"),
        ({"queued": "{{Author}} comes soon."}, "{{Author}} has no value"),
        ({"assigned": "You are number {{Position}}."}, "{{Position}} has no value"),
        ({"queued": "Hello {{Name}}. Please wait."}, None),
        ({"assigned": "{{Author}} is with you."}, None),
        ({"queued": "You are number {{Position}}."}, None),
    ],
)
def test_a_text_of_which_nothing_may_be_left_is_reported(
    texts: dict[str, Any], problem: str | None
) -> None:
    read = parse_pool("default", {"texts": texts})
    assert read.texts.keys() == texts.keys()
    assert problem in (read.problem or "") if problem else read.problem is None
