"""How a person lets one who waits go first, as the README tells it."""

from __future__ import annotations

from google.cloud.firestore import Client

from tests.core import records
from tests.core.records import conversation
from tests.core.test_routing import write
from tests.service import Service

ANN = "ann@example.com"


def test_whoever_gets_a_larger_priority_goes_first_and_keeps_it_when_coming_back(
    service: Service, db: Client
) -> None:
    records.pool(db, "default", capacity=1)
    records.worker(db, ANN, "Unavailable")
    service.settle()
    first, second, third = (
        write(service, f"+1555000000{number}") for number in range(3)
    )
    db.document(f"pending_conversations/{third}").update({"priority": 10})
    db.document(f"pending_conversations/{first}").update({"priority": -1})
    records.set_status(db, ANN, "Available")
    service.settle()
    assert [conversation(db, sid)["state"] for sid in (first, second, third)] == [
        "queued",
        "queued",
        "assigned",
    ]
    service.standin.worker_leave(third, ANN)
    service.settle()
    assert records.read(db, "pending_conversations", third)["priority"] == 10
    assert [conversation(db, sid)["state"] for sid in (first, second, third)] == [
        "queued",
        "assigned",
        "queued",
    ]
    service.standin.set_state(second, "closed")
    service.settle()
    assert (
        conversation(db, first)["state"] == "assigned"
    )  # Ann, who left the third, is not asked again for a while
