"""The trigger on a worker's record: completes it, reports nonsense, pulls, and comes to rest."""

from __future__ import annotations

from google.cloud.firestore import DELETE_FIELD, Client

from tests.core import records
from tests.core.records import conversation, read
from tests.core.test_routing import write
from tests.service import Service

ANN = "ann@example.com"


def test_a_worker_made_in_the_console_is_completed(
    service: Service, db: Client
) -> None:
    records.routing(db, default_pool="front")
    db.document(f"workers/{ANN}").set({"display_name": "Ann"})
    service.settle()
    record = read(db, "workers", ANN)
    assert record["status_since"] is not None
    del record["status_since"]
    assert record == {
        "key": ANN,
        "display_name": "Ann",
        "status": "Unavailable",
        "pools": ["front"],
        "active": 0,
        "full": False,
        "last_assigned_at": None,
        "made_by": "person",
        "confirmed": True,
    }


def test_an_emptied_list_of_pools_stays_empty(service: Service, db: Client) -> None:
    records.worker(db, ANN, pools=[])
    service.settle()
    assert read(db, "workers", ANN)["pools"] == []


def test_nonsense_is_taken_as_unavailable_and_reported_until_it_is_mended(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "available", capacity="many", pools={"name": "default"})
    sid = write(service)
    problem = read(db, "workers", ANN)["problem"]
    for field in ("status", "capacity", "pools"):
        assert field in problem
    assert conversation(db, sid)["state"] == "queued"
    db.document(f"workers/{ANN}").update(
        {"status": "Available", "pools": ["default"], "capacity": 1}
    )
    service.settle()
    assert "problem" not in read(db, "workers", ANN)
    assert conversation(db, sid)["worker"] == ANN


def test_its_own_writes_bring_it_to_rest(service: Service, db: Client) -> None:
    write(service, "+15550000001")
    records.worker(db, ANN)
    service.settle()
    events = service.triggers.count(service.project)
    service.settle()
    assert service.triggers.count(service.project) == events
    assert events < 12


def test_what_the_service_keeps_is_put_right_when_a_person_breaks_it(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    db.document(f"workers/{ANN}").update({"active": "two", "full": DELETE_FIELD})
    service.settle()
    assert (read(db, "workers", ANN)["active"], read(db, "workers", ANN)["full"]) == (
        1,
        False,
    )
    service.standin.set_state(sid, "closed")
    service.settle()
    assert records.active(db, ANN) == 0


def test_a_record_deleted_and_made_again_counts_what_the_worker_holds(
    service: Service, db: Client
) -> None:
    """What they held waits meanwhile, and is theirs again once they turn Available."""
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    db.document(f"workers/{ANN}").delete()
    service.settle()
    records.worker(db, ANN, "Unavailable")
    service.settle()
    assert (records.active(db, ANN), records.is_pending(db, sid)) == (0, True)


def test_closing_the_conversation_of_a_deleted_worker_works(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    db.document(f"workers/{ANN}").delete()
    service.standin.set_state(sid, "closed")
    service.settle()
    assert conversation(db, sid)["state"] == "closed"
    assert read(db, "workers", ANN) == {}


def test_a_raised_capacity_and_a_new_pool_are_used_at_once(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, pools=["sales"], capacity=1)
    records.pool(db, "sales", addresses=["+15550008888"])
    service.settle()
    first, second = (
        write(service, f"+1555000000{n}", "+15550008888") for n in range(2)
    )
    other = write(service, "+15550000005")
    assert [conversation(db, s)["state"] for s in (first, second, other)] == [
        "assigned",
        "queued",
        "queued",
    ]
    db.document(f"workers/{ANN}").update({"capacity": 2})
    service.settle()
    assert conversation(db, second)["state"] == "assigned"
    db.document(f"workers/{ANN}").update(
        {"capacity": None, "pools": ["sales", "default"]}
    )
    service.settle()
    assert conversation(db, other)["state"] == "assigned"


def test_status_since_tells_when_the_status_changed(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, "Unavailable")
    service.settle()
    before = read(db, "workers", ANN)["status_since"]
    db.document(f"workers/{ANN}").update({"display_name": "Ann"})
    service.settle()
    assert read(db, "workers", ANN)["status_since"] == before
    records.set_status(db, ANN, "Available")
    service.settle()
    assert read(db, "workers", ANN)["status_since"] > before


def test_events_twice_and_out_of_order_end_the_same(
    service: Service, db: Client
) -> None:
    sids = [write(service, f"+1555000000{n}") for n in range(3)]
    service.triggers.behave(service.project, twice=True)
    for status in ("Unavailable", "Available", "Unavailable", "Available"):
        records.worker(db, ANN, status, capacity=2)
    service.settle()
    states = [conversation(db, sid)["state"] for sid in sids]
    assert states == ["assigned", "assigned", "queued"]
    assert records.active(db, ANN) == 2
