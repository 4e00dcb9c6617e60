"""The rules, as pure functions: what varies comes in as an argument, nothing here reads, writes or waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from providers.conversations import ASSIGNED, ASSIGNING, CLOSED, INACTIVE, QUEUED, UNROUTED, Conversation
from providers.pools import DEFAULT_CAPACITY, Pool
from providers.settings import Settings
from providers.workers import Worker

LEASE = timedelta(seconds=30)  # longer than any webhook lives, so that only a crash lets it run out
EXCLUDED_FOR = timedelta(minutes=5)  # how long one who left a conversation is not asked to take it again


@dataclass(frozen=True)
class Route:
    """How one conversation is routed: `worker` in custom mode, `pool` where it may queue."""

    mode: str
    pool: str
    worker: str | None = None
    why: str = ""


def decide_route(settings: Settings, pool: Pool | None, own_worker: str | None) -> Route:
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


def is_routed(conversation: Conversation) -> bool:
    """Whether there is nothing left to decide. Twilio delivers more than once, and two webhooks ask for a route."""
    return conversation.exists and not (conversation.state == UNROUTED and conversation.mode is None)


def is_abandoned(conversation: Conversation, now: datetime) -> bool:
    """Whether whoever was adding the worker has had their time: then anybody may finish it."""
    return conversation.state == ASSIGNING and (
        conversation.lease_until is None or conversation.lease_until <= now
    )


def capacity_of(worker: Worker, pools: Mapping[str, Pool]) -> float:
    """Conversations at once: the worker's own number, else the largest of their pools'."""
    if worker.own_capacity is not None:
        return worker.own_capacity
    return max((pools[p].capacity for p in worker.pools or () if p in pools), default=DEFAULT_CAPACITY)


def has_room(worker: Worker, capacity: float) -> bool:
    return worker.active is not None and worker.active < capacity


def can_take(worker: Worker, capacity: float) -> bool:
    """Whether pool routing may give this worker a conversation."""
    return worker.available and has_room(worker, capacity)


def wakes(before: Worker | None, after: Worker) -> bool:
    """Whether a change of the record may let the worker take more than a moment ago.

    Our own claims are no such change, so they do not keep the trigger going.
    """
    if not after.available or after.full:
        return False
    if before is None or not before.available or before.full:
        return True
    if (after.active or 0) < (before.active or 0) or set(after.pools or ()) - set(before.pools or ()):
        return True
    return after.own_capacity != before.own_capacity


def claimed(conversation: Conversation, worker: Worker, claim: str, now: datetime, why: str) -> Conversation:
    """Given to a worker who is not in it yet: somebody must tell Twilio before the lease is over."""
    return replace(
        conversation,
        state=ASSIGNING,
        worker=worker.identity,
        claim=claim,
        lease_until=now + LEASE,
        attempts=conversation.attempts + 1,
        participant_sid=None,
        starting=False,
    ).noted(now, "assigning", f"to {worker.name}: {why}")


def confirmed(conversation: Conversation, participant_sid: str | None, now: datetime) -> Conversation:
    """The worker is in it."""
    since = conversation.created_at or now
    waited = (
        conversation.waited if conversation.waited is not None else max(0.0, (now - since).total_seconds())
    )
    return replace(
        conversation,
        state=ASSIGNED if conversation.state == ASSIGNING else conversation.state,
        lease_until=None,
        assigned_at=now,
        participant_sid=participant_sid or conversation.participant_sid,
        waited=round(waited, 3),
        excluded_workers=(),
        excluded_until=None,
    ).noted(now, "assigned", f"{conversation.worker} is in the conversation")


def queued(conversation: Conversation, pool: str, now: datetime, why: str) -> Conversation:
    """Waiting for a worker of the pool; one that comes back keeps its age."""
    return replace(
        conversation,
        state=QUEUED,
        pool=pool,
        worker=None,
        claim=None,
        lease_until=None,
        participant_sid=None,
        queued_at=conversation.queued_at or now,
        starting=False,
    ).noted(now, "queued", why)


def without(conversation: Conversation, identity: str, now: datetime) -> Conversation:
    """The same, with this worker not asked again for a while."""
    excluded = tuple(dict.fromkeys((*conversation.excluded_workers, identity)))
    return replace(conversation, excluded_workers=excluded, excluded_until=now + EXCLUDED_FOR)


def closed(conversation: Conversation, now: datetime, keep: timedelta, why: str) -> Conversation:
    return replace(
        conversation,
        state=CLOSED,
        closed_at=now,
        lease_until=None,
        claim=None,
        expires_at=now + keep,
        starting=False,
    ).noted(now, "closed", why)


def inactive(conversation: Conversation, now: datetime) -> Conversation:
    """Given its slot back, keeping the worker's name. A lease that is still set says: perhaps not in it yet."""
    return replace(conversation, state=INACTIVE).noted(now, "inactive", "nobody has written for a while")


def active_again(conversation: Conversation, now: datetime) -> Conversation:
    """Back with the worker who is in it anyway; with a lease still set they were never confirmed: to be finished."""
    if conversation.lease_until is not None:
        again = replace(conversation, state=ASSIGNING, lease_until=now + LEASE)
    else:
        again = replace(conversation, state=ASSIGNED)
    return again.noted(now, again.state, f"active again, with {conversation.worker}")


def joined_by_hand(
    conversation: Conversation, worker: Worker, participant_sid: str, now: datetime
) -> Conversation:
    """Taken by a worker whom a person added: nobody needs to tell Twilio."""
    state = INACTIVE if conversation.state == INACTIVE else ASSIGNED
    taken = replace(conversation, state=state, worker=worker.identity, lease_until=None, starting=False)
    taken = replace(taken, created_at=taken.created_at or now)
    return replace(confirmed(taken, participant_sid, now), state=state).noted(
        now, "by hand", f"{worker.name} was added"
    )


def handed_over(conversation: Conversation, heir: Worker, now: datetime) -> Conversation:
    """The one it counted for has left, and the heir is in it."""
    rest = tuple(other for other in conversation.others if other != heir.identity)
    kept = replace(conversation, worker=heir.identity, others=rest, participant_sid=None, lease_until=None)
    if conversation.state == ASSIGNING:
        kept = replace(kept, state=ASSIGNED, assigned_at=now)
    return kept.noted(now, "handed over", f"{conversation.worker} left it, {heir.name} is in it")


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
