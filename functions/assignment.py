"""The one way by which a conversation gets its worker, whoever wakes it: claim, tell Twilio, confirm; or queue.

Each step writes first and looks afterwards. A crash between two steps leaves what the next delivery or the
sweep finishes: an assignment whose lease runs out, or a queue entry. Every interleaving of two of these steps
is written down in docs/decisions/0001-claims.md.
"""

from __future__ import annotations

import enum
import random
import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from functions import decisions, worker_records
from providers import clock, conversations, database, deadline, log, pools, twilio, workers
from providers.conversations import (
    ASSIGNING,
    CLOSED,
    INACTIVE,
    KEPT_AFTER_CLOSING,
    QUEUED,
    Conversation,
    Load,
    Pending,
)
from providers.pools import Pool
from providers.twilio import Answer, Outcome, Place
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
    claimed, _ = _claim(conversation, worker, worker_records.capacity_of(worker), why, _token())
    _finish_first(claimed)


def give_to_pool(conversation: Conversation, pool: Pool, others_wait: bool, free: list[Worker]) -> None:
    """Gives a conversation to a free worker of the pool, or queues it. Raises database.LostRace.

    `free`: the free workers found just now. Where others wait already, in this pool or in another one of the
    worker's, it queues behind them, and the free worker takes the oldest.
    """
    while True:
        free = [worker for worker in free if worker.identity not in conversation.excluded_workers]
        if not free:
            free, why = _look_closer(pool, conversation.excluded_workers)
            if not free:
                return queue(conversation, conversation, pool, why)
        if others_wait or _is_waited_for_elsewhere(free[0], pool):
            return queue(conversation, conversation, pool, "others wait already")
        if claimed := _claim_for(free[0], conversation, pool):
            return _finish_first(claimed)
        free, others_wait = look_around(pool, _CROWD)
        random.shuffle(free)


def look_around(pool: Pool, limit: int) -> tuple[list[Worker], bool]:
    """The free workers of the pool, and whether anybody waits for one already."""
    free, waiting = database.together(
        lambda: workers.free(pool, limit), lambda: conversations.next_pending([pool.id], limit=1)
    )
    return free, bool(waiting)


def _is_waited_for_elsewhere(worker: Worker, pool: Pool) -> bool:
    """Whether somebody waits in another pool of this worker: then the worker takes the oldest of all."""
    elsewhere = [pool_id for pool_id in worker.pools or () if pool_id != pool.id]
    return bool(conversations.next_pending(elsewhere, limit=1))


def queue(before: Conversation, after: Conversation, pool: Pool, why: str) -> None:
    """Puts `after` into the queue, and only then looks once more for a free worker, so no wake-up is lost.

    `before` is the record as it is stored; a worker who held it gets the slot back. Raises database.LostRace.
    """
    waiting = decisions.queued(after, pool.id, clock.now(), why)
    _, freed = conversations.move(before, waiting, loads(before.holder))
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


def take_next(worker: Worker, because: str, known: Mapping[str, Pool] = MappingProxyType({})) -> Pulled:
    """The worker takes the next queued conversations, oldest first, until full or nothing waits for them.

    `because`: what woke them, for the story of the conversation ("turned Available"). `known`: pools that are
    loaded already.
    """
    pulled = _pull(worker, because, known)
    if pulled.stopped is Stopped.REFUSED:
        for pool in pools.load(*(worker.pools or ())).values():
            drain(pool)
    return pulled


def finish(conversation: Conversation) -> Outcome:
    """Adds the claimed worker at Twilio and writes down what came of it. Safe to repeat."""
    answer = _add(conversation)
    if answer.outcome is Outcome.DONE:
        return confirm(conversation, getattr(answer.body, "sid", None))
    if answer.outcome is Outcome.GONE:
        end(conversation.sid, "Twilio has closed it or does not know it")
    elif answer.outcome is Outcome.NEXT_WORKER:
        _put_back(conversation, answer)
    else:
        _leave_for_later(conversation, answer)
    return answer.outcome


