"""The one way by which a conversation gets its worker: claim, add at Twilio, confirm; or queue.

Each step writes first and looks afterwards. A crash between two steps leaves what the next delivery or the
sweep finishes: an assignment with an expired lease, or a queue entry. Every interleaving of two of these steps
is written down in docs/decisions/0001-claims.md.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from assignment import claim, ledger, rivals, worker_care
from assignment.ledger import Moved
from domain import rules, strategies, transitions
from domain.conversation import QUEUED, Conversation, Pending
from domain.pool import Pool
from domain.strategies import STRATEGIES
from domain.worker import Worker
from providers import clock, conversations, database, log, pending, pools, workers
from providers.audit import Entry
from providers.twilio import Outcome

_WIDE = 8  # workers to look at when others claim the same ones
_MOST_TRIED = 20  # workers in one call; the sweep goes on from there
_MARGIN = 0.5  # seconds that must be left to begin another claim


class Ended(enum.Enum):
    """Why a worker takes no more conversations, and what that means for other workers."""

    FOR_ALL = "nothing waits, or nothing can be done now"
    FOR_THEM = "full, not Available, or what waits must go to another worker first"
    REFUSED = "Twilio does not add this worker: another one must be tried"


class Pulled(NamedTuple):
    """The number of conversations that a worker took, and why not more.

    `left_in`: the pool of the conversation that Twilio refused, else None.
    """

    taken: int
    ended: Ended
    left_in: str | None = None


NOTHING = Pulled(0, Ended.FOR_ALL)


def give_to(conversation: Conversation, worker: Worker, why: str) -> None:
    """Assign it to this very worker, whatever their status and load.

    `conversation`: the record with changes that may not be written yet. Raises database.LostRace if its record or the
    worker's has changed.
    """
    moved = claim.take(conversation, worker, why)
    if moved is None:
        raise database.LostRace(worker.identity)
    finish(moved.conversation)


def give_to_pool(
    conversation: Conversation, pool: Pool, some_wait_for_one: bool = False
) -> None:
    """Assign a conversation to a free worker of the pool, or queue it.

    If a conversation that the worker may take already waits, this one is queued behind it, and the free worker takes
    the oldest. `some_wait_for_one`: the queue may hold conversations for one worker alone. Raises database.LostRace.
    """
    width = 1
    while True:
        with rivals.choosing(pool.id) as choice:
            worker, why = _choose(conversation, pool, choice, width, some_wait_for_one)
            if worker is None:
                break
            moved = _claim_for(worker, conversation, pool)
        if moved is not None:
            finish(moved.conversation)
            return
        width = _WIDE
    queue(conversation, conversation, pool, why)


def finish(claimed: Conversation) -> Outcome:
    """Finish a claim, and use what its outcome sets free.

    GONE: the worker has a free slot and takes the next conversation. NEXT_WORKER: Twilio refuses the worker, so others
    of the pool are tried. Any other outcome is done, or tried again by the sweep.
    """
    outcome = claim.finish(claimed)
    if outcome is Outcome.GONE:
        freed(workers.load(claimed.worker or ""))
    elif outcome is Outcome.NEXT_WORKER and claimed.pool:
        drain_with_overflow(pools.load(claimed.pool))
    return outcome


def queue(
    before: Conversation,
    after: Conversation,
    pool: Pool,
    why: str,
    audited: Entry | None = None,
) -> None:
    """Queue `after` in the pool, and only then look for a free worker again, so that no wake-up is lost.

    `before`: the record as it is stored; its worker's slot is freed, and a worker in `leaving` is removed at Twilio.
    Raises database.LostRace.
    """
    queued = transitions.queued(after, pool, clock.now(), why)
    moved = ledger.move(before, queued, audited=audited)
    log.info(f"queued: {why}", conversation=after.sid, pool=pool.id)
    if after.leaving:
        claim.let_out(moved.conversation)
    drain(pool)
    if moved.conversation.open_to:
        drain_overflow(pool)
    freed(moved.freed)


def wait(conversation: Conversation, pool: Pool, why: str) -> None:
    """Queue it without looking for a worker: the caller has more to queue first. Raises database.LostRace."""
    ledger.move(conversation, transitions.queued(conversation, pool, clock.now(), why))
    log.info(f"queued: {why}", conversation=conversation.sid, pool=pool.id)


def queue_for(
    conversation: Conversation, worker: Worker, until: datetime | None, why: str
) -> None:
    """Queue it for this one worker `until` then, and only then look again whether they are free.

    Raises database.LostRace.
    """
    now = clock.now()
    ledger.move(
        conversation, transitions.waiting_for(conversation, worker, until, now, why)
    )
    log.info(f"queued: {why}", conversation=conversation.sid, worker=worker.identity)
    take_next(workers.load(worker.identity), "has a free slot")


def overflow(sid: str) -> bool:
    """Open a conversation that has waited long enough to the workers of its pool's overflow.

    Returns whether anything has changed. Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.state != QUEUED or before.for_worker or not before.pool:
        return False
    if before.needs_person:
        return False
    now, pool = clock.now(), pools.load(before.pool)
    due = rules.overflows_at(pool, before.queued_at or now)
    if pool.overflow is None or due is None or due > now:
        # The pool's record was edited meanwhile.
        changed = replace(before, open_to=(), due_at=due)
        ledger.move(before, changed)
        return changed != before
    other = pools.load(pool.overflow)
    waited = rules.in_words((now - (before.queued_at or now)).total_seconds())
    why = f"no worker of {pool.display_name} was free for {waited}: {other.display_name} may take it, too"
    ledger.move(
        before, transitions.opened(before, other.id).noted(now, "overflow", why)
    )
    drain(pool)
    drain(other)
    return True


