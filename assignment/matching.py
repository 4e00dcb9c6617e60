"""Who gets what: the one way by which a conversation gets its worker, whoever wakes it: claim, tell Twilio, confirm;
or queue.

Each step writes first and looks afterwards. A crash between two steps leaves what the next delivery or the
sweep finishes: an assignment whose lease runs out, or a queue entry. Every interleaving of two of these steps
is written down in docs/decisions/0001-claims.md.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from assignment import claim, ledger, rivals, worker_care
from assignment.ledger import Moved
from domain import rules, strategies, transitions
from domain.conversation import QUEUED, Conversation, Pending
from domain.pool import Pool
from domain.settings import Settings
from domain.strategies import STRATEGIES
from domain.worker import Worker
from providers import clock, conversations, database, log, pending, pools, workers
from providers.twilio import Outcome

_CROWD = 8  # how many to look at once others are after the same ones
_MOST_TRIED = 20  # workers asked in one go; the sweep goes on from there
_MARGIN = 0.5  # seconds that must be left to begin another claim


class Ended(enum.Enum):
    """How a worker's pulling ended, by what that means for others."""

    FOR_ALL = "nothing waits, or nothing can be done just now"
    FOR_THEM = "full, not Available, or what waits must go to somebody else first"
    REFUSED = "Twilio does not add this worker: somebody else must be asked"


class Pulled(NamedTuple):
    """How many conversations a worker took, and why not more; `left_in`: the pool of the one that Twilio refused."""

    taken: int
    ended: Ended
    left_in: str | None = None


NOTHING = Pulled(0, Ended.FOR_ALL)


def give_to(conversation: Conversation, worker: Worker, why: str) -> None:
    """Gives it to this very worker, whatever their status and load. Raises database.LostRace."""
    moved = claim.take(conversation, worker, why)
    if moved is None:
        raise database.LostRace(worker.identity)
    finish(moved.conversation)


def give_to_pool(
    conversation: Conversation, pool: Pool, some_wait_for_one: bool = False
) -> None:
    """Gives a conversation to a free worker of the pool, or queues it. Raises database.LostRace.

    Where others wait already whom the worker may take, it queues behind them, and the free worker takes the oldest.
    `some_wait_for_one`: there may be conversations that wait for one worker alone.
    """
    width = 1
    while True:
        with rivals.choosing(pool.id) as choice:
            worker, why = _choose(conversation, pool, choice, width, some_wait_for_one)
            moved = (
                _claim_for(worker, conversation, pool) if worker is not None else None
            )
        if worker is None:
            return queue(conversation, conversation, pool, why)
        if moved is not None:
            finish(moved.conversation)
            return None
        width = _CROWD


def finish(claimed: Conversation) -> Outcome:
    """Finishes a claim. What came of it says who is to be looked at next: one who is gone leaves a slot, one whom
    Twilio refuses leaves the conversation to others; all else is done, or tried again by the sweep."""
    outcome = claim.finish(claimed)
    if outcome is Outcome.GONE:
        freed(workers.load(claimed.worker or ""))
    elif outcome is Outcome.NEXT_WORKER and claimed.pool:
        drain_with_overflow(pools.load(claimed.pool))
    return outcome


def queue(before: Conversation, after: Conversation, pool: Pool, why: str) -> None:
    """Puts `after` into the queue, and only then looks once more for a free worker, so no wake-up is lost.

    `before` is the record as it is stored; a worker who held it gets the slot back, and one who is `leaving` is taken
    out at Twilio. Raises database.LostRace.
    """
    moved = ledger.move(before, transitions.queued(after, pool, clock.now(), why))
    log.info(f"queued: {why}", conversation=after.sid, pool=pool.id)
    if after.leaving:
        claim.let_out(moved.conversation)
    drain(pool)
    if moved.conversation.open_to:
        drain_overflow(pool)
    freed(moved.freed)


def wait(conversation: Conversation, pool: Pool, why: str) -> None:
    """Puts it into the queue and looks for nobody: the caller has more to queue first. Raises database.LostRace."""
    ledger.move(conversation, transitions.queued(conversation, pool, clock.now(), why))
    log.info(f"queued: {why}", conversation=conversation.sid, pool=pool.id)


def queue_for(
    conversation: Conversation, worker: Worker, settings: Settings, why: str
) -> None:
    """Puts it into the queue for this one worker, as long as the settings say, and only then looks once more whether
    they are free. Raises database.LostRace.
    """
    now = clock.now()
    until = rules.waits_until(settings, now)
    ledger.move(
        conversation, transitions.waiting_for(conversation, worker, until, now, why)
    )
    log.info(f"queued: {why}", conversation=conversation.sid, worker=worker.identity)
    take_next(workers.load(worker.identity), "has a free slot")


