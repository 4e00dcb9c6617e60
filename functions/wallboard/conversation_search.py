"""Searches the log by state, worker and customer: newest first, one page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.conversation import Conversation
from functions.wallboard import statistics
from functions.wallboard.statistics import Meter
from providers import conversations, database
from providers.conversation_search import customer_ids

PAGE = 50
# The fields of the page, without the logs, which are long:
_SHOWN = ["display_name", "address", "state", "pool", "worker", "waited", "created_at"]


@dataclass(frozen=True)
class Wanted:
    """The filters of a search; None matches all. `before`: the arrival time at which the previous page ended."""

    state: str | None = None
    worker: str | None = None
    customer: str | None = None
    before: datetime | None = None


def search(meter: Meter, wanted: Wanted) -> tuple[list[Conversation], datetime | None]:
    """Return one page, and the `before` of the next page, or None if this is the last."""
    customer_ids = _customers(meter, wanted.customer) if wanted.customer else None
    filters: list[tuple[str, str, Any]] = [
        ("state", "==", wanted.state),
        ("worker", "==", wanted.worker),
        ("customer_id", "in", customer_ids),
        ("created_at", "<", wanted.before),
    ]
    conditions = [condition for condition in filters if condition[2]]
    query = database.filtered(
        "conversations", conditions, order=["-created_at"]
    ).select(_SHOWN)
    snapshots = statistics.found(meter, query.limit(PAGE + 1))
    matches = list(map(conversations.of, snapshots))
    more = matches[PAGE - 1].created_at if len(matches) > PAGE else None
    return matches[:PAGE], more


def _customers(meter: Meter, text: str) -> list[str]:
    ids, reads = customer_ids(text)
    meter.note(reads)
    return ids