def move(before: Conversation, after: Conversation) -> Conversation:
    """Make any other step of a conversation, and use a slot that it frees.

    Returns the record as it is stored now. Raises database.LostRace.
    """
    moved = ledger.move(before, after)
    freed(moved.freed)
    return moved.conversation


def close(sid: str, why: str) -> None:
    """End a conversation; its worker takes the next one."""
    freed(claim.end(sid, why))


def freed(worker: Worker | None) -> None:
    """Let a worker with a slot that has come free take the next conversation; None: no slot has."""
    if worker is not None:
        take_next(worker, "has a free slot")


def drain(pool: Pool) -> int:
    """Let free workers of the pool take what waits, in the pool's order; return how many conversations were taken."""
    tried: set[str] = set()
    refused_in: set[str] = set()
    taken = 0
    while len(tried) < _MOST_TRIED and not clock.is_time_over(_MARGIN):
        free = workers.free(pool, 1, not_to_ask=tried)
        if not free:
            break
        tried.add(free[0].identity)
        pulled = _pull(free[0], "is Available")
        taken += pulled.taken
        if pulled.left_in:
            refused_in.add(pulled.left_in)
        if pulled.ended is Ended.FOR_ALL:
            break
    others = pools.by_id(refused_in - {pool.id}).values()
    return taken + sum(map(drain_with_overflow, others))


def look_again(waiting: Conversation) -> None:
    """Look for a free worker for a conversation that is queued already."""
    if waiting.for_worker:
        take_next(workers.load(waiting.for_worker), "has a free slot")
    elif waiting.pool:
        drain_with_overflow(pools.load(waiting.pool))


def drain_with_overflow(pool: Pool) -> int:
    """Let free workers of the pool, then those of its overflow, take what waits; return how many were taken."""
    return drain(pool) + drain_overflow(pool)


def drain_overflow(pool: Pool) -> int:
    """Let free workers of the pool's overflow take what waits; return how many were taken."""
    return drain(pools.load(pool.overflow)) if pool.overflow else 0


def take_next(worker: Worker, because: str) -> Pulled:
    """Let the worker take queued conversations, oldest first, until they are full or nothing waits for them.

    `worker`: an earlier version of the record; if it has changed since, the claim fails and the record is read again.
    `because`: the occasion, for the conversation's log ("turned Available").
    """
    pulled = _pull(worker, because)
    if pulled.left_in:
        drain_with_overflow(pools.load(pulled.left_in))
    return pulled


def _choose(
    conversation: Conversation,
    pool: Pool,
    choice: rivals.Choice,
    width: int,
    some_wait_for_one: bool,
) -> tuple[Worker | None, str]:
    """Choose a free worker of the pool; or return None and why the conversation has to wait.

    It also waits if another conversation waits already that the chosen worker may take, in any of their pools.
    """
    excluded = conversation.excluded_workers
    free, waiting = database.together(
        lambda: workers.free(pool, width + choice.rivals, excluded),
        lambda: pending.heads([pool.id], limit=1),
    )
    if not free:
        free, why = _look_closer(pool, excluded)
        if not free:
            return None, why
    if width == _WIDE:  # another instance is claiming the same workers
        random.shuffle(free)
    worker = choice.first(free)
    if waiting or _is_elsewhere_in_demand(worker, pool, some_wait_for_one):
        return None, "others wait already"
    return worker, ""


def _is_elsewhere_in_demand(
    worker: Worker, pool: Pool, some_wait_for_one: bool
) -> bool:
    """Return whether a conversation waits for this worker alone, or in another of their pools."""
    other_pools = [pool_id for pool_id in worker.pools or () if pool_id != pool.id]
    identity = worker.identity if some_wait_for_one else None
    return bool(pending.heads(other_pools, 1, identity))


def _look_closer(pool: Pool, excluded: Collection[str]) -> tuple[list[Worker], str]:
    """Repair the records of the pool's Available workers; return those that are free after all, or why none is."""
    members, available = database.together(
        lambda: workers.how_many(pool.id), lambda: workers.available(pool.id, _WIDE)
    )
    known = {pool.id: pool}
    repaired = [worker_care.put_right(worker, known=known) for worker in available]
    free = [
        worker
        for worker in repaired
        if worker.identity not in excluded
        and rules.can_take(worker, pools.deciding(worker, known))
    ]
    if free:
        return strategies.in_order(pool.strategy, free), ""
    number = len(available)
    if number == _WIDE:
        number = workers.how_many_available(pool.id)
    return [], rules.why_nobody(pool, members, number)


