"""A worker who is away: until the end of that day, their customers go to the deputy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from assignment import hand_over
from providers import clock
from tests.core import forms, records
from tests.service import Service

CAROL, BOB, DAN = "carol@example.com", "bob@example.com", "dan@example.com"
ADA = "+15550000001"


def day(ahead: int) -> str:
    return (clock.now() + timedelta(days=ahead)).date().isoformat()


def routed_to(service: Service, db: Client, **carol: Any) -> str | None:
    """Return who gets a message of Carol's customer in custom mode."""
    records.routing(db, mode="custom", custom_fallback="none")
    records.worker(db, CAROL, **carol)
    records.customer(db, "ada", addresses=[ADA], worker=CAROL)
    service.settle()
    service.standin.set_autocreate(forms.PROXY)
    sid = service.standin.inbound(ADA, forms.PROXY, "Hello").conversation_sid
    assert sid is not None
    service.settle()
    worker: str | None = records.read(db, "conversations", sid)["worker"]
    return worker


@pytest.mark.parametrize(
    ("carol", "expected"),
    [
        ({"away_until": day(3), "deputy": BOB}, BOB),
        ({"away_until": day(0), "deputy": BOB}, BOB),
        ({"away_until": day(0), "deputy": "BOB@Example.com "}, BOB),
        ({"away_until": day(-1), "deputy": BOB}, CAROL),
        ({"away_until": clock.now() + timedelta(days=2), "deputy": BOB}, BOB),
        ({"away_until": f"{clock.now():%d.%m}.2199", "deputy": BOB}, BOB),
        ({"away_until": "5 March 2199", "deputy": BOB}, BOB),
        ({"away_until": "soon", "deputy": BOB}, CAROL),
        ({"away_until": "24.12.", "deputy": BOB}, CAROL),
        ({"away_until": day(3)}, CAROL),
        ({"away_until": day(3), "deputy": "nobody@example.com"}, CAROL),
        ({"away_until": day(3), "deputy": DAN}, CAROL),
        ({"away_until": day(3), "deputy": CAROL}, CAROL),
        ({"deputy": BOB}, CAROL),
    ],
)
def test_customers_of_a_worker_who_is_away_go_to_the_deputy(
    service: Service, db: Client, carol: dict[str, Any], expected: str
) -> None:
    records.worker(db, BOB)
    records.worker(db, DAN, away_until=day(1), deputy=BOB)
    assert routed_to(service, db, **carol) == expected


def test_an_unconfirmed_deputy_does_not_count(service: Service, db: Client) -> None:
    records.worker(db, BOB, confirmed=False)
    assert routed_to(service, db, away_until=day(3), deputy=BOB) == CAROL


def test_an_invalid_day_is_reported(service: Service, db: Client) -> None:
    records.worker(db, CAROL, away_until="soon")
    service.settle()
    assert records.read(db, "workers", CAROL)["problem"].startswith(
        "away_until must be a date such as 2026-12-24."
    )


def test_a_day_typed_in_the_console_sends_the_worker_away(
    service: Service, db: Client
) -> None:
    records.worker(db, CAROL)
    records.worker(db, BOB, "Unavailable", pools=[])
    service.settle()
    service.standin.set_autocreate(forms.PROXY)
    sid = service.standin.inbound(ADA, forms.PROXY, "Hello").conversation_sid
    assert sid is not None
    service.settle()
    assert records.read(db, "conversations", sid)["worker"] == CAROL
    db.document(f"workers/{CAROL}").update({"away_until": day(3), "deputy": BOB})
    service.settle()
    assert records.read(db, "workers", CAROL)["status"] == "Unavailable"
    assert records.read(db, "conversations", sid)["worker"] == BOB


def test_a_worker_who_turns_available_meanwhile_keeps_the_status(
    service: Service, db: Client
) -> None:
    records.worker(db, CAROL, away_until=day(3))
    service.settle()
    written_at = clock.now()
    records.set_status(db, CAROL, "Available")
    service.settle()
    hand_over.send_away(CAROL, written_at)
    assert records.read(db, "workers", CAROL)["status"] == "Available"


def test_what_a_crash_left_is_handed_over_by_the_next_delivery(
    service: Service, db: Client
) -> None:
    records.worker(db, CAROL)
    service.settle()
    service.standin.set_autocreate(forms.PROXY)
    sid = service.standin.inbound(ADA, forms.PROXY, "Hello").conversation_sid
    assert sid is not None
    service.settle()
    records.set_status(db, CAROL, "Unavailable")  # the crash came after this step
    service.triggers.detach(service.project)
    db.document(f"workers/{CAROL}").update({"away_until": day(3)})
    hand_over.send_away(CAROL, clock.now())
    assert records.read(db, "conversations", sid)["state"] == "queued"
