"""What a pull reads, however many pools overflow into one, and however many wait for one worker alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.cloud.firestore import Client

from proof.meter import Meter
from providers import pending

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
BEN = "ben@example.com"


def test_a_pull_reads_the_same_however_many_pools_overflow_into_one(
    db: Client, meter: Meter
) -> None:
    """One query, which reads what it takes."""
    for number in range(120):
        at = NOW + timedelta(seconds=number)
        fields = {
            "pool": f"p{number}",
            "open_to": ["help"],
            "priority": 0,
            "queued_at": at,
        }
        alone = {
            "pool": None,
            "for_worker": f"w{number}",
            "priority": 9,
            "queued_at": at,
        }
        db.document(f"pending_conversations/CH{number:032}").set(fields)
        db.document(f"pending_conversations/CHa{number:031}").set(alone)
    meter.reset()
    assert [one.pool for one in pending.heads(["help"], 2, BEN)] == ["p0", "p1"]
    assert (meter.counts().reads, meter.counts().calls) == (2, {"RunQuery": 1})
    assert [one.sid for one in pending.heads([], 2, "w7")] == [f"CHa{7:031}"]
    many = [f"q{number}" for number in range(40)]
    assert [one.pool for one in pending.heads([*many, "help"], 2, "w7")] == ["", "p0"]