def _claim_for(worker: Worker, conversation: Conversation, pool: Pool) -> Moved | None:
    """Claim it for this worker; None: the worker's record has changed, or was wrong and is repaired now."""
    deciding = pools.deciding(worker, {pool.id: pool})
    if not rules.can_take(worker, deciding):
        worker_care.put_right(worker, known=deciding)
        return None
    why = (
        f"{STRATEGIES[pool.strategy].because} of those Available in {pool.display_name}"
    )
    return claim.take(conversation, worker, why, deciding)


def _pull(worker: Worker, because: str) -> Pulled:
    """Let the worker take queued conversations until they are full, nothing waits, or the time is over."""
    taken = 0
    pools_by_id: Mapping[str, Pool] = ledger.NO_POOLS
    passed_over: set[str] = set()
    while not clock.is_time_over(_MARGIN):
        if not worker.available or worker.full:
            return Pulled(taken, Ended.FOR_THEM)
        entry = _next_entry(worker, passed_over)
        if isinstance(entry, Ended):
            return Pulled(taken, entry)
        conversation, pools_by_id = _load(entry, worker, pools_by_id)
        if not conversation.exists:
            passed_over.add(entry.sid)  # deleted by hand: the sweep asks Twilio for it
            continue
        if conversation.state != QUEUED:
            _drop_stray(conversation)
            continue
        if not rules.can_take(worker, pools_by_id):
            return Pulled(taken, Ended.FOR_THEM)
        try:
            outcome, worker, pools_by_id = _take(
                conversation, worker, pools_by_id, because
            )
        except database.Unwritable as error:
            log.error(f"It cannot be assigned: {error}", conversation=entry.sid)
            passed_over.add(entry.sid)
            continue
        taken += outcome is Outcome.DONE
        if outcome is Outcome.NEXT_WORKER:
            return Pulled(taken, Ended.REFUSED, conversation.pool)
        if outcome in (Outcome.RETRY, Outcome.MISCONFIGURED):
            break
    return Pulled(taken, Ended.FOR_ALL)


def _next_entry(worker: Worker, passed_over: Collection[str]) -> Pending | Ended:
    """Return the oldest queue entry for this worker, never a later one, however many others want it.

    If there is none: why the worker takes no more.
    """
    now, width = clock.now(), 1 + len(passed_over)
    while True:
        entries = pending.heads(worker.pools or (), width, worker.identity)
        for entry in entries:
            if entry.is_for(worker.identity, now) and entry.sid not in passed_over:
                return entry
        if len(entries) < width:
            return Ended.FOR_THEM if entries else Ended.FOR_ALL
        width *= _WIDE


def _load(
    entry: Pending, worker: Worker, known: Mapping[str, Pool]
) -> tuple[Conversation, Mapping[str, Pool]]:
    """Load the conversation and, in the same round trip, the pools that decide the worker's capacity.

    Its priority and pool are those of the queue entry, because a person may have edited that. `known`: pools that are
    loaded already; returned with the new ones.
    """
    missing = [name for name in worker.decisive_pools if name not in known]
    record, *pool_records = database.read(
        conversations.reference(entry.sid), *map(pools.reference, missing)
    )
    conversation = conversations.of(record)
    conversation = replace(
        conversation, priority=entry.priority, pool=entry.pool or conversation.pool
    )
    return conversation, {
        **known,
        **{pool.id: pools.of(pool) for pool in pool_records},
    }


def _drop_stray(conversation: Conversation) -> None:
    # After a lost race the conversation has changed: the next look shows how.
    with suppress(database.LostRace):
        ledger.drop_stray(conversation)


def _take(
    conversation: Conversation,
    worker: Worker,
    pools_by_id: Mapping[str, Pool],
    because: str,
) -> tuple[Outcome | None, Worker, Mapping[str, Pool]]:
    """Claim it for the worker and finish the claim.

    Returns the outcome, None if another claim was faster; and the worker and their pools as they are now.
    """
    now = clock.now()
    waited = rules.in_words((now - (conversation.queued_at or now)).total_seconds())
    why = f"pulled by a worker who {because}, after {waited}"
    if not conversation.for_worker and conversation.pool not in (worker.pools or ()):
        why += f", as overflow of {conversation.pool}"
    try:
        moved = claim.take(conversation, worker, why, pools_by_id)
    except database.LostRace:
        moved = None
    outcome = claim.finish(moved.conversation) if moved else None
    if moved and moved.holder and outcome is not Outcome.GONE:
        return outcome, moved.holder, pools_by_id
    return outcome, *worker_care.load_with_pools(worker)