def _add(conversation: Conversation) -> Answer:
    """A worker whom Twilio refuses may be in it already, by an earlier try whose answer was lost: look."""
    place, identity = _place(conversation), conversation.worker or ""
    answer = twilio.add_worker(place, identity, conversation.projected_address)
    if answer.outcome is not Outcome.NEXT_WORKER:
        return answer
    people = twilio.participants(place)
    if people.outcome is not Outcome.DONE:
        return people
    inside = next((person for person in people.body if person.identity == identity), None)
    return Answer(Outcome.DONE, body=inside) if inside else answer


def confirm(conversation: Conversation, participant_sid: str | None) -> Outcome:
    """Writes down that the worker is in it. GONE: it has moved on since this claim, and they are out again."""

    def again() -> bool:
        current = conversations.load(conversation.sid)
        in_flight = current.state in (ASSIGNING, INACTIVE) and current.lease_until is not None
        if in_flight and current.claim == conversation.claim:
            conversations.move(current, decisions.confirmed(current, participant_sid, clock.now()))
        return current.worker == conversation.worker or current.state == CLOSED

    try:
        conversations.move(conversation, decisions.confirmed(conversation, participant_sid, clock.now()))
    except database.LostRace:
        if not database.until_it_holds(again):
            return _withdraw(conversation, participant_sid)
    log.info("assigned", conversation=conversation.sid, worker=conversation.worker)
    return Outcome.DONE


def _withdraw(conversation: Conversation, participant_sid: str | None) -> Outcome:
    """It is not this worker's any more: they left while we were adding them. What we added, we take out again."""
    if participant_sid is not None:
        twilio.remove_participant(_place(conversation), participant_sid)
    log.warning("added too late, and out again", conversation=conversation.sid, worker=conversation.worker)
    return Outcome.GONE


def close(sid: str, why: str) -> None:
    """Ends a conversation; its slot comes back, and the worker takes the next."""
    for worker in end(sid, why):
        take_next(worker, "has a free slot")


def end(sid: str, why: str) -> list[Worker]:
    """Notes a conversation as closed; returns the worker who has a free slot now. One that is unknown is noted
    too: its other events may be on their way still."""

    def step() -> list[Worker]:
        before = conversations.load(sid)
        if before.state == CLOSED:
            return []
        after = decisions.closed(before, clock.now(), KEPT_AFTER_CLOSING, why)
        _, freed = conversations.move(before, after, loads(before.holder))
        log.info(f"closed: {why}", conversation=sid, worker=before.worker)
        return freed

    return database.until_it_holds(step)


def loads(*holders: str | None) -> list[Load]:
    """The records of those workers who have one, for a move that changes their count."""
    found = [workers.load(holder) for holder in holders if holder]
    return [
        Load(worker, worker_records.capacity_of(worker)) for worker in found if worker.version is not None
    ]


def _finish_first(claimed: Conversation) -> None:
    """Finishes a claim, and where it frees the slot again or needs another worker, sees to that too."""
    outcome = finish(claimed)
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
    token = _token()
    try:
        return _claim(conversation, worker, capacity, _chosen_by(pool), token)[0]
    except database.LostRace:
        return _won_after_all(conversation, token)


def _claim(
    conversation: Conversation, worker: Worker, capacity: float, why: str, token: str
) -> tuple[Conversation, Worker]:
    now = clock.now()
    after = decisions.claimed(conversation, worker, token, now, why)
    moved, changed = conversations.move(conversation, after, [Load(worker, capacity, assigned_at=now)])
    log.info(f"assigning: {why}", conversation=moved.sid, worker=worker.identity, pool=moved.pool)
    return moved, changed[0]


def _won_after_all(conversation: Conversation, token: str) -> Conversation | None:
    """After a lost race: our own claim, if only the answer to its commit was lost.

    Raises database.LostRace if somebody else has decided about this conversation meanwhile.
    """
    current = conversations.load(conversation.sid)
    if current.claim == token:
        return current
    if current.version != conversation.version or deadline.is_over(_MARGIN):
        raise database.LostRace(conversation.sid)
    return None