def overflow(sid: str) -> bool:
    """Opens one that has waited long enough to the pool into which its own overflows, and lets its workers take it.

    Returns whether anything has changed. Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.state != QUEUED or before.for_worker or not before.pool:
        return False
    now, pool = clock.now(), pools.load(before.pool)
    due = rules.overflows_at(pool, before.queued_at or now)
    if (
        due is None or due > now or pool.overflow is None
    ):  # the pool's record was edited meanwhile
        changed = replace(before, open_to=(), due_at=due)
        ledger.move(before, changed)
        return changed != before
    other = pools.load(pool.overflow)
    waited = rules.in_words((now - (before.queued_at or now)).total_seconds())
    why = f"nobody of {pool.display_name} was free for {waited}: {other.display_name} may take it, too"
    ledger.move(
        before, transitions.opened(before, other.id).noted(now, "overflow", why)
    )
    drain(pool)
    drain(other)
    return True


def move(before: Conversation, after: Conversation) -> Conversation:
    """Any other step of a conversation; a slot that comes free by it is used. Raises database.LostRace."""
    moved = ledger.move(before, after)
    freed(moved.freed)
    return moved.conversation


def close(sid: str, why: str) -> None:
    """Ends a conversation; its slot comes back, and the worker takes the next."""
    freed(claim.end(sid, why))


def freed(worker: Worker | None) -> None:
    """A slot has come back: its worker, if they are known, takes the next."""
    if worker is not None:
        take_next(worker, "has a free slot")


def drain(pool: Pool) -> int:
    """Lets free workers of the pool take what waits, in the pool's order; returns how many were taken."""
    tried: set[str] = set()
    left_elsewhere: set[str] = set()
    taken = 0
    while len(tried) < _MOST_TRIED and not clock.is_time_over(_MARGIN):
        free = workers.free(pool, 1, not_to_ask=tried)
        if not free:
            break
        tried.add(free[0].identity)
        pulled = _pull(free[0], "is Available")
        taken += pulled.taken
        if pulled.left_in and pulled.left_in != pool.id:
            left_elsewhere.add(pulled.left_in)
        if pulled.ended is Ended.FOR_ALL:
            break
    return taken + sum(
        drain_with_overflow(other) for other in pools.by_id(left_elsewhere).values()
    )


def look_again(waiting: Conversation) -> None:
    """Whether somebody is free for one that waits already."""
    if waiting.for_worker:
        take_next(workers.load(waiting.for_worker), "has a free slot")
    elif waiting.pool:
        drain_with_overflow(pools.load(waiting.pool))


def drain_with_overflow(pool: Pool) -> int:
    """The same, then also for free workers of the pool into which it overflows."""
    return drain(pool) + drain_overflow(pool)


def drain_overflow(pool: Pool) -> int:
    """Lets free workers of the pool into which this one overflows take what waits."""
    return drain(pools.load(pool.overflow)) if pool.overflow else 0


def take_next(worker: Worker, because: str) -> Pulled:
    """The worker takes the next queued conversations, oldest first, until full or nothing waits for them.

    `worker`: the record as it was a moment ago; if it has changed since, the claim fails and it is read again.
    `because`: what woke them, for the story of the conversation ("turned Available").
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
    """The worker for it; or nobody, and why it has to wait: also where somebody waits whom they may take elsewhere."""
    excluded = conversation.excluded_workers
    free, waiting = database.together(
        lambda: workers.free(pool, width + choice.rivals, excluded),
        lambda: pending.heads([pool.id], limit=1),
    )
    if not free:
        free, why = _look_closer(pool, excluded)
        if not free:
            return None, why
    if width == _CROWD:  # another instance is after the same ones
        random.shuffle(free)
    worker = choice.first(free)
    elsewhere = [pool_id for pool_id in worker.pools or () if pool_id != pool.id]
    if waiting or pending.heads(
        elsewhere, 1, worker.identity if some_wait_for_one else None
    ):
        return None, "others wait already"
    return worker, ""


def _look_closer(pool: Pool, excluded: Collection[str]) -> tuple[list[Worker], str]:
    """Why nobody is free; and whoever is after all, once records that were not right have been mended."""
    members, available = database.together(
        lambda: workers.how_many(pool.id), lambda: workers.available(pool.id, _CROWD)
    )
    known = {pool.id: pool}
    mended = [worker_care.put_right(worker, known=known) for worker in available]
    asked = (one for one in mended if one.identity not in excluded)
    free = [one for one in asked if rules.can_take(one, pools.deciding(one, known))]
    if free:
        return strategies.in_order(pool.strategy, free), ""
    number = (
        len(available)
        if len(available) < _CROWD
        else workers.how_many_available(pool.id)
    )
    return [], rules.why_nobody(pool, members, number)


def _claim_for(worker: Worker, conversation: Conversation, pool: Pool) -> Moved | None:
    """Claims this worker for it. None: somebody was faster, or the worker's record was not right and is now."""
    known = pools.deciding(worker, {pool.id: pool})
    if not rules.can_take(worker, known):
        worker_care.put_right(worker, known=known)
        return None
    why = (
        f"{STRATEGIES[pool.strategy].because} of those Available in {pool.display_name}"
    )
    return claim.take(conversation, worker, why, known)


