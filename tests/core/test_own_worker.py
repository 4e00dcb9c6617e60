"""The own worker who is Unavailable or full: added all the same, passed over, or waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore import DELETE_FIELD, Client

from domain import rules
from domain.pool import Pool
from domain.settings import Settings
from domain.settings import parse as parse_settings
from domain.worker import Worker
from proof import seam
from tests.core import records
from tests.core.records import active, conversation, is_pending, workers_in
from tests.core.test_hand_over import breaches, story
from tests.core.test_routing import write
from tests.core.test_sweep import later, sweep
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
ADA, EVE = "+15550000001", "+15550000002"


def firm(service: Service, db: Client, ann: dict[str, Any], **settings: Any) -> None:
    """Ann is Ada's own worker; Ben belongs to the default pool."""
    records.routing(db, mode="custom", **settings)
    records.customer(db, "ada", display_name="Ada", addresses=[ADA], worker=ANN)
    records.worker(db, ANN, **{"display_name": "Ann", "pools": [], **ann})
    records.worker(db, BEN)
    service.settle()


FULL, AWAY = {"status": "Available", "capacity": 0}, {"status": "Unavailable"}


@pytest.mark.parametrize("ann", [FULL, AWAY], ids=["full", "Unavailable"])
@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({}, ANN),
        ({"own_worker": "always"}, ANN),
        ({"own_worker": "sometimes"}, ANN),
        ({"own_worker": "available"}, BEN),
        ({"own_worker": "wait"}, None),
        ({"own_worker": "wait", "own_worker_wait": 0}, BEN),
    ],
)
def test_one_who_cannot_take_more_is_treated_as_the_settings_say(
    service: Service,
    db: Client,
    settings: dict[str, Any],
    who: str | None,
    ann: dict[str, Any],
) -> None:
    firm(service, db, ann, **settings)
    sid = write(service, ADA)
    assert workers_in(service.standin, sid) == ([who] if who else [])
    assert conversation(db, sid)["state"] == ("assigned" if who else "queued")
    assert is_pending(db, sid) == (who is None)


@pytest.mark.parametrize("own_worker", ["available", "wait"])
def test_one_who_is_free_is_added_at_once(
    service: Service, db: Client, own_worker: str
) -> None:
    firm(service, db, {"status": "Available"}, own_worker=own_worker)
    sid = write(service, ADA)
    assert workers_in(service.standin, sid) == [ANN]


def test_one_whose_record_was_just_made_by_hand_is_free(
    service: Service, db: Client
) -> None:
    firm(service, db, AWAY, own_worker="available")
    service.triggers.detach(service.project)
    db.document(f"workers/{ANN}").set({"status": "Available"})
    assert workers_in(service.standin, write(service, ADA)) == [ANN]


def test_passed_over_with_no_fallback_nobody_is_added(
    service: Service, db: Client
) -> None:
    firm(service, db, AWAY, own_worker="available", custom_fallback="none")
    sid = write(service, ADA)
    assert conversation(db, sid)["state"] == "unrouted"
    assert (
        "own worker: Ann is Unavailable | unrouted: custom_fallback is none"
        in story(db, sid)
    )


def test_who_waits_for_one_worker_is_seen_to(service: Service, db: Client) -> None:
    firm(service, db, AWAY, own_worker="wait")
    sid = write(service, ADA)
    entry = records.read(db, "pending_conversations", sid)
    assert (entry["for_worker"], entry["pool"]) == (ANN, None)
    wait = (
        entry["due_at"] - entry["queued_at"]
    )  # since it arrived, and so long from when it was queued
    assert timedelta(seconds=300) <= wait < timedelta(seconds=310)
    assert "queued: waits for Ann, who is Unavailable, for 5 min 0 s at most" in story(
        db, sid
    )
    page = service.client_for("wallboard").get("/").get_data(as_text=True)
    assert "for Ann" in page
    assert "waits for Ann, who is Unavailable" in page


def test_they_take_them_before_the_pool_does(service: Service, db: Client) -> None:
    """Oldest first among all whom they may take, and nobody else takes one who waits for them."""
    firm(
        service,
        db,
        {"status": "Unavailable", "pools": ["default"], "capacity": 2},
        own_worker="wait",
    )
    records.set_status(db, BEN, "Unavailable")
    service.settle()
    eve, ada = write(service, EVE), write(service, ADA)
    young = write(service, "+15550000003")
    records.worker(db, BEN, capacity=1)
    service.settle()
    assert [workers_in(service.standin, sid) for sid in (eve, ada, young)] == [
        [BEN],
        [],
        [],
    ]
    records.set_status(db, ANN, "Available")
    service.settle()
    assert [workers_in(service.standin, sid) for sid in (ada, young)] == [[ANN], [ANN]]
    assert conversation(db, ada)["assigned_at"] < conversation(db, young)["assigned_at"]
    assert conversation(db, ada)["for_worker"] is None
    assert not breaches(service, db)


def test_a_slot_that_comes_free_is_theirs(service: Service, db: Client) -> None:
    firm(service, db, {"status": "Available", "capacity": 1}, own_worker="wait")
    first = write(service, ADA)
    service.standin.set_autocreate("+15550008888")
    second = write(service, ADA, "+15550008888")
    assert conversation(db, second)["state"] == "queued"
    assert active(db, ANN) == 1
    service.standin.set_state(first, "closed")
    service.settle()
    assert workers_in(service.standin, second) == [ANN]


