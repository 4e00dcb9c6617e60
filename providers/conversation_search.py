"""Searches the log of conversations by customer, worker, pool, state and days: newest first, one page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from domain import addresses, customer_search
from domain.conversation import Conversation
from providers import conversations, customers, database

if TYPE_CHECKING:
    from google.cloud.firestore import Query

PAGE = 50
# Without the logs, which are long:
_SHOWN = [
    "display_name",
    "address",
    "state",
    "pool",
    "worker",
    "waited",
    "created_at",
    "closed_at",
    "queued_at",
    "last_message",
    "customer_id",
]
_MOST_ALTERNATIVES = 30  # Firestore's limit for `in`
_MOST_LOOKED_AT = 250  # customers of several words, of which a query asks for one
_MOST_PAGES = 5  # read for one page, where the pool is compared here

Condition = tuple[str, str, Any]


class Place(NamedTuple):
    """Where a page ends: the arrival time and the SID of its last conversation."""

    at: datetime
    sid: str


@dataclass(frozen=True)
class Wanted:
    """The filters; an empty one matches all. A conversation is wanted that has one of the `customers` or one of the
    `people`, its workers. `since`, `until`: of the arrival, `until` is not included. `after`: the previous page's end.
    """

    customers: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    state: str = ""
    worker: str = ""
    pool: str = ""
    since: datetime | None = None
    until: datetime | None = None
    after: Place | None = None


class Page(NamedTuple):
    conversations: list[Conversation]
    next: Place | None


def page(wanted: Wanted, most: int = PAGE) -> Page:
    """Return one page of conversations without their logs."""
    found: list[Conversation] = []
    after = wanted.after
    for _ in range(_MOST_PAGES):
        read = _read(wanted, after, most)
        found += [one for one in read[:most] if wanted.pool in ("", one.pool)]
        is_last = len(read) <= most
        after = None if is_last else _place(read[most - 1])
        if after is None or len(found) >= most:
            break
    if len(found) > most:
        found, after = found[:most], _place(found[most - 1])
    return Page(found, after)


def _place(conversation: Conversation) -> Place:
    return Place(conversation.created_at or conversations.BEFORE_ALL, conversation.sid)


def _read(wanted: Wanted, after: Place | None, most: int) -> list[Conversation]:
    """Return up to `most` + 1 conversations of all alternatives, each once, the newest first."""
    queries = [
        _query(conditions, after, most + 1) for conditions in _alternatives(wanted)
    ]
    if not queries:
        return []
    found = database.together(*[lambda q=query: database.find(q) for query in queries])
    by_sid = {
        record.id: conversations.of(record) for records in found for record in records
    }
    ordered = sorted(by_sid.values(), key=_place, reverse=True)
    return ordered[: most + 1]


def _alternatives(wanted: Wanted) -> Iterator[list[Condition]]:
    """Yield the conditions of each query. The pool is asked for only where an index serves it."""
    common: list[Condition] = []
    if wanted.state:
        common.append(("state", "==", wanted.state))
    if wanted.since:
        common.append(("created_at", ">=", wanted.since))
    if wanted.until:
        common.append(("created_at", "<", wanted.until))
    worker: list[Condition] = [("worker", "==", wanted.worker)] if wanted.worker else []
    if wanted.customers:
        ids = list(wanted.customers[:_MOST_ALTERNATIVES])
        yield [*common, *worker, ("customer_id", "in", ids)]
    people = [one for one in wanted.people if wanted.worker in ("", one)]
    if people:
        yield [*common, ("worker", "in", people[:_MOST_ALTERNATIVES])]
    if wanted.customers or wanted.people:
        return
    if wanted.pool and not worker:
        yield [*common, ("pool", "==", wanted.pool)]
    else:
        yield [*common, *worker]


def _query(conditions: Sequence[Condition], after: Place | None, most: int) -> Query:
    order = ("-created_at", "-__name__")
    query: Any = database.filtered("conversations", conditions, order=order)
    if after:
        reference = conversations.reference(after.sid)
        query = query.start_after({"created_at": after.at, "__name__": reference})
    limited: Query = query.select(_SHOWN).limit(most)
    return limited


def customer_ids(text: str) -> tuple[list[str], int]:
    """Return ids of customers that match the text, and how many records were read.

    By id, by address, or by the beginnings of their name's words.
    """
    having, reads = _having(addresses.compact(text))
    ids = [text, *having]
    terms = customer_search.asked(text)
    if terms:
        paths = [database.client().field_path("search", term) for term in terms]
        most = _MOST_LOOKED_AT if terms[1:] else _MOST_ALTERNATIVES
        query = database.filtered("customers", (), order=paths[:1]).select(paths)
        candidates = database.find(query.limit(most))
        reads += max(1, len(candidates))
        ids += [
            candidate.id
            for candidate in candidates
            if set(terms) <= set((candidate.to_dict() or {})["search"])
        ]
    return list(dict.fromkeys(ids))[:_MOST_ALTERNATIVES], reads


def _having(address: str) -> tuple[list[str], int]:
    """Return ids of customers with this address, and those that new records for it would get.

    The log may be older than the customer's record.
    """
    if not addresses.is_only_an_address(address):
        return [], 0
    matches = customers.with_address(address)
    ids = [customer.customer_id for customer in matches]
    made = addresses.record_names(address, customers.key())
    return [*ids, *made], max(1, len(matches))
