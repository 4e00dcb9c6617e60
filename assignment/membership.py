"""Who is in a conversation besides what the service did: a worker came in or left by a person's hand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from assignment import claim, ledger, matching
from domain import transitions
from domain.conversation import CLOSED, HELD, INACTIVE, QUEUED, Conversation
from domain.pool import Pool
from providers import (
    clock,
    configuration,
    conversations,
    database,
    log,
    pending,
    pools,
    settings,
    twilio,
    workers,
)


def joined(sid: str, service_sid: str | None, identity: str, participant_sid: str) -> None:
    """The conversation counts as theirs and leaves the queue, unless it is another worker's already.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.state == CLOSED or before.leaving == identity:  # it was taken from them just now
        return
    if before.worker == identity:
        _is_in_it(before, participant_sid)
    elif identity in settings.load().bots:
        return  # in it without counting as anybody's worker
    elif before.worker is not None:
        if identity not in before.others:
            ledger.move(before, replace(before, others=(*before.others, identity)))
    else:
        service_sid = configuration.service_in_use(before.service_sid or service_sid)
        _counts_as_theirs(before, replace(before, service_sid=service_sid), identity, participant_sid)


def learn_projected(sid: str, projected_address: str) -> None:
    """Notes the address that a worker of a group message needs; Frontline's routing callback does not tell it.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.exists and before.starting and before.projected_address != projected_address:
        ledger.move(before, replace(before, projected_address=projected_address))


def left(sid: str, identity: str, participant_sid: str) -> None:
    """It goes to who else is in it, or back into the queue. Raises database.LostRace."""
    before = conversations.load(sid)
    if identity in before.others:
        rest = tuple(other for other in before.others if other != identity)
        ledger.move(before, replace(before, others=rest))
    elif before.worker == identity and before.participant_sid in (None, participant_sid):
        holder_left(before)  # otherwise this tells of an earlier stay of a worker who has come back since


def customer_left(sid: str, address: str) -> None:
    """Nobody is given a conversation without its customer, who begins another one by writing again."""
    before = conversations.load(sid)
    if before.state == QUEUED and before.address == address and before.projected_address is None:
        matching.close(sid, "the customer left it")


def vanished(identity: str) -> None:
    """The worker's record was deleted: what they held waits again, and they are taken out of it."""
    if workers.load(identity).version is None:
        for held in conversations.held_by(identity):
            database.until_it_holds(partial(_let_go, held.sid, identity))


def _let_go(sid: str, identity: str) -> None:
    before = conversations.load(sid)
    if before.holder == identity:
        if before.participant_sid:
            twilio.remove_participant(before, before.participant_sid)
        holder_left(before, "has no record any more")


def holder_left(before: Conversation, why: str = "left it") -> None:
    """The worker for whom it counts is not in it any more. Raises database.LostRace."""
    log.info(f"the worker {why}", conversation=before.sid, worker=before.worker)
    if before.state not in (*HELD, INACTIVE):
        return
    now = clock.now()
    if heirs := [other for other in before.others if other != before.leaving]:
        heir = ledger.record_of(heirs[0])
        moved = ledger.move(before, transitions.handed_over(before, heir, now), heir)
        matching.freed(moved.freed)
    elif before.state in HELD and before.address is not None and before.mode != "none":
        gone = replace(transitions.without(before, before.worker or "", now), mode="pool")
        matching.queue(before, gone, pool_for(before), f"{before.worker} {why}")
    else:
        matching.move(before, transitions.nobodys(before, now))


def pool_for(conversation: Conversation) -> Pool:
    """The pool it was routed by; else the one that holds now."""
    return pools.load(conversation.pool) if conversation.pool else pool_now(conversation)


def pool_now(conversation: Conversation) -> Pool:
    """The pool that names its number, else the default one."""
    numbers = [n for n in (conversation.proxy_address, conversation.projected_address) if n]
    if named := pools.of_numbers(numbers):
        return pools.of(named[0])
    (default,) = pools.as_called([settings.load().default_pool])
    return pools.load(default)


def waits_for_nobody(sid: str) -> bool:
    """One whose pool has nobody any more (deleted, renamed, its number moved) waits where it would enter now.

    Returns whether it has moved. Raises database.LostRace.
    """
    before = conversations.load(sid)
    pool = pool_now(before)
    if before.state != QUEUED or pool.id == before.pool:
        return False
    matching.queue(before, before, pool, f"nobody belongs to {before.pool} any more")
    return True


def moved_by_hand(sid: str, pool_id: str | None, priority: int) -> None:
    """A person has written another pool or priority into the record of one that waits: so it does in the queue.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.state != QUEUED or (before.pool, before.priority) != (pool_id, priority):
        return
    entry = pending.load(sid)
    called = pools.as_called([pool_id])[0] if pool_id else None
    if called and called != entry.pool and before.for_worker is None:
        pool = pools.load(called)
        queued_as = replace(before, pool=entry.pool)
        matching.queue(queued_as, before, pool, f"moved to {pool.display_name} by hand")
    elif priority != entry.priority:
        ledger.restore(before)


def _is_in_it(before: Conversation, participant_sid: str) -> None:
    """Twilio tells that the worker is in it: that confirms a claim, and says which stay it is. Where somebody is to be
    taken out of it for them, that is still to be done."""
    if before.lease_until is not None and before.leaving is None:
        ledger.move(before, transitions.confirmed(before, participant_sid, clock.now()))
    elif before.participant_sid != participant_sid:
        ledger.move(before, replace(before, participant_sid=participant_sid))


def _counts_as_theirs(before: Conversation, known: Conversation, identity: str, participant_sid: str) -> None:
    worker = ledger.record_of(identity)
    after = transitions.joined_by_hand(known, worker, participant_sid, clock.now())
    moved = ledger.move(before, after, worker)
    if before.leaving:
        claim.let_out(moved.conversation)
    log.info("assigned by hand", conversation=before.sid, worker=identity)
