"""The one way by which a conversation gets its worker, whoever wakes it: claim, tell Twilio, confirm; or queue.

Each step writes first and looks afterwards. A crash between two steps leaves what the next delivery or the
sweep finishes: an assignment whose lease runs out, or a queue entry. Every interleaving of two of these steps
is written down in docs/decisions/0001-claims.md.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from functions import claims, crowd, decisions, worker_records
from providers import clock, conversations, database, deadline, log, pools, workers
from providers.conversations import (
    QUEUED,
    Conversation,
    Pending,
)
from providers.pools import Pool
from providers.twilio import Outcome
from providers.workers import Worker

_CROWD = 8  # how many to look at once others are after the same ones
_MOST_TRIED = 20  # workers asked in one go; the sweep goes on from there
_MARGIN = 0.5  # seconds that must be left to begin another claim


class Pulled(NamedTuple):
    """What a worker took, and why not more."""

    taken: int
    stopped: Stopped


class Stopped(enum.Enum):
    """Why a worker took no more conversations."""

    NOTHING_WAITS = "nothing waits"
    NOTHING_FOR_THEM = "what waits must go to somebody else first"
    NO_ROOM = "full or not Available"
    REFUSED = "Twilio does not add this worker"
    TROUBLE = "Twilio is in trouble"
    NO_TIME = "no time left"


def give_to(conversation: Conversation, worker: Worker, why: str) -> None:
    """Gives it to this very worker, whatever their status and load. Raises database.LostRace."""
    claimed, _ = claims.claim(
        conversation, worker, worker_records.capacity_of(worker), why, claims.new_token()
    )
    _finish_first(claimed)


def give_to_pool(conversation: Conversation, pool: Pool) -> None:
    """Gives a conversation to a free worker of the pool, or queues it. Raises database.LostRace.

    Where others wait already, in this pool or in another one of the worker's, it queues behind them, and the
    free worker takes the oldest.
    """
    width = 1
    while True:
        with crowd.choosing(pool.id) as choice:
            worker, why = _choose(conversation, pool, choice, width)
            claimed = _claim_for(worker, conversation, pool) if worker is not None else None
        if worker is None:
            return queue(conversation, conversation, pool, why)
        if claimed is not None:
            return _finish_first(claimed)
        width = _CROWD


def _choose(
    conversation: Conversation, pool: Pool, choice: crowd.Choice, width: int
) -> tuple[Worker | None, str]:
    """The worker for it; or nobody, and why it has to wait."""
    excluded = conversation.excluded_workers
    free, others_wait, why = _look(pool, width + choice.others + len(excluded), excluded)
    if not free:
        return None, why
    if width == _CROWD:  # another instance is after the same ones
        random.shuffle(free)
    worker = choice.first(free)
    if others_wait or _is_waited_for_elsewhere(worker, pool):
        return None, "others wait already"
    return worker, ""


def _look(pool: Pool, width: int, excluded: Collection[str]) -> tuple[list[Worker], bool, str]:
    """Who is free, and whether anybody waits for them already; or why nobody is, after a closer look."""
    free, waiting = database.together(
        lambda: workers.free(pool, width), lambda: conversations.next_pending([pool.id], limit=1)
    )
    why = ""
    free = [worker for worker in free if worker.identity not in excluded]
    if not free:
        free, why = _look_closer(pool, excluded)
    return free, bool(waiting), why


def _is_waited_for_elsewhere(worker: Worker, pool: Pool) -> bool:
    """Whether somebody waits in another pool of this worker: then the worker takes the oldest of all."""
    elsewhere = [pool_id for pool_id in worker.pools or () if pool_id != pool.id]
    return bool(conversations.next_pending(elsewhere, limit=1))


def queue(before: Conversation, after: Conversation, pool: Pool, why: str) -> None:
    """Puts `after` into the queue, and only then looks once more for a free worker, so no wake-up is lost.

    `before` is the record as it is stored; a worker who held it gets the slot back. Raises database.LostRace.
    """
    waiting = decisions.queued(after, pool.id, clock.now(), why)
    _, freed = conversations.move(before, waiting, claims.loads(before.holder))
    log.info(f"queued: {why}", conversation=waiting.sid, pool=pool.id)
    drain(pool)
    for worker in freed:
        take_next(worker, "has a free slot")


def drain(pool: Pool) -> int:
    """Lets free workers of the pool take what waits, in the pool's order; returns how many were taken."""
    tried: set[str] = set()
    taken = 0
    while len(tried) < _MOST_TRIED and not deadline.is_over(_MARGIN):
        free = workers.free(pool, limit=1 + len(tried))
        worker = next((w for w in free if w.identity not in tried), None)
        if worker is None:
            break
        tried.add(worker.identity)
        pulled = _pull(worker, "is Available")
        taken += pulled.taken
        if pulled.stopped in (Stopped.NOTHING_WAITS, Stopped.TROUBLE):
            break
    return taken


def take_next(worker: Worker, because: str) -> Pulled:
    """The worker takes the next queued conversations, oldest first, until full or nothing waits for them.

    `worker`: the record as it was a moment ago; if it has changed since, the claim fails and it is read again.
    `because`: what woke them, for the story of the conversation ("turned Available").
    """
    pulled = _pull(worker, because)
    if pulled.stopped is Stopped.REFUSED:
        for pool in pools.load(*(worker.pools or ())).values():
            drain(pool)
    return pulled


