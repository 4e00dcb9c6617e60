"""Forms save one record: by compare-and-set, with an audit entry, never an invalid value."""

from __future__ import annotations

from typing import Any

from tests.desk.conftest import MARIA, TOM, OpenDesk
from tests.inbox.page import ALICE
from tests.service import Service


def test_a_supervisor_is_named(open_desk: OpenDesk) -> None:
    assert open_desk(MARIA).get("me").json() == {"identity": MARIA, "name": "Maria"}


def test_a_worker_is_refused_with_a_sentence(open_desk: OpenDesk) -> None:
    desk = open_desk(ALICE, role="worker")
    for path in ("me", "records/pools/sales"):
        answer = desk.get(path)
        assert answer.status_code == 403
        assert "only supervisors can open the desk" in answer.json()["error"]
    assert desk.save("pools/sales", None, capacity=1)[0] == 403


def test_a_change_is_saved_and_in_the_audit(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    service.db.document("pools/sales").set({"display_name": "Sales", "capacity": 2})
    service.settle()
    version = desk.load("pools/sales")["version"]
    status, answer = desk.save("pools/sales", version, capacity=3)
    assert status == 200, answer
    assert service.db.document("pools/sales").get().to_dict()["capacity"] == 3  # type: ignore[index]
    changes: Any = desk.load("pools/sales")["changes"]
    (entry,) = changes
    assert entry["by"] == MARIA
    assert entry["did"] == "changed"
    assert entry["fields"] == ["capacity"]


def test_an_invalid_value_is_refused_with_the_fault(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    service.db.document("pools/sales").set({"capacity": 2, "priority": "high"})
    service.settle()
    version = desk.load("pools/sales")["version"]
    status, answer = desk.save("pools/sales", version, capacity="three", priority=None)
    assert status == 400
    assert answer["field"] == "capacity"
    assert str(answer["error"]).startswith("capacity must be a whole number from 0")
    assert "treated as" not in str(answer["error"])
    assert service.db.document("pools/sales").get().to_dict()["capacity"] == 2  # type: ignore[index]


def test_a_lost_race_shows_the_other_change(
    service: Service, open_desk: OpenDesk
) -> None:
    maria, tom = open_desk(MARIA), open_desk(TOM)
    service.db.document("pools/sales").set({"capacity": 2})
    service.settle()
    version = maria.load("pools/sales")["version"]
    assert tom.save("pools/sales", version, capacity=3)[0] == 200
    status, answer = maria.save("pools/sales", version, priority=1)
    assert status == 409
    assert TOM in str(answer["error"])
    assert "capacity" in str(answer["error"])
    assert answer["record"]["capacity"] == 3  # type: ignore[index]
    assert maria.save("pools/sales", answer["version"], priority=1)[0] == 200
    record = service.db.document("pools/sales").get().to_dict()
    assert record is not None
    assert (record["capacity"], record["priority"]) == (3, 1)


def test_fields_of_the_service_cannot_be_written(open_desk: OpenDesk) -> None:
    status, answer = open_desk(MARIA).save("workers/new@example.com", None, active=7)
    assert status == 400
    assert answer["field"] == "active"


def test_null_is_no_limit_for_a_capacity(service: Service, open_desk: OpenDesk) -> None:
    desk = open_desk(MARIA)
    status, answer = desk.save("pools/sales", None, display_name="Sales", capacity=None)
    assert status == 200, answer
    service.settle()
    version = desk.load("pools/sales")["version"]
    assert desk.save("pools/sales", version, capacity=None)[0] == 200
    record = service.db.document("pools/sales").get().to_dict()
    assert record is not None
    assert record["capacity"] is None
