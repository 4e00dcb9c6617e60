"""Each change of a worker's status is stored once, whoever makes it and however its event arrives."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from assignment import ledger
from domain import status_change
from providers import clock, database
from tests.core import records
from tests.service import Service

ANN = "ann@example.com"
TOM = "tom@example.com"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def changes(db: Client, identity: str = ANN) -> list[tuple[str | None, str | None]]:
    return [(change["from"], change["to"]) for change in documents(db, identity)]


def documents(db: Client, identity: str = ANN) -> list[dict[str, Any]]:
    found = [one.to_dict() or {} for one in db.collection("status_changes").stream()]
    return sorted(
        (one for one in found if one["worker"] == identity), key=lambda one: one["at"]
    )


def facts(text: str, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found = [line["fact"] for line in lines if "fact" in line]
    return [fact for fact in found if fact["kind"] == kind]


def test_a_workers_own_change_is_stored_with_the_status(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    ledger.set_status(ANN, "Available")
    (change,) = documents(db)  # before any event has arrived
    service.settle()
    assert documents(db) == [change]
    assert (change["from"], change["to"]) == ("Unavailable", "Available")
    assert change["by"] == ANN
    assert change["at"] == records.read(db, "workers", ANN)["status_since"]
    assert change["expires_at"] - change["at"] == timedelta(days=400)


def test_a_supervisors_change_names_the_supervisor(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    ledger.set_status(ANN, "Available", by=TOM)
    service.settle()
    assert [change["by"] for change in documents(db)] == [TOM]


def test_the_same_status_again_is_no_change(service: Service, db: Client) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    for status in ("Unavailable", "Available", "Available"):
        ledger.set_status(ANN, status)
    service.settle()
    assert changes(db) == [("Unavailable", "Available")]


def test_the_status_of_a_deleted_worker_cannot_be_set(
    service: Service, db: Client
) -> None:
    with pytest.raises(database.LostRace):
        ledger.set_status(ANN, "Available")
    assert not records.read(db, "workers", ANN)


def test_edits_from_outside_are_stored_by_their_events(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Available")
    service.settle()
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    db.document(f"workers/{ANN}").update({"status": "Available", "capacity": 3})
    service.settle()
    db.document(f"workers/{ANN}").delete()
    service.settle()
    assert changes(db) == [
        (None, "Available"),
        ("Available", "Unavailable"),
        ("Unavailable", "Available"),
        ("Available", None),
    ]
    assert {change["by"] for change in documents(db)} == {"outside"}


def test_repeated_and_reordered_events_store_each_change_once(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    service.triggers.behave(service.project, twice=True, shuffle=4)
    for number in range(6):
        records.set_status(db, ANN, "Available" if number % 2 == 0 else "Unavailable")
    service.settle()
    turns = changes(db)
    assert len(turns) == 6
    assert [before for before, _ in turns] == ["Unavailable", "Available"] * 3
    assert [after for _, after in turns] == ["Available", "Unavailable"] * 3


def test_changes_inside_and_outside_are_stored_once_each(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    service.triggers.behave(service.project, twice=True)
    ledger.set_status(ANN, "Available")
    records.set_status(db, ANN, "Unavailable")
    ledger.set_status(ANN, "Available")
    service.settle()
    assert len(changes(db)) == 3


def test_another_edit_of_the_record_is_no_change(service: Service, db: Client) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    db.document(f"workers/{ANN}").update({"display_name": "Ann", "capacity": 2})
    service.settle()
    assert changes(db) == []


def test_a_change_is_logged_as_a_fact_without_the_identity(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    service.triggers.behave(service.project, twice=True)
    ledger.set_status(ANN, "Available")
    service.settle()
    logged = facts(capsys.readouterr().out, "status_changed")
    assert len(logged) >= 2
    assert len({json.dumps(fact) for fact in logged}) == 1
    assert (logged[0]["from"], logged[0]["to"]) == ("Unavailable", "Available")
    assert logged[0]["outside"] is False
    assert logged[0]["worker"] != ANN
    stored = {one.id for one in db.collection("status_changes").stream()}
    assert {logged[0]["id"]} == stored


def test_a_record_of_any_value_is_read_or_ignored() -> None:
    assert status_change.parse("x", None) is None
    assert status_change.parse("x", {"worker": ANN}) is None
    odd = {"worker": ANN, "at": START, "from": 7, "to": ["Available"], "by": {}}
    change = status_change.parse("x", odd)
    assert change is not None
    assert (change.before, change.after, change.by) == (None, None, "")
    assert clock.now() > START
