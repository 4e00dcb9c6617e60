"""The collection conversations: the log. Only the ledger (assignment/ledger.py) writes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from domain import addresses
from domain.conversation import (
    ASSIGNED,
    ASSIGNING,
    HELD,
    INACTIVE,
    QUEUED,
    UNROUTED,
    Conversation,
    parse,
)
from providers import database

_LOG = database.Collection("conversations", parse)
reference, of, load, load_all = _LOG.reference, _LOG.of, _LOG.load, _LOG.load_all
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_MOST_SHOWN = 200
_MOST_ASLEEP = 50
_MOST_WITH_WINDOW = 10
_MOST_HELD_BY_ALL = 10_000
_MOST_HELD = 1000  # Twilio's own limit of open conversations per identity
_OPEN = (QUEUED, ASSIGNING, ASSIGNED, INACTIVE, UNROUTED)


def how_many_held(identity: str) -> int:
    """The conversations that count for this worker, counted afresh (what `active` should be)."""
    conditions = [("worker", "==", identity), ("state", "in", list(HELD))]
    return database.count(database.filtered(_LOG.name, conditions), up_to=_MOST_HELD)


def how_many_assigned(pool_id: str, since: datetime) -> int:
    """The pool's conversations that somebody was assigned to since then, counted up to 1000."""
    conditions = [
        ("pool", "==", pool_id),
        ("mode", "==", "pool"),
        ("assigned_at", ">=", since),
    ]
    return database.count(database.filtered(_LOG.name, conditions), up_to=_MOST_HELD)


def how_many_held_by_all() -> int:
    """The conversations that count for any worker, up to ten thousand: one billed read per thousand."""
    return database.count(
        database.filtered(_LOG.name, [("state", "in", list(HELD))]), _MOST_HELD_BY_ALL
    )


def held_by(identity: str) -> list[Conversation]:
    """Those that count for this worker, 1000 at most."""
    return _LOG.find(
        [("worker", "==", identity), ("state", "in", list(HELD))], (), _MOST_HELD
    )


def with_worker(identity: str) -> list[Conversation]:
    """Those that are on, and that this worker holds or is in besides another; 200 at most, in no order."""
    return _LOG.find(
        [("state", "in", list(HELD))], (), _MOST_SHOWN, any_of=_theirs(identity)
    )


def involving(identity: str, limit: int = _MOST_HELD) -> list[Conversation]:
    """Return those that are not over and that this worker has, or is in besides another one; in no order."""
    return _LOG.find(
        [("state", "in", list(_OPEN))], (), limit, any_of=_theirs(identity)
    )


def asleep_with(identity: str) -> list[Conversation]:
    """Those of this worker that are inactive; the latest 50 of them."""
    return _LOG.find(
        [("state", "==", INACTIVE)],
        ("-state_changed_at",),
        _MOST_ASLEEP,
        any_of=_theirs(identity),
    )


def _theirs(identity: str) -> list[tuple[str, str, Any]]:
    return [("worker", "==", identity), ("others", "array_contains", identity)]


def with_customer(customer_id: str, limit: int) -> list[Conversation]:
    """The latest conversations under this customer's id."""
    return _LOG.find([("customer_id", "==", customer_id)], ("-created_at",), limit)


def open_with(address: str, limit: int) -> list[Conversation]:
    """Conversations with this address that are not over, in no order."""
    return _LOG.find(
        [("address", "==", address), ("state", "in", list(_OPEN))], (), limit
    )


def with_open_window(
    address: str, proxy_address: str | None, since: datetime
) -> list[Conversation]:
    """Conversations in which the customer has written from this address to that number of ours since then, the latest
    first; 10 at most. A record that names no number counts, too."""
    spelled = list(dict.fromkeys((address, *addresses.on_same_channel(address))))
    conditions = [("address", "in", spelled), ("customer_wrote_at", ">", since)]
    found = _LOG.find(conditions, ("-customer_wrote_at",), _MOST_WITH_WINDOW)
    ours = addresses.key(proxy_address or "")
    return [
        one
        for one in found
        if addresses.key(one.proxy_address or proxy_address or "") == ours
    ]


def in_states_after(
    states: Sequence[str], name: str | None, limit: int
) -> list[Conversation]:
    """Conversations in these states in the order of their names, for going through all of them in turns."""
    return _LOG.after(name, limit, [("state", "in", list(states))])


def asleep_or_left_out_after(name: str | None, limit: int) -> list[Conversation]:
    """Return those that are inactive, or unrouted because their customer has only opted out, in the order of their
    names."""
    either = [("state", "==", INACTIVE), ("left_out", "==", True)]
    return _LOG.after(name, limit, any_of=either)


def with_lease_over(now: datetime, limit: int) -> list[Conversation]:
    """What nobody finishes any more, the oldest first: assignments, and queued or unrouted ones that a worker is still
    leaving."""
    states = [ASSIGNING, QUEUED, UNROUTED]
    return _LOG.find(
        [("state", "in", states), ("lease_until", "<=", now)], ("lease_until",), limit
    )


def starting(limit: int) -> list[Conversation]:
    """Conversations that Twilio was still setting up when they were announced."""
    return _LOG.find([("starting", "==", True)], (), limit)


def unanswered(pool_id: str, since: datetime, limit: int) -> list[Conversation]:
    """Conversations of the pool whose customer has waited since then, or longer, for an answer of the worker who has
    had it as long; those who have waited longest first."""
    conditions = [
        ("pool", "==", pool_id),
        ("mode", "in", ["custom", "pool"]),
        ("state", "==", ASSIGNED),
    ]
    long = [("awaiting_since", "<=", since), ("assigned_at", "<=", since)]
    return _LOG.find([*conditions, *long], ("awaiting_since", "assigned_at"), limit)


def has_answered(identity: str, since: datetime) -> bool:
    """Whether the worker has answered any customer since then."""
    conditions = [("answered_by", "==", identity), ("answered_at", ">", since)]
    return bool(
        database.find(
            database.filtered(_LOG.name, conditions).select(["__name__"]).limit(1)
        )
    )


def is_between(worker: str, customer_id: str) -> bool:
    """Whether the worker has a conversation with this customer that is not over."""
    states = [ASSIGNING, ASSIGNED, INACTIVE]
    conditions = [
        ("customer_id", "==", customer_id),
        ("worker", "==", worker),
        ("state", "in", states),
    ]
    return bool(
        database.find(
            database.filtered(_LOG.name, conditions).select(["__name__"]).limit(1)
        )
    )


def latest_address(customer_id: str) -> str | None:
    """From where the latest conversation under this customer's id was written."""
    conditions = [("customer_id", "==", customer_id)]
    query = database.filtered(_LOG.name, conditions, order=["-created_at"]).select(
        ["address", "created_at"]
    )
    return next((of(one).address for one in database.find(query.limit(1))), None)
