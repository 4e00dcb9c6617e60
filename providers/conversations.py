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
_MOST_SHOWN = 1000  # as many as Twilio lets one identity take part in
_MOST_ASLEEP = 50
_MOST_WITH_WINDOW = 10
_MOST_HELD_BY_ALL = 10_000
_MOST_HELD = 1000  # Twilio's limit of open conversations per identity
_OPEN = (QUEUED, ASSIGNING, ASSIGNED, INACTIVE, UNROUTED)


def exist() -> bool:
    """Return whether the log has any conversation."""
    query = database.filtered(_LOG.name, ())
    return database.count(query, 1) > 0


def how_many_held(identity: str) -> int:
    """Count the conversations that occupy a slot of this worker (the right value of `active`), up to 1000."""
    conditions = [("worker", "==", identity), ("state", "in", list(HELD))]
    return database.count(database.filtered(_LOG.name, conditions), up_to=_MOST_HELD)


def how_many_assigned(pool_id: str, since: datetime) -> int:
    """Count the pool's conversations that a worker was assigned to since then, up to 1000."""
    conditions = [
        ("pool", "==", pool_id),
        ("mode", "==", "pool"),
        ("assigned_at", ">=", since),
    ]
    return database.count(database.filtered(_LOG.name, conditions), up_to=_MOST_HELD)


def how_many_held_by_all() -> int:
    """Count the conversations that occupy a slot of any worker, up to ten thousand: one billed read per thousand."""
    return database.count(
        database.filtered(_LOG.name, [("state", "in", list(HELD))]), _MOST_HELD_BY_ALL
    )


def held_by(identity: str) -> list[Conversation]:
    """Return the conversations that occupy a slot of this worker, 1000 at most."""
    return _LOG.find(
        [("worker", "==", identity), ("state", "in", list(HELD))], (), _MOST_HELD
    )


def with_worker(identity: str) -> list[Conversation]:
    """Return the conversations with a slot that this worker holds, or takes part in beside another worker.

    1000 at most, in no order.
    """
    return _LOG.find(
        [("state", "in", list(HELD))], (), _MOST_SHOWN, any_of=_with(identity)
    )


def involving(identity: str, limit: int = _MOST_HELD) -> list[Conversation]:
    """Return the conversations that are not over and that this worker has, or takes part in beside another worker.

    In no order.
    """
    return _LOG.find([("state", "in", list(_OPEN))], (), limit, any_of=_with(identity))


def asleep_with(identity: str) -> list[Conversation]:
    """Return the inactive conversations with this worker, the latest 50."""
    return _LOG.find(
        [("state", "==", INACTIVE)],
        ("-state_changed_at",),
        _MOST_ASLEEP,
        any_of=_with(identity),
    )


def latest_assigned(identity: str, limit: int) -> list[Conversation]:
    """Return the conversations assigned to this worker, the latest change of state first."""
    conditions = [("worker", "==", identity), ("state", "==", ASSIGNED)]
    return _LOG.find(conditions, ("-state_changed_at",), limit)


def _with(identity: str) -> list[tuple[str, str, Any]]:
    return [("worker", "==", identity), ("others", "array_contains", identity)]


def with_customer(customer_id: str, limit: int) -> list[Conversation]:
    """Return the latest conversations under this customer's id."""
    return _LOG.find([("customer_id", "==", customer_id)], ("-created_at",), limit)


def earlier(
    customer_id: str | None, address: str | None, before: datetime | None, limit: int
) -> list[Conversation]:
    """Return a customer's conversations that were created before this time, the latest first.

    Those under the customer's id; without an id, those with the address in any spelling of its channel.
    """
    condition = _of_customer(customer_id, address)
    if condition is None:
        return []
    bounds = [("created_at", "<", before)] if before else []
    return _LOG.find([condition, *bounds], ("-created_at",), limit)


def with_worker_open(
    customer_id: str | None, address: str | None, limit: int
) -> list[Conversation]:
    """Return a customer's conversations that are with a worker now, in no order.

    The arguments are those of `earlier`.
    """
    condition = _of_customer(customer_id, address)
    if condition is None:
        return []
    return _LOG.find([condition, ("state", "in", [ASSIGNED, INACTIVE])], (), limit)


def _of_customer(
    customer_id: str | None, address: str | None
) -> tuple[str, str, Any] | None:
    """Return the condition for all conversations of a customer; None if there is nothing to recognize them by."""
    if customer_id is not None:
        return ("customer_id", "==", customer_id)
    if not address:
        return None
    spelled = dict.fromkeys((address, *addresses.on_same_channel(address)))
    return ("address", "in", list(spelled))


