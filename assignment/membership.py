"""Who is in a conversation besides what the service did: a worker came in or left by a person's hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from assignment import claim, ledger, matching, worker_care
from domain import addresses, transitions
from domain.conversation import CLOSED, HELD, INACTIVE, QUEUED, Conversation
from domain.pool import Pool
from domain.worker import PERSON, SERVICE
from providers import (
    clock,
    configuration,
    conversations,
    customers,
    database,
    log,
    pending,
    pools,
    settings,
    twilio,
    workers,
)
from providers.twilio import Outcome

_NO_RECORD = "has no record any more"
_IN_FLIGHT = timedelta(minutes=10)  # longer than an event is on its way, as a rule


def joined(
    sid: str, service_sid: str | None, identity: str, participant_sid: str
) -> None:
    """The conversation counts as theirs and leaves the queue, unless it is another worker's already.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if (
        before.state == CLOSED or before.leaving == identity
    ):  # it was taken from them just now
        return
    if before.worker == identity and before.participant_sid in (None, participant_sid):
        _is_in_it(before, participant_sid)
    elif identity not in before.others:
        _came_in(before, service_sid, identity, participant_sid)


def _came_in(
    before: Conversation, service_sid: str | None, identity: str, participant_sid: str
) -> None:
    service_sid = configuration.service_in_use(before.service_sid or service_sid)
    known = replace(before, service_sid=service_sid)
    if (why := _why_ignored(known, identity, participant_sid)) is not None:
        log.info(
            f"a participant is ignored: {why}",
            conversation=before.sid,
            participant=identity,
        )
    elif before.worker == identity:
        _is_in_it(before, participant_sid)
    elif before.worker is not None:
        ledger.move(before, replace(before, others=(*before.others, identity)))
    else:
        count_as_theirs(before, known, identity, participant_sid)


def _why_ignored(
    conversation: Conversation, identity: str, participant_sid: str
) -> str | None:
    """Why this participant counts for nothing here; None: a confirmed worker, who is in it unless Twilio denies it."""
    record, rule = database.read(workers.reference(identity), settings.reference())
    if identity in settings.of(rule).bots:
        return "it is one of the bots"
    if not workers.of(record).confirmed:
        return "not a confirmed worker"
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        return None
    if participant_sid not in {one.sid for one in people.body}:
        return "they have left it meanwhile"
    return None if conversation.exists else _why_not_ours(people.body)


def _why_not_ours(people: Iterable[Any]) -> str | None:
    """Of a conversation without a record: another product's web chat has visitors, who are no workers, and no messaging
    address. A worker alone is about to write to a customer."""
    if any(_is_bound(one) for one in people):
        return None
    identities = {one.identity for one in people if one.identity}
    are_all_workers = identities <= workers.confirmed(identities).keys()
    return None if are_all_workers else "the conversation has no messaging address"


def _is_bound(participant: Any) -> bool:
    return bool((participant.messaging_binding or {}).get("address"))


