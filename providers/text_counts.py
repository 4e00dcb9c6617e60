"""The collection text_counts: how many texts each pool has sent in this hour."""

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
    """Count one more, whoever else does at the same moment; the first text of an hour begins the count again."""
    from google.cloud.firestore import Increment

    hour = hour_of(now)
    texts = Increment(1) if count.hour == hour else 1
    batch.set(reference(count.name), {"hour": hour, "texts": texts}, merge=True)
