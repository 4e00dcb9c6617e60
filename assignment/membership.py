"""The participants of a conversation: workers and customers join or leave it without the service's doing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from assignment import claim, ledger, matching, worker_care
from domain import addresses, rules, transitions
from domain.conversation import (
    CLOSED,
    HELD,
    INACTIVE,
    QUEUED,
    Conversation,
    Pending,
)
from domain.customer import Customer
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

_MOST_QUEUED = 20  # conversations of one customer
_NO_RECORD = "has no record any more"
_IN_FLIGHT = timedelta(minutes=10)  # most events arrive sooner
_WITH_WORKER = (*HELD, INACTIVE)


def joined(
    sid: str, service_sid: str | None, identity: str, participant_sid: str
) -> None:
    """Follow Twilio's report that a participant with an identity is in the conversation.

    It counts as theirs and leaves the queue, unless another worker has it already: then they are noted in `others`.
    `service_sid`: the Conversations service of the event. Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.state == CLOSED or before.leaving == identity:
        return  # over, or it has been taken from this worker
    if before.worker == identity and before.participant_sid in (None, participant_sid):
        _is_in_it(before, participant_sid)
    elif identity not in before.others:
        _came_in(before, service_sid, identity, participant_sid)


def _came_in(
    before: Conversation, service_sid: str | None, identity: str, participant_sid: str
) -> None:
    service_sid = configuration.service_in_use(before.service_sid or service_sid)
    with_service = replace(before, service_sid=service_sid)
    why = _why_ignored(with_service, identity, participant_sid)
    if why is not None:
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
        count_as_theirs(before, with_service, identity, participant_sid)


def _why_ignored(
    conversation: Conversation, identity: str, participant_sid: str
) -> str | None:
    """Return why this participant is ignored.

    None: a confirmed worker, in the conversation unless Twilio says otherwise.
    """
    record, rule = database.read(workers.reference(identity), settings.reference())
    if identity in settings.of(rule).bots:
        return "it is one of the bots"
    if not workers.of(record).confirmed:
        return "not a confirmed worker"
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        return None
    if participant_sid not in {participant.sid for participant in people.body}:
        return "they have left it meanwhile"
    return None if conversation.exists else _why_not_ours(people.body)


def _why_not_ours(people: Iterable[Any]) -> str | None:
    """Return why a conversation without a record is another product's, None if it may be ours.

    A web chat has visitors with an identity, and no messaging address. A worker alone is about to write to a customer.
    """
    identities = set()
    for participant in people:
        if (participant.messaging_binding or {}).get("address"):
            return None
        if participant.identity:
            identities.add(participant.identity)
    are_all_workers = identities <= workers.confirmed(identities).keys()
    return None if are_all_workers else "the conversation has no messaging address"


