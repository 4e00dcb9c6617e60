"""The rules: how a conversation is routed, and who may take one. What varies comes in as an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.conversation import (
    ASSIGNING,
    CLOSED,
    CUSTOMER,
    UNROUTED,
    WORKER,
    Conversation,
)
from domain.customer import Customer
from domain.opt_out import STOP
from domain.pool import DEFAULT_CAPACITY, Pool
from domain.settings import Settings
from domain.worker import Worker


@dataclass(frozen=True)
class Route:
    """How one conversation is routed: `worker` in custom mode, `pool` where it may queue."""

    mode: str
    pool: str
    worker: str | None = None
    why: str = ""


def decide_route(
    settings: Settings, pool: Pool | None, own_worker: str | None
) -> Route:
    """One of the three ways. `pool` is the one that names the Twilio number, if any does."""
    mode = pool.mode if pool and pool.mode else settings.mode
    pool_id = pool.id if pool else settings.default_pool
    if mode == "none":
        return Route("none", pool_id, why="this number is not routed")
    if mode == "custom" and own_worker:
        return Route("custom", pool_id, own_worker, "the customer's own worker")
    if mode == "custom" and settings.custom_fallback == "none":
        return Route("none", pool_id, why="the customer has no worker of their own")
    why = "the customer has no worker of their own" if mode == "custom" else ""
    return Route("pool", pool_id, why=why)


def own_worker_is_added(settings: Settings) -> bool:
    """Whether the customer's own worker gets it at once also where they are not free."""
    return settings.own_worker == "always"


def is_waited_for(settings: Settings) -> bool:
    """Whether a customer whose own worker cannot take them now waits for that worker first."""
    return settings.own_worker == "wait" and settings.own_worker_wait != 0


def waits_until(settings: Settings, now: datetime) -> datetime | None:
    """How long it waits for one worker alone; None: without end."""
    wait = settings.own_worker_wait
    return None if wait is None else now + timedelta(seconds=wait)


def priority_of(customer: Customer, pool: Pool) -> int:
    """Of a conversation that arrives: the customer's wins over the pool's."""
    return pool.priority if customer.priority is None else customer.priority


def overflows_at(pool: Pool, since: datetime) -> datetime | None:
    """From when on workers of another pool may take one that waits since then in this one, too; None: never."""
    if pool.overflow is None or pool.overflow_after is None:
        return None
    return since + timedelta(seconds=pool.overflow_after)


def why_not(worker: Worker) -> str:
    """Why one worker does not take it now, in a supervisor's words."""
    return "full" if worker.available else "Unavailable"


def is_routed(conversation: Conversation) -> bool:
    """Whether there is nothing left to decide. Twilio delivers more than once, and two webhooks ask for a route."""
    return conversation.exists and not (
        conversation.state == UNROUTED and conversation.mode is None
    )


def is_in_hand(conversation: Conversation) -> bool:
    """Whether the log has it and it is not over: then its events and the sweep see to it."""
    return conversation.starting or (
        is_routed(conversation) and conversation.state != CLOSED
    )


def is_only_an_opt_out(conversation: Conversation) -> bool:
    """Return whether the customer has written nothing but opt-out words, and no worker anything.

    False while a message before the last one is unknown: it may want an answer.
    """
    theirs = [one for one in conversation.heard if one.sender == CUSTOMER]
    is_complete = [one.index for one in conversation.heard] == list(
        range(len(conversation.heard))
    )
    has_worker_written = any(one.sender == WORKER for one in conversation.heard)
    return (
        bool(theirs)
        and is_complete
        and not has_worker_written
        and all(one.word == STOP for one in theirs)
    )


def is_left_out(conversation: Conversation) -> bool:
    """Return whether it is unrouted only until its customer writes something else than an opt-out word."""
    return conversation.state == UNROUTED and conversation.left_out


def is_abandoned(conversation: Conversation, now: datetime) -> bool:
    """Whether whoever was adding the worker has had their time: then anybody may finish it."""
    return conversation.state == ASSIGNING and (
        conversation.lease_until is None or conversation.lease_until <= now
    )


def capacity_of(worker: Worker, pools: Mapping[str, Pool]) -> float:
    """Conversations at once: the worker's own number, else the largest of their pools'."""
    if worker.own_capacity is not None:
        return worker.own_capacity
    return max(
        (pools[p].capacity for p in worker.pools or () if p in pools),
        default=DEFAULT_CAPACITY,
    )


def has_room(worker: Worker, pools: Mapping[str, Pool]) -> bool:
    """Whether they may hold one more; `pools`: those on which that depends."""
    may_hold = worker.confirmed and worker.can_sign_in
    return (
        may_hold
        and worker.active is not None
        and worker.active < capacity_of(worker, pools)
    )


def is_full(worker: Worker, pools: Mapping[str, Pool]) -> bool:
    """Return what `full` says. An unconfirmed worker is full while their status is Available, so that no query for a
    free worker finds them; the many who are Unavailable are not, so that no query for full workers finds those."""
    return not has_room(worker, pools) if worker.confirmed else worker.available


def can_take(worker: Worker, pools: Mapping[str, Pool]) -> bool:
    """Whether pool routing may give this worker a conversation."""
    return worker.available and has_room(worker, pools)


def can_be_found(worker: Worker) -> bool:
    """Whether the record is such that whoever looks for a free worker finds this one."""
    is_right = worker.is_complete and worker.problem == worker.reported_problem
    return worker.available and worker.confirmed and is_right and not worker.full


def needs_care(before: Worker | None, after: Worker) -> bool:
    """Whether something in the record is for the service to put right."""
    turned = before is not None and before.available != after.available
    capacity = before is not None and (before.own_capacity, before.pools) != (
        after.own_capacity,
        after.pools,
    )
    turned = turned or (before is not None and before.confirmed != after.confirmed)
    return (
        turned
        or capacity
        or not after.is_complete
        or after.problem != after.reported_problem
    )


def wakes(before: Worker | None, after: Worker) -> bool:
    """Whether a change of the record may let the worker take more than a moment ago.

    Our own claims are no such change, so they do not keep the trigger going.
    """
    if not after.available or not after.confirmed or after.full:
        return False
    if before is None or not before.available or not before.confirmed or before.full:
        return True
    if (after.active or 0) < (before.active or 0) or set(after.pools or ()) - set(
        before.pools or ()
    ):
        return True
    return after.own_capacity != before.own_capacity


def follows_frontline(worker: Worker, is_available: bool) -> bool:
    """Whether the switch in Frontline's app is to become the worker's status: it has been changed since it was last
    looked at. The first look changes nothing, and what was set here holds until the app's switch is changed again."""
    return (
        worker.frontline_available is not None
        and worker.frontline_available != is_available
    )


def why_nobody(pool: Pool, members: int, full: int) -> str:
    """In a supervisor's words, why a conversation of this pool has to wait."""
    if members == 0:
        return f"no one belongs to {pool.display_name}"
    parts = [f"{members - full} Unavailable"] if members > full else []
    parts += [f"{full} full"] if full else []
    return f"no one in {pool.display_name} is Available; {', '.join(parts)}"


def in_words(seconds: float) -> str:
    """A wait as a person says it: 45 s, 2 min 10 s, 3 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