@pytest.mark.parametrize(("seconds", "who"), [(280.0, []), (301.0, [BEN])])
@pytest.mark.parametrize("fallback", ["pool", "none"])
def test_after_their_time_it_goes_on_as_the_fallback_says(
    service: Service, db: Client, seconds: float, who: list[str], fallback: str
) -> None:
    firm(service, db, AWAY, own_worker="wait", custom_fallback=fallback)
    sid = write(service, ADA)
    queued_at = conversation(db, sid)["queued_at"]
    with later(timedelta(seconds=seconds)):
        sweep(service)
        assert not breaches(service, db)
    record = conversation(db, sid)
    if not who:
        assert record["state"] == "queued"
    elif fallback == "none":
        assert (record["state"], is_pending(db, sid)) == ("unrouted", False)
    else:
        assert workers_in(service.standin, sid) == who
        assert f"own worker: {ANN} was not free in time" in story(db, sid)
        assert record["queued_at"] == queued_at


def test_the_waits_end_exactly_at_the_second() -> None:
    now = datetime(2026, 11, 26, 9, tzinfo=UTC)
    assert rules.waits_until(
        Settings(own_worker_wait=60), Pool("a", "A"), now
    ) == now + timedelta(seconds=60)
    assert (
        rules.waits_until(Settings(own_worker_wait=None), Pool("a", "A"), now) is None
    )


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (60, 60),
        (60.0, 60),
        (0, 0),
        (None, None),
        (-1, 300),
        ("long", 300),
        (10**15, 315360000),
    ],
)
def test_how_long_they_are_waited_for_is_read_as_meant(
    typed: object, read: int | None
) -> None:
    settings = parse_settings("routing", {"own_worker_wait": typed})
    assert settings.own_worker_wait == read
    assert (settings.problem is None) == (typed not in (-1, "long"))


def test_a_wake_up_that_never_came_is_made_up_for_by_the_sweep(
    service: Service, db: Client
) -> None:
    firm(service, db, AWAY, own_worker="wait")
    sid = write(service, ADA)
    service.triggers.detach(service.project)
    db.document(f"workers/{ANN}").update({"status": "Available"})
    sweep(service)
    assert workers_in(service.standin, sid) == [ANN]


def test_one_who_turns_up_while_it_is_queued_is_not_missed(
    service: Service, db: Client
) -> None:
    """Ann turns Available after she was found Unavailable, and her event is lost: she is looked at once more."""
    firm(service, db, AWAY, own_worker="wait")
    service.triggers.detach(service.project)

    def turns_up(where: str) -> None:
        if where == seam.COMMITTED and list(
            db.collection("pending_conversations").limit(1).stream()
        ):
            db.document(f"workers/{ANN}").update({"status": "Available"})

    with seam.interrupted_by(turns_up):
        sid = write(service, ADA)
    assert workers_in(service.standin, sid) == [ANN]


def test_a_worker_who_is_deleted_is_waited_for_no_more(
    service: Service, db: Client
) -> None:
    firm(service, db, AWAY, own_worker="wait", own_worker_wait=None)
    sid = write(service, ADA)
    assert "due_at" not in records.read(db, "pending_conversations", sid)
    db.document(f"workers/{ANN}").delete()
    service.settle()
    assert workers_in(service.standin, sid) == [BEN]
    assert "has no record any more" in story(db, sid)


def test_a_customer_who_closes_meanwhile_is_given_to_nobody(
    service: Service, db: Client
) -> None:
    firm(service, db, AWAY, own_worker="wait")
    sid = write(service, ADA)
    service.standin.set_state(sid, "closed")
    service.settle()
    assert not is_pending(db, sid)
    records.set_status(db, ANN, "Available")
    with later(timedelta(seconds=400)):
        sweep(service)
    assert (conversation(db, sid)["state"], workers_in(service.standin, sid)) == (
        "closed",
        [],
    )


def test_one_whom_twilio_does_not_add_is_waited_for_no_more(
    service: Service, db: Client
) -> None:
    firm(service, db, AWAY, own_worker="wait")
    sid = write(service, ADA)
    service.standin.limit_worker(ANN, 0)
    records.set_status(db, ANN, "Available")
    service.settle()
    assert workers_in(service.standin, sid) == [BEN]


def test_a_pool_typed_into_the_entry_ends_the_wait_at_once(
    service: Service, db: Client
) -> None:
    firm(service, db, AWAY, own_worker="wait")
    records.worker(db, BEN, "Unavailable", pools=["sales"])
    service.settle()
    sid = write(service, ADA)
    db.document(f"pending_conversations/{sid}").update({"pool": "sales"})
    records.set_status(db, BEN, "Available")
    service.settle()
    assert workers_in(service.standin, sid) == [BEN]
    assert conversation(db, sid)["pool"] == "sales"


@pytest.mark.parametrize(
    "edit", [{"for_worker": DELETE_FIELD}, {"due_at": DELETE_FIELD}, {"for_worker": 5}]
)
def test_what_is_taken_out_of_the_entry_by_hand_is_put_right(
    service: Service, db: Client, edit: dict[str, Any]
) -> None:
    firm(service, db, AWAY, own_worker="wait")
    sid = write(service, ADA)
    entry = db.document(f"pending_conversations/{sid}")
    before = entry.get().to_dict()
    entry.update(edit)
    sweep(service)
    assert entry.get().to_dict() == before


def test_only_who_is_available_with_a_free_slot_counts_as_free() -> None:
    ann = Worker(ANN, available=True)
    assert rules.why_not(ann) == "full"
    assert rules.why_not(Worker(ANN)) == "Unavailable"
    assert rules.own_worker_is_added(Settings())
    assert not rules.own_worker_is_added(Settings(own_worker="wait"))
