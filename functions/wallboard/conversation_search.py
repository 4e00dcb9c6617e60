"""Looks conversations up in the log: by state, worker and customer, the newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import addresses, customer_search
from domain.conversation import Conversation
from functions.wallboard import statistics
from functions.wallboard.statistics import Meter
from providers import conversations, database

PAGE = 50
# Not the stories, which are long.
_SHOWN = [
    "display_name",
    "address",
    "state",
    "pool",
    "worker",
    "waited",
    "created_at",
]
_MOST_CUSTOMERS = 25  # with up to five ids made from the text itself: Firestore's limit of 30 for `in`


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
    query = database.ordered(database.filtered("conversations", conditions), ["-created_at"], PAGE + 1)
    found = [conversations.of(snapshot) for snapshot in statistics.found(meter, query.select(_SHOWN))]
    more = found[PAGE - 1].created_at if len(found) > PAGE else None
    return found[:PAGE], more


def _customers(meter: Meter, text: str) -> list[str]:
    """Ids of the customers that somebody may mean: by id, by address, by the beginnings of their name's words."""
    typed = addresses.compact(text)
    ids = [addresses.stable_id(typed)]
    if "/" not in text:
        ids.append(text)
    terms = customer_search.asked(text)
    if terms:
        query = database.filtered("customers", [("search", "array_contains", terms[0])])
        snapshots = statistics.found(meter, query.select(["search"]).limit(_MOST_CUSTOMERS))
        ids += [one.id for one in snapshots if set(terms) <= set(one.get("search"))]
    return list(dict.fromkeys(ids))
