"""Searches the log by state, worker and customer: newest first, one page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import addresses, customer_search
from domain.conversation import Conversation
from functions.wallboard import statistics
from functions.wallboard.statistics import Meter
from providers import conversations, customers, database

PAGE = 50
# The fields of the page, without the logs, which are long:
_SHOWN = ["display_name", "address", "state", "pool", "worker", "waited", "created_at"]
_MOST_LOOKED_AT = 250  # for several words: only one of them can be asked for
_MOST_ALTERNATIVES = 30  # Firestore's limit for `in`


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
    """Return ids of customers that match the text: by id, by address, or by the beginnings of their name's words."""
    ids = [text, *_having(meter, addresses.compact(text))]
    terms = customer_search.asked(text)
    if terms:
        paths = [database.client().field_path("search", term) for term in terms]
        most = _MOST_LOOKED_AT if terms[1:] else _MOST_ALTERNATIVES
        query = database.filtered("customers", (), order=paths[:1]).select(paths)
        candidates = statistics.found(meter, query.limit(most))
        ids += [
            candidate.id
            for candidate in candidates
            if set(terms) <= set((candidate.to_dict() or {})["search"])
        ]
    return list(dict.fromkeys(ids))[:_MOST_ALTERNATIVES]


def _having(meter: Meter, address: str) -> list[str]:
    """Return ids of customers with this address, and those that new records for it would get.

    The log may be older than the customer's record.
    """
    if not addresses.is_only_an_address(address):
        return []
    matches = customers.with_address(address)
    meter.note(len(matches))
    return [
        *(customer.customer_id for customer in matches),
        *addresses.record_names(address, customers.key()),
    ]
