"""The rules: how a conversation is routed, and which worker may take it. They are pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from domain import opening
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

_CUSTOMER_HAS_NO_WORKER = "the customer has no worker of their own"
# The service has to follow a change of these fields of a worker:
_followed_fields = attrgetter("available", "confirmed", "own_capacity", "pools")


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
    """Return the route of a new conversation: to the assigned worker, to a pool, or none.

    `pool`: the pool with the Twilio number, if there is one. `own_worker`: the customer's assigned worker.
    """
    pool_id = pool.id if pool else settings.default_pool
    mode = mode_of(settings, pool)
    if mode == "none":
        return Route("none", pool_id, why="this number is not routed")
    if mode == "pool":
        return Route("pool", pool_id)
    if own_worker:
        return Route("custom", pool_id, own_worker, "the customer's own worker")
    return Route(settings.custom_fallback, pool_id, why=_CUSTOMER_HAS_NO_WORKER)


def mode_of(settings: Settings, pool: Pool | None) -> str:
    """Return the mode of a conversation. `pool`: the pool with the Twilio number, if there is one."""
    return (pool.mode if pool else None) or settings.mode


def own_worker_is_added(settings: Settings) -> bool:
    """Return whether the customer's assigned worker gets a conversation at once, even if they are not free."""
    return settings.own_worker == "always"


def is_waited_for(settings: Settings) -> bool:
    """Return whether a customer waits for an assigned worker with no room for them now."""
    return settings.own_worker == "wait" and settings.own_worker_wait != 0


def waits_until(settings: Settings, pool: Pool, since: datetime) -> datetime | None:
    """Return until when a customer who waits since then waits for the assigned worker alone; None: without end.

    The seconds count while the conversation's pool is open.
    """
    wait = settings.own_worker_wait
    return None if wait is None else opening.after(pool.opening, since, wait)


def priority_of(customer: Customer, pool: Pool) -> int:
    """Return the priority of a new conversation: the customer's, or else the pool's."""
    return pool.priority if customer.priority is None else customer.priority


def overflows_at(pool: Pool, since: datetime) -> datetime | None:
    """Return when workers of the overflow pool may also take a conversation queued since then; None: never."""
    if pool.overflow is None or pool.overflow_after is None:
        return None
    return opening.after(pool.opening, since, pool.overflow_after)


def why_not(worker: Worker) -> str:
    """Return why a worker does not take a conversation now, as the log says it."""
    return "full" if worker.available else "Unavailable"


def is_routed(conversation: Conversation) -> bool:
    """Return whether its route is decided. Two webhooks ask for a route, and Twilio delivers each more than once."""
    is_undecided = conversation.state == UNROUTED and conversation.mode is None
    return conversation.exists and not is_undecided


def is_in_hand(conversation: Conversation) -> bool:
    """Return whether it is recorded and not closed, so that its events and the sweep take care of it."""
    if conversation.starting:
        return True
    return is_routed(conversation) and conversation.state != CLOSED


def is_only_an_opt_out(conversation: Conversation) -> bool:
    """Return whether the customer has written nothing but opt-out words, and no worker anything.

    False while a message before the last one is unknown: it may want an answer.
    """
    senders, words, indexes = set(), set(), []
    for message in conversation.heard:
        senders.add(message.sender)
        indexes.append(message.index)
        if message.sender == CUSTOMER:
            words.add(message.word)
    is_complete = indexes == list(range(len(indexes)))
    return is_complete and words == {STOP} and WORKER not in senders


def is_left_out(conversation: Conversation) -> bool:
    """Return whether it is unrouted only until its customer writes something other than an opt-out word."""
    return conversation.state == UNROUTED and conversation.left_out


def may_be_routed_again(before: Conversation, after: Conversation) -> bool:
    """Return whether a conversation without a fallback has a new message that wants an answer."""
    if before.state != UNROUTED or not before.no_fallback:
        return False
    noted = {message.index for message in before.heard}
    return any(
        message.asks and message.index not in noted and message.index > 0
        for message in after.heard
    )


def is_abandoned(conversation: Conversation, now: datetime) -> bool:
    """Return whether its claim's lease is over, so that another process may finish it."""
    if conversation.state != ASSIGNING:
        return False
    return conversation.lease_until is None or conversation.lease_until <= now


def capacity_of(worker: Worker, pools: Mapping[str, Pool]) -> float:
    """Return how many conversations a worker can hold: their own number, or the largest of their pools'."""
    if worker.own_capacity is not None:
        return worker.own_capacity
    capacities = (pools[pool].capacity for pool in worker.pool_ids if pool in pools)
    return max(capacities, default=DEFAULT_CAPACITY)


def has_room(worker: Worker, pools: Mapping[str, Pool]) -> bool:
    """Return whether a worker may hold one more conversation. `pools`: at least their decisive ones, by id."""
    if worker.active is None or not worker.confirmed:
        return False
    return worker.can_sign_in and worker.active < capacity_of(worker, pools)


def is_full(worker: Worker, pools: Mapping[str, Pool]) -> bool:
    """Return the value of the record's field `full`.

    An unconfirmed worker is full while their status is Available, so that no query for free workers finds them. While
    they are Unavailable they are not, so that no query for full workers finds them either.
    """
    return not has_room(worker, pools) if worker.confirmed else worker.available


def can_take(worker: Worker, pools: Mapping[str, Pool]) -> bool:
    """Return whether pool routing may assign this worker a conversation."""
    return worker.available and has_room(worker, pools)


def can_be_found(worker: Worker) -> bool:
    """Return whether queries for a free worker find this one."""
    return _is_free(worker) and _is_repaired(worker)


def needs_care(before: Worker | None, after: Worker) -> bool:
    """Return whether the service has something to repair or to follow in a worker's record."""
    if before is not None and _followed_fields(before) != _followed_fields(after):
        return True
    return not _is_repaired(after)


def _is_repaired(worker: Worker) -> bool:
    return worker.is_complete and worker.problem == worker.reported_problem


def _is_free(worker: Worker) -> bool:
    return worker.available and worker.confirmed and not worker.full


def wakes(before: Worker | None, after: Worker) -> bool:
    """Return whether a change of the record may let the worker take more than before it.

    The service's own claims are no such change, so they do not keep the trigger going.
    """
    if not _is_free(after):
        return False
    if before is None or not _is_free(before):
        return True
    has_joined_pool = not set(after.pool_ids) <= set(before.pool_ids)
    has_fewer_conversations = (after.active or 0) < (before.active or 0)
    has_other_capacity = after.own_capacity != before.own_capacity
    return has_joined_pool or has_fewer_conversations or has_other_capacity


def follows_frontline(worker: Worker, is_available: bool) -> bool:
    """Return whether the switch in Frontline's app becomes the worker's status, because it has changed.

    The first look changes nothing, and a status set here holds until the app's switch is changed again.
    """
    return worker.frontline_available not in (None, is_available)


def why_nobody(pool: Pool, members: int, full: int) -> str:
    """Return why a conversation of this pool has to wait, as the log says it. `members`, `full`: its workers."""
    if members == 0:
        return f"no one belongs to {pool.display_name}"
    counts = {"Unavailable": members - full, "full": full}
    parts = [f"{count} {status}" for status, count in counts.items() if count > 0]
    return f"no one in {pool.display_name} is Available; {', '.join(parts)}"


def in_words(seconds: float) -> str:
    """Return a duration as a person says it: 45 s, 2 min 10 s, 3 h 5 min."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
