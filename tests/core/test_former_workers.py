"""A worker whose record a person has deleted: out of everything, and back only by a person's hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from google.cloud.firestore import Client

from assignment import hand_over
from domain.worker import former_name
from tests.core import records
from tests.core.records import conversation, read, workers_in
from tests.core.test_routing import write
from tests.core.test_sweep import sweep
from tests.core.test_who_is_a_worker import known_only_to_twilio, user_added, who
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
ADA = "+15550000001"


def dismiss(service: Service, db: Client, identity: str = ANN) -> None:
    db.document(f"workers/{identity}").delete()
    service.settle()


def exists(db: Client, path: str) -> bool:
    return bool(db.document(path).get().exists)


@contextmanager
def events_lost(service: Service) -> Iterator[None]:
    service.triggers.behave(service.project, "worker_available", drop=True)
    yield
    service.settle()
    service.triggers.behave(service.project, "worker_available")


@pytest.fixture
def held(service: Service, db: Client) -> str:
    records.worker(db, ANN)
    service.settle()
    return write(service, ADA)


def test_a_late_event_does_not_bring_them_back(
    service: Service, db: Client, held: str
) -> None:
    dismiss(service, db)
    assert conversation(db, held)["state"] == "queued"
    assert exists(db, f"former_workers/{ANN}")
    for identity in (ANN, "ANN@example.com"):
        user_added(service, identity)
        assert not exists(db, f"workers/{identity}")


def test_an_inactive_conversation_wakes_up_to_the_queue(
    service: Service, db: Client, held: str
) -> None:
    service.standin.set_state(held, "inactive")
    service.settle()
    assert conversation(db, held)["worker"] == ANN
    dismiss(service, db)
    assert (conversation(db, held)["state"], conversation(db, held)["worker"]) == (
        "inactive",
        None,
    )
    service.standin.set_state(held, "active")
    service.settle()
    assert (conversation(db, held)["state"], workers_in(service.standin, held)) == (
        "queued",
        [],
    )
    assert not exists(db, f"workers/{ANN}")


@pytest.mark.parametrize("state", ["assigned", "inactive"])
def test_a_lost_deletion_is_noticed(
    service: Service, db: Client, held: str, state: str
) -> None:
    if state == "inactive":
        service.standin.set_state(held, "inactive")
        service.settle()
    with events_lost(service):
        db.document(f"workers/{ANN}").delete()
    assert sweep(service)["workers without a record who had something"] == 1
    assert conversation(db, held)["worker"] is None
    assert exists(db, f"former_workers/{ANN}")


def test_one_that_wakes_up_before_the_deletion_is_told_does_not_go_back(
    service: Service, db: Client, held: str
) -> None:
    service.standin.set_state(held, "inactive")
    service.settle()
    with events_lost(service):
        db.document(f"workers/{ANN}").delete()
        service.settle()
        service.standin.set_state(held, "active")
    assert (conversation(db, held)["state"], workers_in(service.standin, held)) == (
        "queued",
        [],
    )
    assert not exists(db, f"workers/{ANN}")


@pytest.mark.parametrize("is_lost", [False, True])
def test_they_are_taken_out_of_others(
    service: Service, db: Client, held: str, is_lost: bool
) -> None:
    records.worker(db, BEN, "Unavailable")
    service.settle()
    service.standin.worker_join(held, BEN)
    service.settle()
    if is_lost:
        with events_lost(service):
            db.document(f"workers/{BEN}").delete()
        sweep(service)
    else:
        dismiss(service, db, BEN)
    assert (conversation(db, held)["others"], workers_in(service.standin, held)) == (
        [],
        [ANN],
    )
    assert exists(db, f"former_workers/{BEN}")


@pytest.mark.parametrize("is_told", [True, False])
def test_custom_routing_does_not_bring_them_back(
    service: Service, db: Client, held: str, is_told: bool
) -> None:
    records.routing(db, mode="custom")
    records.customer(db, "grace", addresses=["+15550000002"], worker=ANN)
    service.settle()
    if is_told:
        dismiss(service, db)
        sid = write(service, "+15550000002")
    else:
        with events_lost(service):
            db.document(f"workers/{ANN}").delete()
            service.settle()
            sid = write(service, "+15550000002")
    assert (conversation(db, sid)["state"], workers_in(service.standin, sid)) == (
        "queued",
        [],
    )
    assert not exists(db, f"workers/{ANN}")
    assert (
        f"the record of {ANN} was deleted" in read(db, "customers", "grace")["problem"]
    )


def test_a_record_that_an_event_made_during_the_deletion_goes_again(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    known_only_to_twilio(service, ANN)
    service.triggers.behave(service.project, "worker_available", delay=1.0)
    db.document(f"workers/{ANN}").delete()
    user_added(service, ANN)
    service.settle()
    assert not exists(db, f"workers/{ANN}")
    assert exists(db, f"former_workers/{ANN}")


def test_neither_a_hand_over_nor_an_edit_brings_them_back(
    service: Service, db: Client, held: str
) -> None:
    records.worker(db, BEN)
    service.settle()
    dismiss(service, db)
    assert conversation(db, held)["worker"] == BEN
    with pytest.raises(hand_over.Refused):
        hand_over.to_worker(held, BEN, ANN)
    db.document(f"conversations/{held}").update({"worker": ANN})
    service.settle()
    assert (conversation(db, held)["worker"], workers_in(service.standin, held)) == (
        BEN,
        [BEN],
    )
    assert not exists(db, f"workers/{ANN}")


def test_a_record_that_a_person_makes_wins(
    service: Service, db: Client, held: str
) -> None:
    dismiss(service, db)
    records.worker(db, ANN)
    service.settle()
    assert who(db, ANN) == ("person", True)
    assert conversation(db, write(service, "+15550000002"))["worker"] == ANN
    assert not exists(db, f"former_workers/{ANN}")


def test_a_record_that_was_only_spelled_anew_leaves_no_former_worker(
    service: Service, db: Client
) -> None:
    records.worker(db, "Ann@example.com")
    records.worker(db, ANN)
    service.settle()
    dismiss(service, db, "Ann@example.com")
    assert not exists(db, f"former_workers/{ANN}")


@pytest.mark.parametrize(
    "identity",
    ["\u202e", "\u2100", "\uff0e", "\uff3f\uff3fx\uff3f\uff3f", "\ufdfa" * 250],
)
def test_a_name_whose_key_is_no_records_name_is_noted_all_the_same(
    service: Service, db: Client, identity: str
) -> None:
    records.worker(db, identity)
    service.settle()
    dismiss(service, db, identity)
    assert exists(db, f"former_workers/{former_name(identity)}")
    user_added(service, identity)
    assert not exists(db, f"workers/{identity}")


def test_a_name_without_a_record_is_typed_and_the_conversation_wakes_up(
    service: Service, db: Client, held: str
) -> None:
    service.standin.set_state(held, "inactive")
    service.settle()
    service.triggers.behave(service.project, "conversation_written", drop=True)
    db.document(f"conversations/{held}").update({"worker": "nobody@example.com"})
    service.standin.set_state(held, "active")
    service.settle()
    sweep(service)
    assert (conversation(db, held)["state"], conversation(db, held)["worker"]) == (
        "assigned",
        ANN,
    )
    assert workers_in(service.standin, held) == [ANN]


def test_a_lost_deletion_of_one_who_joined_by_hand_is_noticed(
    service: Service, db: Client
) -> None:
    """No claim of the service's names them."""
    sid = write(service, ADA)
    records.worker(db, ANN, "Unavailable")
    service.settle()
    service.standin.worker_join(sid, ANN)
    service.settle()
    assert conversation(db, sid)["worker"] == ANN
    with events_lost(service):
        db.document(f"workers/{ANN}").delete()
    assert sweep(service)["conversations that Twilio knows otherwise"] == 1
    assert (conversation(db, sid)["state"], workers_in(service.standin, sid)) == (
        "queued",
        [],
    )
    assert exists(db, f"former_workers/{ANN}")


def test_a_name_that_was_typed_and_no_event_told_makes_no_former_worker(
    service: Service, db: Client, held: str
) -> None:
    known_only_to_twilio(service, BEN)
    service.triggers.behave(service.project, "conversation_written", drop=True)
    db.document(f"conversations/{held}").update({"worker": BEN})
    service.settle()
    sweep(service)
    assert (conversation(db, held)["worker"], workers_in(service.standin, held)) == (
        BEN,
        [BEN],
    )
    assert who(db, BEN) == ("service", True)
    assert not exists(db, f"former_workers/{BEN}")