def _pull(worker: Worker, because: str) -> Pulled:
    taken = 0
    known: Mapping[str, Pool] = ledger.NO_POOLS
    passed_over: set[str] = set()
    while not clock.is_time_over(_MARGIN):
        if not worker.available or worker.full:
            return Pulled(taken, Ended.FOR_THEM)
        entry = _next_entry(worker, passed_over)
        if isinstance(entry, Ended):
            return Pulled(taken, entry)
        conversation, known = _load(entry, worker, known)
        if (
            not conversation.exists
        ):  # deleted by hand: the sweep asks Twilio what it was
            passed_over.add(entry.sid)
            continue
        if conversation.state != QUEUED:
            _drop_stray(conversation)
            continue
        if not rules.can_take(worker, known):
            return Pulled(taken, Ended.FOR_THEM)
        try:
            outcome, worker, known = _take(conversation, worker, known, because)
        except database.Unwritable as error:
            log.error(f"It cannot be given to anybody: {error}", conversation=entry.sid)
            passed_over.add(entry.sid)
            continue
        taken += outcome is Outcome.DONE
        if outcome is Outcome.NEXT_WORKER:
            return Pulled(taken, Ended.REFUSED, conversation.pool)
        if outcome in (Outcome.RETRY, Outcome.MISCONFIGURED):
            return Pulled(taken, Ended.FOR_ALL)
    return Pulled(taken, Ended.FOR_ALL)


def _next_entry(worker: Worker, passed_over: Collection[str]) -> Pending | Ended:
    """The head of the queue for this worker. Never another one, however many are after it: oldest first."""
    now, width = clock.now(), 1 + len(passed_over)
    while True:
        entries = pending.heads(worker.pools or (), width, worker.identity)
        theirs = (one for one in entries if one.is_for(worker.identity, now))
        mine = next((one for one in theirs if one.sid not in passed_over), None)
        if mine is not None:
            return mine
        if len(entries) < width:
            return Ended.FOR_THEM if entries else Ended.FOR_ALL
        width *= _CROWD


def _load(
    entry: Pending, worker: Worker, known: Mapping[str, Pool]
) -> tuple[Conversation, Mapping[str, Pool]]:
    """The conversation, as its entry in the queue has it, for a person may have moved that; and in the same round trip
    the pools on which the worker's capacity depends."""
    asked = [name for name in worker.decisive_pools if name not in known]
    record, *found = database.read(
        conversations.reference(entry.sid), *map(pools.reference, asked)
    )
    conversation = conversations.of(record)
    conversation = replace(
        conversation, priority=entry.priority, pool=entry.pool or conversation.pool
    )
    return conversation, {**known, **{pool.id: pools.of(pool) for pool in found}}


def _drop_stray(conversation: Conversation) -> None:
    try:
        ledger.drop_stray(conversation)
    except database.LostRace:
        return  # it has changed: the next look tells


def _take(
    conversation: Conversation, worker: Worker, known: Mapping[str, Pool], because: str
) -> tuple[Outcome | None, Worker, Mapping[str, Pool]]:
    """What came of taking it, None if somebody was faster; the worker and their pools as they are now."""
    now = clock.now()
    waited = rules.in_words((now - (conversation.queued_at or now)).total_seconds())
    is_own = conversation.for_worker or conversation.pool in (worker.pools or ())
    wherefrom = "" if is_own else f", as overflow of {conversation.pool}"
    try:
        moved = claim.take(
            conversation,
            worker,
            f"pulled by a worker who {because}, after {waited}{wherefrom}",
            known,
        )
    except database.LostRace:
        moved = None
    outcome = claim.finish(moved.conversation) if moved else None
    if moved and moved.holder and outcome is not Outcome.GONE:
        return outcome, moved.holder, known
    return outcome, *worker_care.load_with_pools(worker)