def learn_projected(sid: str, projected_address: str) -> None:
    """Note the address that a worker of a group message needs; Frontline's routing callback doesn't contain it.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    after = replace(before, projected_address=projected_address)
    if before.exists and before.starting and before != after:
        ledger.move(before, after)


def left(sid: str, identity: str, participant_sid: str) -> None:
    """Follow Twilio's report that a worker's participant has left.

    The conversation goes to another worker in it, or back to the queue. `participant_sid` tells apart an earlier
    participant of a worker who has come back since. Raises database.LostRace.
    """
    before = conversations.load(sid)
    if identity in before.others:
        ledger.move(before, _without_other(before, identity))
        return
    is_current = before.participant_sid in (None, participant_sid)
    if before.worker == identity and is_current:
        holder_left(before)


def _without_other(conversation: Conversation, identity: str) -> Conversation:
    rest = tuple(other for other in conversation.others if other != identity)
    return replace(conversation, others=rest)


def customer_left(sid: str, address: str) -> None:
    """Close a queued conversation that its customer has left: by writing again, they begin another one."""
    before = conversations.load(sid)
    is_waiting = before.state == QUEUED and before.projected_address is None
    if is_waiting and _is_its_customer(before, address):
        matching.close(sid, "the customer left it")


def _is_its_customer(conversation: Conversation, address: str) -> bool:
    """Return whether the address belongs to the conversation's customer.

    It is the conversation's address, or another one of the same customer on the same channel: WhatsApp uses numbers and
    user IDs. If no record says so, the sweep finds out.
    """
    own = conversation.address or ""
    if addresses.on_its_channel(address) == addresses.on_its_channel(own):
        return True
    if addresses.channel(address) != addresses.channel(own):
        return False
    if conversation.customer_id is None:
        return False
    (record,) = database.read(customers.reference(conversation.customer_id))
    listed = set(map(addresses.compact, customers.of(record).addresses))
    return all(not listed.isdisjoint(addresses.spellings(a)) for a in (address, own))


def dismissed(identity: str) -> None:
    """Remove a worker without a confirmed record from all open conversations, and queue what they had.

    Safe to repeat; it changes nothing if they are a confirmed worker again.
    """
    worker = workers.load(identity)
    if worker.confirmed:
        return
    why = "is not a confirmed worker any more"
    if worker.version is None:
        _remember(identity)
        why = _NO_RECORD
    for conversation in conversations.involving(identity):
        database.until_it_holds(partial(take_out, conversation.sid, identity, why))


def _remember(identity: str) -> None:
    """Note a deleted worker, so that only a person makes another record of that name.

    Writes first and looks afterwards, because a person may be making that record at the same time.
    """
    if workers.named(identity) is None:
        ledger.note_former(identity)
        if workers.called(identity) is not None:
            ledger.forget_former(identity)


def came_back(identity: str) -> bool:
    """Delete a record that the service made while a person was deleting the one before; return whether it was deleted.

    The event of the deletion may come late: a record that a person may have confirmed since stays. Raises
    database.LostRace.
    """
    worker = workers.load(identity)
    if worker.version is None or worker.made_by == PERSON:
        return False
    now = clock.now()
    is_old = now - (worker.status_since or now) > _IN_FLIGHT
    if worker.confirmed and worker.made_by == SERVICE and is_old:
        return False
    ledger.remove(worker)
    log.warning(
        "The record was deleted by a person and made again by an event: deleted.",
        worker=identity,
    )
    return True


def take_out(sid: str, identity: str, why: str = _NO_RECORD) -> None:
    """Remove a worker without a confirmed record from a conversation, here and at Twilio.

    `why`: for the log, after the worker's name. Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.leaving == identity and before.worker != identity:
        return  # being handed over: that step removes them
    people = twilio.participants(before)
    inside = {}
    if people.outcome is Outcome.DONE:
        inside = {participant.sid: participant.identity for participant in people.body}
    for participant_sid, name in inside.items():
        if name == identity:  # if this fails they are ignored, as any visitor is
            twilio.remove_participant(before, participant_sid)
    if identity in before.others:
        before = ledger.move(before, _without_other(before, identity)).conversation
    # Another identity: a person has typed this name into the record a moment ago.
    holder = inside.get(before.participant_sid or "", identity)
    if before.worker == identity == holder and before.state in _WITH_WORKER:
        holder_left(before, why)


def holder_left(before: Conversation, why: str = "left it") -> None:
    """Assign a conversation that its worker has left to another worker in it, or queue it.

    `why`: for the log, after the worker's name. Raises database.LostRace.
    """
    log.info(f"the worker {why}", conversation=before.sid, worker=before.worker)
    if before.state not in _WITH_WORKER:
        return
    now = clock.now()
    staying = [other for other in before.others if other != before.leaving]
    next_worker = worker_care.first_confirmed(staying)
    if next_worker is not None:
        after = transitions.handed_over(before, next_worker, now)
        matching.freed(ledger.move(before, after, next_worker).freed)
    elif _can_be_queued(before):
        without = transitions.without(before, before.worker or "", now)
        pool = pool_for(before)
        why_queued = f"{before.worker} {why}"
        matching.queue(before, replace(without, mode="pool"), pool, why_queued)
    else:
        keep = settings.kept_for()
        matching.move(before, transitions.nobodys(before, now, why, keep))


def _can_be_queued(conversation: Conversation) -> bool:
    """Return whether a customer waits in it: it is active, and was routed."""
    if conversation.address is None or conversation.mode == "none":
        return False
    return conversation.state in HELD


