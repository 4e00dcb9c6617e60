"""The collection text_counts: the number of texts that each pool has sent in this hour."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from domain.text_limits import HourCount, hour_of, parse
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import WriteBatch

_COUNTS = database.Collection("text_counts", parse)
reference, of = _COUNTS.reference, _COUNTS.of


def add_one(batch: WriteBatch, count: HourCount, now: datetime) -> None:
    """Count one more text, safe beside other counts at the same time; the first text of an hour restarts the count."""
    from google.cloud.firestore import Increment

    hour = hour_of(now)
    texts = Increment(1) if count.hour == hour else 1
    batch.set(reference(count.name), {"hour": hour, "texts": texts}, merge=True)