def close(sid: str, why: str) -> None:
    """Ends a conversation; its slot comes back, and the worker takes the next."""
    for worker in claims.end(sid, why):
        take_next(worker, "has a free slot")


def _finish_first(claimed: Conversation) -> None:
    """Finishes a claim, and where it frees the slot again or needs another worker, sees to that too."""
    outcome = claims.finish(claimed)
    if outcome is Outcome.GONE:
        take_next(workers.load(claimed.worker or ""), "has a free slot")
    elif outcome is Outcome.NEXT_WORKER and claimed.pool:
        drain(pools.load(claimed.pool)[claimed.pool])


def _claim_for(worker: Worker, conversation: Conversation, pool: Pool) -> Conversation | None:
    """Claims this worker for it. None: somebody was faster, or the worker's record was not right and is now."""
    capacity = worker_records.capacity_of(worker, {pool.id: pool})
    if not decisions.can_take(worker, capacity):
        worker_records.put_right(worker, known={pool.id: pool})
        return None
    token = claims.new_token()
    try:
        return claims.claim(conversation, worker, capacity, _chosen_by(pool), token)[0]
    except database.LostRace:
        return claims.won_after_all(conversation, token)


def _pull(worker: Worker, because: str) -> Pulled:
    taken, known = 0, dict[str, Pool]()
    while not deadline.is_over(_MARGIN):
        if not worker.available or worker.full:
            return Pulled(taken, Stopped.NO_ROOM)
        entry = _next_entry(worker)
        if isinstance(entry, Stopped):
            return Pulled(taken, entry)
        conversation, known = _load(entry, worker, known)
        capacity = worker_records.capacity_of(worker, known)
        if not decisions.can_take(worker, capacity):
            return Pulled(taken, Stopped.NO_ROOM)
        try:
            outcome, worker = _take(conversation, worker, capacity, because)
        except database.LostRace:
            worker, known = worker_records.load_with_pools(worker)
            continue
        taken += outcome is Outcome.DONE
        if outcome is Outcome.GONE:
            worker = workers.load(worker.identity)
        elif outcome not in (Outcome.DONE, Outcome.REFUSED):  # refused: only in this conversation
            refused = outcome is Outcome.NEXT_WORKER
            return Pulled(taken, Stopped.REFUSED if refused else Stopped.TROUBLE)
    return Pulled(taken, Stopped.NO_TIME)


def _next_entry(worker: Worker) -> Pending | Stopped:
    """The head of the queue for this worker. Never another one, however many are after it: oldest first."""
    now, width = clock.now(), 1
    while True:
        entries = conversations.next_pending(worker.pools or (), width)
        mine = next((entry for entry in entries if entry.is_for(worker.identity, now)), None)
        if mine is not None:
            return mine
        if len(entries) < width:
            return Stopped.NOTHING_FOR_THEM if entries else Stopped.NOTHING_WAITS
        width *= _CROWD


def _load(entry: Pending, worker: Worker, known: dict[str, Pool]) -> tuple[Conversation, dict[str, Pool]]:
    """The conversation, and in the same round trip the pools on which the worker's capacity depends."""
    asked = [name for name in worker_records.decisive_pools(worker) if name not in known]
    record, *found = database.read(conversations.reference(entry.sid), *map(pools.reference, asked))
    conversation = replace(conversations.parse(record), priority=entry.priority)
    return conversation, known | {pool.id: pools.parse(pool.id, pool.to_dict()) for pool in found}


def _take(
    conversation: Conversation, worker: Worker, capacity: float, because: str
) -> tuple[Outcome, Worker]:
    if conversation.state != QUEUED:
        conversations.drop_stray(conversation)
        return Outcome.GONE, worker
    now = clock.now()
    waited = decisions.in_words((now - (conversation.queued_at or now)).total_seconds())
    why = f"pulled by a worker who {because}, after {waited}"
    claimed, worker = claims.claim(conversation, worker, capacity, why, claims.new_token())
    return claims.finish(claimed), worker


def _look_closer(pool: Pool, excluded: Collection[str]) -> tuple[list[Worker], str]:
    """Why nobody is free; and whoever is after all, once records that were not right have been mended."""
    members, available = database.together(
        lambda: workers.how_many(pool.id), lambda: workers.available(pool.id, _CROWD)
    )
    mended = [worker_records.put_right(worker, known={pool.id: pool}) for worker in available]
    free = [w for w in mended if decisions.can_take(w, worker_records.capacity_of(w, {pool.id: pool}))]
    left = [worker for worker in free if worker.identity not in excluded]
    if left:
        return left, ""
    number = len(available) if len(available) < _CROWD else workers.how_many_available(pool.id)
    return [], decisions.why_nobody(pool, members, number)


def _chosen_by(pool: Pool) -> str:
    how = {"longest_idle": "idle for the longest", "least_busy": "holds the fewest"}[pool.strategy]
    return f"{how} of those Available in {pool.display_name}"