def pool_for(conversation: Conversation) -> Pool:
    """Return the pool that it was routed by; without one, the pool that it would be routed by now."""
    if conversation.pool:
        return pools.load(conversation.pool)
    return pool_now(conversation)


def pool_now(conversation: Conversation) -> Pool:
    """Return the pool that names the conversation's Twilio number, else the default pool."""
    ours = (conversation.proxy_address, conversation.projected_address)
    named = pools.of_numbers(list(filter(None, ours)))
    if named:
        return pools.of(named[0])
    (default,) = pools.as_called([settings.load().default_pool])
    return pools.load(default)


def waits_for_nobody(sid: str) -> bool:
    """Move a queued conversation of a pool without workers to the pool that it would be routed to now.

    Returns whether it has moved; False if it would be the same pool. Raises database.LostRace.
    """
    before = conversations.load(sid)
    pool = pool_now(before)
    if before.state != QUEUED or pool.id == before.pool:
        return False
    matching.queue(before, before, pool, f"{before.pool} has no workers any more")
    return True


def moved_by_hand(sid: str, pool_id: str | None, priority: int) -> None:
    """Follow a person's edit of a queued conversation's pool or priority in its queue entry.

    `pool_id` and `priority`: as the edit left them; if the record differs meanwhile, nothing happens. Raises
    database.LostRace.
    """
    before = conversations.load(sid)
    if before.state != QUEUED or (before.pool, before.priority) != (pool_id, priority):
        return
    entry = pending.load(sid)
    if before.needs_person:
        _moved_for_person(before, entry)
        return
    called = pools.as_called([pool_id])[0] if pool_id else entry.pool
    if called and called != entry.pool and before.for_worker is None:
        pool = pools.load(called)
        queued_as = replace(before, pool=entry.pool)
        matching.queue(queued_as, before, pool, f"moved to {pool.display_name} by hand")
    elif priority != entry.priority:
        ledger.restore(before)


def _moved_for_person(edited: Conversation, entry: Pending) -> None:
    """Follow an edit of one that needs a person: another pool's workers may take it, with another priority it stays."""
    if edited.priority != entry.priority:
        ledger.restore(edited)
        return
    (called,) = pools.as_called([edited.pool or entry.pool])
    pool = pools.load(called)
    why = f"moved to {pool.display_name} by hand"
    matching.queue(edited, replace(edited, returns=0), pool, why)


def priority_edited(customer: Customer) -> None:
    """Give the queued conversations of a customer the priority that their record or the pool has now."""
    for waiting in conversations.queued_with(customer.customer_id, _MOST_QUEUED):
        database.until_it_holds(partial(_prioritized, waiting.sid, customer))


def _prioritized(sid: str, customer: Customer) -> None:
    before = conversations.load(sid)
    priority = rules.priority_of(customer, pool_for(before))
    if before.state != QUEUED or before.customer_id != customer.customer_id:
        return
    entry = pending.load(sid)
    if (before.priority, entry.priority) == (priority, priority):
        return
    why = f"{priority} by the customer's record"
    after = replace(before, priority=priority).noted(clock.now(), "priority", why)
    ledger.restore(after)


def _is_in_it(before: Conversation, participant_sid: str) -> None:
    """Confirm a claim whose worker Twilio reports as a participant, and store the participant SID.

    While another participant is still to be removed, the claim stays open.
    """
    if before.lease_until is not None and before.leaving is None:
        ledger.move(before, transitions.confirmed(before, participant_sid, clock.now()))
    elif before.participant_sid != participant_sid:
        ledger.move(before, replace(before, participant_sid=participant_sid))


def count_as_theirs(
    before: Conversation, known: Conversation, identity: str, participant_sid: str
) -> None:
    """Assign the conversation to a worker who is in it already.

    `before`: the record as it is stored. `known`: the same with further changes. Raises database.LostRace.
    """
    worker = workers.load(identity)
    after = transitions.joined_by_hand(known, worker, participant_sid, clock.now())
    moved = ledger.move(before, after, worker)
    if before.leaving:
        claim.let_out(moved.conversation)
    log.info("assigned by hand", conversation=before.sid, worker=identity)
