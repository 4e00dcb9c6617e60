"""What the wallboard needs of the records: the time zone in the settings, `arrived_at` in the log."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from google.cloud import firestore

from assignment import ledger
from domain.conversation import Conversation
from domain.settings import parse
from providers import conversations
from tests.wallboard import records

SID = f"CH{1:032x}"
AT = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", " Asia/Tokyo "]
)
def test_a_time_zone_is_taken_as_it_is_named(zone: str) -> None:
    parsed = parse("routing", {"time_zone": zone})
    assert (parsed.time_zone, parsed.problem) == (zone.strip(), None)


@pytest.mark.parametrize(
    "nonsense",
    ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "x" * 500, 5],
)
def test_a_time_zone_that_does_not_exist_is_utc_and_a_problem(nonsense: object) -> None:
    parsed = parse("routing", {"time_zone": nonsense})
    assert parsed.time_zone == "UTC"
    assert "time_zone must be" in (parsed.problem or "")


def test_a_left_out_time_zone_is_utc_and_a_threshold_is_at_least_a_second() -> None:
    parsed = parse("routing", {"service_level_seconds": -5})
    assert (parsed.time_zone, parsed.service_level_seconds) == ("UTC", 1)


@pytest.mark.parametrize(
    ("mode", "arrived_at"), [("pool", AT), ("custom", AT), ("none", None), (None, None)]
)
def test_arrived_at_is_when_it_came_in_if_a_worker_is_looked_for(
    db: firestore.Client, mode: str | None, arrived_at: datetime | None
) -> None:
    one = Conversation(SID, state="unrouted", mode=mode, created_at=AT)
    records.load(db, [one])
    stored = conversations.load(SID)
    record = db.document(f"conversations/{SID}").get().to_dict() or {}
    assert record["arrived_at"] == arrived_at
    ledger.move(stored, replace(stored, state="closed"))
    assert (db.document(f"conversations/{SID}").get().to_dict() or {})[
        "arrived_at"
    ] == arrived_at
