"""Who is in a conversation besides what the service did: a worker came in or left by a person's hand."""

from __future__ import annotations

from dataclasses import replace

from functions import assignment, claims, decisions, worker_records
from providers import clock, configuration, conversations, log, pools, settings
from providers.conversations import CLOSED, HELD, INACTIVE, UNROUTED, Conversation, Load
from providers.pools import Pool


def joined(sid: str, service_sid: str | None, identity: str, participant_sid: str) -> None:
    """The conversation counts as theirs and leaves the queue, unless it is another worker's already.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.state == CLOSED:
        return
    if before.worker == identity:
        _is_in_it(before, participant_sid)
    elif before.worker is not None:
        if identity not in before.others:
            conversations.move(before, replace(before, others=(*before.others, identity)))
    else:
        _counts_as_theirs(
            replace(before, service_sid=configuration.service_in_use(before.service_sid or service_sid)),
            identity,
            participant_sid,
        )


def learn_projected(sid: str, projected_address: str) -> None:
    """Notes the address that a worker of a group message needs; Frontline's routing callback does not tell it.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.exists and before.starting and before.projected_address != projected_address:
        conversations.move(before, replace(before, projected_address=projected_address))


def left(sid: str, identity: str, participant_sid: str) -> None:
    """It goes to who else is in it, or back into the queue. Raises database.LostRace."""
    before = conversations.load(sid)
    if identity in before.others:
        rest = tuple(other for other in before.others if other != identity)
        conversations.move(before, replace(before, others=rest))
    elif before.worker == identity and before.participant_sid in (None, participant_sid):
        holder_left(before)  # otherwise this tells of an earlier stay of a worker who has come back since


def holder_left(before: Conversation) -> None:
    """The worker for whom it counts is not in it any more. Raises database.LostRace."""
    log.info("the worker left", conversation=before.sid, worker=before.worker)
    if before.state not in (*HELD, INACTIVE):
        return
    if before.others:
        _hand_over(before, before.others[0])
    elif before.state in HELD and before.address is not None and before.mode != "none":
        gone = decisions.without(before, before.worker or "", clock.now())
        assignment.queue(before, replace(gone, mode="pool"), pool_for(before), f"{before.worker} left it")
    else:
        _nobodys(before)


def pool_for(conversation: Conversation) -> Pool:
    """The pool it was routed by; else the one that names its number, else the default one."""
    numbers = [n for n in (conversation.proxy_address, conversation.projected_address) if n]
    named = [] if conversation.pool else pools.of_numbers(numbers)
    pool_id = conversation.pool or (named[0].id if named else settings.load().default_pool)
    return pools.load(pool_id)[pool_id]


def _is_in_it(before: Conversation, participant_sid: str) -> None:
    """Twilio tells that the worker is in it: that confirms a claim, and says which stay it is."""
    if before.lease_until is not None:
        conversations.move(before, decisions.confirmed(before, participant_sid, clock.now()))
    elif before.participant_sid != participant_sid:
        conversations.move(before, replace(before, participant_sid=participant_sid))


def _counts_as_theirs(before: Conversation, identity: str, participant_sid: str) -> None:
    worker = worker_records.load_or_new(identity)
    now = clock.now()
    after = decisions.joined_by_hand(before, worker, participant_sid, now)
    conversations.move(before, after, [Load(worker, worker_records.capacity_of(worker), assigned_at=now)])
    log.info("assigned by hand", conversation=before.sid, worker=identity)


def _hand_over(before: Conversation, heir: str) -> None:
    worker = worker_records.load_or_new(heir)
    now = clock.now()
    after = decisions.handed_over(before, worker, now)
    gains = [Load(worker, worker_records.capacity_of(worker), assigned_at=now)] if after.holder else []
    _, changed = conversations.move(before, after, [*gains, *claims.loads(before.holder)])
    for freed in changed[len(gains) :]:
        assignment.take_next(freed, "has a free slot")


def _nobodys(before: Conversation) -> None:
    """An inactive one waits for its customer; one that was never to be routed stays so."""
    state = INACTIVE if before.state == INACTIVE else UNROUTED
    alone = replace(before, state=state, worker=None, participant_sid=None, lease_until=None)
    noted = alone.noted(clock.now(), "left", f"{before.worker} left it")
    _, freed = conversations.move(before, noted, claims.loads(before.holder))
    for worker in freed:
        assignment.take_next(worker, "has a free slot")