def _pull(worker: Worker, because: str, known: Mapping[str, Pool] = MappingProxyType({})) -> Pulled:
    taken = 0
    known = known or (worker_records.pools_of(worker) if worker.available else {})
    while not deadline.is_over(_MARGIN):
        capacity = worker_records.capacity_of(worker, known) if worker.available else 0
        if not decisions.can_take(worker, capacity):
            return Pulled(taken, Stopped.NO_ROOM)
        entry = _next_entry(worker)
        if isinstance(entry, Stopped):
            return Pulled(taken, entry)
        try:
            outcome, worker = _take(entry, worker, capacity, because)
        except database.LostRace:
            worker, known = worker_records.load_with_pools(worker)
            continue
        taken += outcome is Outcome.DONE
        if outcome is Outcome.GONE:
            worker = workers.load(worker.identity)
        elif outcome is not Outcome.DONE:
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


def _take(entry: Pending, worker: Worker, capacity: float, because: str) -> tuple[Outcome, Worker]:
    conversation = conversations.load(entry.sid)
    if conversation.state != QUEUED:
        conversations.drop_stray(conversation)
        return Outcome.GONE, worker
    now = clock.now()
    waited = decisions.in_words((now - (conversation.queued_at or now)).total_seconds())
    why = f"pulled by a worker who {because}, after {waited}"
    claimed, worker = _claim(replace(conversation, priority=entry.priority), worker, capacity, why, _token())
    return finish(claimed), worker


def _put_back(conversation: Conversation, answer: Answer) -> None:
    """Twilio does not take this worker: the slot comes back, and the conversation waits for another one."""
    identity = conversation.worker or ""
    log.warning(
        f"Twilio does not add this worker: {answer.why}", conversation=conversation.sid, worker=identity
    )

    def step() -> None:
        current = conversations.load(conversation.sid)
        if current.claim != conversation.claim or current.state != ASSIGNING:
            return
        now = clock.now()
        after = decisions.without(replace(current, mode="pool"), identity, now)
        waiting = decisions.queued(
            after, after.pool or "", now, f"{identity} could not be added: {answer.why}"
        )
        conversations.move(current, waiting, loads(identity))

    database.until_it_holds(step)


def _leave_for_later(conversation: Conversation, answer: Answer) -> None:
    """The claim stands, and the sweep tries again. The story says why the worker is not in it yet."""
    level = log.error if answer.outcome is Outcome.MISCONFIGURED else log.warning
    level(
        f"The worker is not added yet: {answer.why}",
        conversation=conversation.sid,
        worker=conversation.worker,
    )
    now = clock.now()
    noted = replace(conversation, lease_until=now).noted(now, "waiting", f"to be tried again: {answer.why}")
    try:
        conversations.move(conversation, noted)
    except database.LostRace:
        return  # it has moved on by itself


def _look_closer(pool: Pool, excluded: Collection[str]) -> tuple[list[Worker], str]:
    """Why nobody is free; and whoever is after all, once records that were not right have been mended."""
    members, available = database.together(
        lambda: workers.how_many(pool.id), lambda: workers.available(pool.id, _CROWD)
    )
    mended = [worker_records.put_right(worker, known={pool.id: pool}) for worker in available]
    free = [w for w in mended if decisions.can_take(w, worker_records.capacity_of(w, {pool.id: pool}))]
    free = [worker for worker in free if worker.identity not in excluded]
    return free, decisions.why_nobody(pool, members, len(available))


def _chosen_by(pool: Pool) -> str:
    how = {"longest_idle": "idle for the longest", "least_busy": "holds the fewest"}[pool.strategy]
    return f"{how} of those Available in {pool.display_name}"


def _place(conversation: Conversation) -> Place:
    return Place(conversation.service_sid, conversation.sid)


def _token() -> str:
    return uuid.uuid4().hex