def queued_with(customer_id: str, limit: int) -> list[Conversation]:
    """Return the queued conversations under this customer's id, in no order."""
    conditions = [("customer_id", "==", customer_id), ("state", "==", QUEUED)]
    return _LOG.find(conditions, (), limit)


def open_with(address: str, limit: int) -> list[Conversation]:
    """Return the conversations with this address that are not over, in no order."""
    return _LOG.find(
        [("address", "==", address), ("state", "in", list(_OPEN))], (), limit
    )


def with_open_window(
    address: str, proxy_address: str | None, since: datetime
) -> list[Conversation]:
    """Return the conversations in which the customer has written from this address to our `proxy_address` since then.

    The latest first, 10 at most. A record without a proxy address counts, too.
    """
    spelled = list(dict.fromkeys((address, *addresses.on_same_channel(address))))
    conditions = [("address", "in", spelled), ("customer_wrote_at", ">", since)]
    recent = _LOG.find(conditions, ("-customer_wrote_at",), _MOST_WITH_WINDOW)
    proxy_key = addresses.key(proxy_address or "")
    return [
        conversation
        for conversation in recent
        if not conversation.proxy_address
        or addresses.key(conversation.proxy_address) == proxy_key
    ]


def in_states_after(
    states: Sequence[str], name: str | None, limit: int
) -> list[Conversation]:
    """Return conversations in these states, in the order of their names and after this one: one page of all."""
    return _LOG.after(name, limit, [("state", "in", list(states))])


def asleep_or_left_out_after(name: str | None, limit: int) -> list[Conversation]:
    """Return conversations that are inactive, or unrouted because their customer has only opted out.

    In the order of their names, after this one.
    """
    either = [("state", "==", INACTIVE), ("left_out", "==", True)]
    return _LOG.after(name, limit, any_of=either)


def with_lease_over(now: datetime, limit: int) -> list[Conversation]:
    """Return the conversations with an abandoned step, the oldest first: assignments, and queued or unrouted
    conversations from which a worker has yet to be removed."""
    states = [ASSIGNING, QUEUED, UNROUTED]
    return _LOG.find(
        [("state", "in", states), ("lease_until", "<=", now)], ("lease_until",), limit
    )


def starting(limit: int) -> list[Conversation]:
    """Return conversations that Twilio was still setting up when they were announced."""
    return _LOG.find([("starting", "==", True)], (), limit)


def unanswered(pool_id: str, since: datetime, limit: int) -> list[Conversation]:
    """Return conversations of the pool in which the customer has waited for the worker's answer since then or longer.

    The worker has had the conversation for as long, too, or it is inactive with them. The longest wait comes first.
    """
    conditions = [
        ("pool", "==", pool_id),
        ("mode", "in", ["custom", "pool"]),
        ("state", "in", [ASSIGNED, INACTIVE]),
    ]
    waits = [("awaiting_since", "<=", since), ("assigned_at", "<=", since)]
    return _LOG.find([*conditions, *waits], ("awaiting_since", "assigned_at"), limit)


def has_answered(identity: str, since: datetime) -> bool:
    """Return whether the worker has answered any customer since then."""
    return _has_any([("answered_by", "==", identity), ("answered_at", ">", since)])


def is_between(worker: str, customer_id: str) -> bool:
    """Return whether the worker has a conversation with this customer that is not over."""
    return _has_any(
        [
            ("customer_id", "==", customer_id),
            ("worker", "==", worker),
            ("state", "in", [ASSIGNING, ASSIGNED, INACTIVE]),
        ]
    )


def _has_any(conditions: database.Conditions) -> bool:
    """Return whether a conversation matches; reads one document at most."""
    query = database.filtered(_LOG.name, conditions).select(["__name__"])
    return bool(database.find(query.limit(1)))


def latest_address(customer_id: str) -> str | None:
    """Return the customer's address in the latest conversation under this id."""
    conditions = [("customer_id", "==", customer_id)]
    query = database.filtered(_LOG.name, conditions, order=["-created_at"]).select(
        ["address", "created_at"]
    )
    records = database.find(query.limit(1))
    return of(records[0]).address if records else None


def waiting(limit: int) -> list[Conversation]:
    """Return the queued conversations, in no order."""
    return _LOG.find([("state", "==", QUEUED)], (), limit)


def held(limit: int) -> list[Conversation]:
    """Return the conversations that occupy a slot of any worker, in no order."""
    return _LOG.find([("state", "in", list(HELD))], (), limit)


def moved_since(at: datetime, limit: int) -> list[Conversation]:
    """Return the conversations that the ledger has moved since then, the earliest first."""
    return _LOG.find([("moved_at", ">", at)], ("moved_at",), limit)
