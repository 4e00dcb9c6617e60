"""Looks conversations up in the log: by state, worker and customer, the newest first, a page at a time."""

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
# Not the stories, which are long.
_SHOWN = ["display_name", "address", "state", "pool", "worker", "waited", "created_at"]
_MOST_LOOKED_AT = 250  # for several words: only one of them can be asked for
_MOST_ALTERNATIVES = 30  # Firestore's limit for `in`


@dataclass(frozen=True)
class Wanted:
    """What is asked for; None is any. `before` is where the page before ended."""

    state: str | None = None
    worker: str | None = None
    customer: str | None = None
    before: datetime | None = None


def search(meter: Meter, wanted: Wanted) -> tuple[list[Conversation], datetime | None]:
    """One page, and where the next begins, if there is more."""
    conditions: list[tuple[str, str, Any]] = []
    if wanted.state:
        conditions.append(("state", "==", wanted.state))
    if wanted.worker:
        conditions.append(("worker", "==", wanted.worker))
    if wanted.customer:
        conditions.append(("customer_id", "in", _customers(meter, wanted.customer)))
    if wanted.before:
        conditions.append(("created_at", "<", wanted.before))
    query = database.filtered(
        "conversations", conditions, order=["-created_at"]
    ).select(_SHOWN)
    found = [
        conversations.of(snapshot)
        for snapshot in statistics.found(meter, query.limit(PAGE + 1))
    ]
    more = found[PAGE - 1].created_at if len(found) > PAGE else None
    return found[:PAGE], more


def _customers(meter: Meter, text: str) -> list[str]:
    """Ids of the customers that somebody may mean: by id, by address, by the beginnings of their name's words."""
    ids = [text, *_having(meter, addresses.compact(text))]
    terms = customer_search.asked(text)
    if terms:
        paths = [database.client().field_path("search", term) for term in terms]
        most = _MOST_LOOKED_AT if terms[1:] else _MOST_ALTERNATIVES
        query = database.filtered("customers", (), order=paths[:1]).select(paths)
        looked_at = statistics.found(meter, query.limit(most))
        ids += [
            one.id
            for one in looked_at
            if set(terms) <= set((one.to_dict() or {})["search"])
        ]
    return list(dict.fromkeys(ids))[:_MOST_ALTERNATIVES]


def _having(meter: Meter, address: str) -> list[str]:
    """Those with this address, and what a record made for it would be called: the log may be older than the record."""
    if not addresses.is_only_an_address(address):
        return []
    known = customers.with_address(address)
    meter.note(len(known))
    return [
        *(one.customer_id for one in known),
        *addresses.record_names(address, customers.key()),
    ]