def learn_projected(sid: str, projected_address: str) -> None:
    """Notes the address that a worker of a group message needs; Frontline's routing callback does not tell it.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if (
        before.exists
        and before.starting
        and before.projected_address != projected_address
    ):
        ledger.move(before, replace(before, projected_address=projected_address))


def left(sid: str, identity: str, participant_sid: str) -> None:
    """It goes to who else is in it, or back into the queue. Raises database.LostRace."""
    before = conversations.load(sid)
    if identity in before.others:
        rest = tuple(other for other in before.others if other != identity)
        ledger.move(before, replace(before, others=rest))
    elif before.worker == identity and before.participant_sid in (
        None,
        participant_sid,
    ):
        holder_left(
            before
        )  # otherwise this tells of an earlier stay of a worker who has come back since


def customer_left(sid: str, address: str) -> None:
    """Nobody is given a conversation without its customer, who begins another one by writing again."""
    before = conversations.load(sid)
    is_waiting = before.state == QUEUED and before.projected_address is None
    if is_waiting and _is_its_customer(before, address):
        matching.close(sid, "the customer left it")


def _is_its_customer(conversation: Conversation, address: str) -> bool:
    """Whether it waits by this address, or by another that is the same customer's on the same channel: WhatsApp uses
    numbers and user ids. The sweep finds out what no record says."""
    waits_by = conversation.address or ""
    if addresses.on_its_channel(address) == addresses.on_its_channel(waits_by):
        return True
    if conversation.customer_id is None or addresses.channel(
        address
    ) != addresses.channel(waits_by):
        return False
    (record,) = database.read(customers.reference(conversation.customer_id))
    listed = set(map(addresses.compact, customers.of(record).addresses))
    return all(listed & set(addresses.spellings(one)) for one in (address, waits_by))


def dismissed(identity: str) -> None:
    """The worker's record was deleted, or is confirmed no more: they are taken out of every conversation that is not
    over, and what they had waits again. Safe to repeat; of one who is a worker again it changes nothing."""
    worker = workers.load(identity)
    if worker.confirmed:
        return
    if worker.version is None:
        _remember(identity)
    why = _NO_RECORD if worker.version is None else "is not a confirmed worker any more"
    for conversation in conversations.involving(identity):
        database.until_it_holds(partial(take_out, conversation.sid, identity, why))


def _remember(identity: str) -> None:
    """So that nothing but a person makes a record for them again. Writes first and looks afterwards, because a person
    may be making another record of that name."""
    if workers.named(identity) is None:
        ledger.note_former(identity)
        if workers.called(identity) is not None:
            ledger.forget_former(identity)


def came_back(identity: str) -> bool:
    """Whether the service made this record while a person was deleting the one before; then it is deleted, too. One
    that a person may have confirmed since, because the event comes late, stays.

    Raises database.LostRace.
    """
    worker = workers.load(identity)
    if worker.version is None or worker.made_by == PERSON:
        return False
    age = clock.now() - (worker.status_since or clock.now())
    if worker.confirmed and worker.made_by == SERVICE and age > _IN_FLIGHT:
        return False
    ledger.remove(worker)
    log.warning(
        "The record was deleted by a person and made again by an event: deleted.",
        worker=identity,
    )
    return True


def take_out(sid: str, identity: str, why: str = _NO_RECORD) -> None:
    """Take somebody who is no confirmed worker out of a conversation, here and at Twilio. Raises database.LostRace."""
    before = conversations.load(sid)
    if before.leaving == identity and before.worker != identity:
        return  # being handed over: whoever finishes that takes them out
    people = twilio.participants(before)
    inside = (
        {one.sid: one.identity for one in people.body}
        if people.outcome is Outcome.DONE
        else {}
    )
    for participant_sid in (one for one, name in inside.items() if name == identity):
        twilio.remove_participant(
            before, participant_sid
        )  # if that fails they are ignored, as any visitor
    if identity in before.others:
        rest = tuple(other for other in before.others if other != identity)
        before = ledger.move(before, replace(before, others=rest)).conversation
    holder = inside.get(
        before.participant_sid or "", identity
    )  # another one: the name was typed a moment ago
    if before.worker == identity == holder and before.state in (*HELD, INACTIVE):
        holder_left(before, why)


def holder_left(before: Conversation, why: str = "left it") -> None:
    """The worker for whom it counts is not in it any more. Raises database.LostRace."""
    log.info(f"the worker {why}", conversation=before.sid, worker=before.worker)
    if before.state not in (*HELD, INACTIVE):
        return
    now = clock.now()
    heirs = [other for other in before.others if other != before.leaving]
    if (heir := worker_care.first_confirmed(heirs)) is not None:
        moved = ledger.move(before, transitions.handed_over(before, heir, now), heir)
        matching.freed(moved.freed)
    elif before.state in HELD and before.address is not None and before.mode != "none":
        gone = replace(
            transitions.without(before, before.worker or "", now), mode="pool"
        )
        matching.queue(before, gone, pool_for(before), f"{before.worker} {why}")
    else:
        keep = settings.kept_for()
        matching.move(before, transitions.nobodys(before, now, why, keep))


def pool_for(conversation: Conversation) -> Pool:
    """The pool it was routed by; else the one that holds now."""
    return (
        pools.load(conversation.pool) if conversation.pool else pool_now(conversation)
    )


def pool_now(conversation: Conversation) -> Pool:
    """The pool that names its number, else the default one."""
    numbers = [
        n for n in (conversation.proxy_address, conversation.projected_address) if n
    ]
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


def count_as_theirs(
    before: Conversation, known: Conversation, identity: str, participant_sid: str
) -> None:
    """The worker who is in it holds it now. `known`: the record with what else has changed.

    Raises database.LostRace.
    """
    worker = workers.load(identity)
    after = transitions.joined_by_hand(known, worker, participant_sid, clock.now())
    moved = ledger.move(before, after, worker)
    if before.leaving:
        claim.let_out(moved.conversation)
    log.info("assigned by hand", conversation=before.sid, worker=identity)
