"""A conversation has arrived: look, decide, and give it to a worker or the queue.

Two webhooks ask for this, in any order and more than once: onConversationAdded and Frontline's routing callback.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from assignment import hearing, ledger, matching, worker_care
from domain import hours, rules, transitions
from domain.arrival import Arrival
from domain.conversation import CLOSED, QUEUED, Conversation
from domain.customer import NOBODY, Customer
from domain.limits import NAME
from domain.pool import DEFAULT_POOL, Pool
from domain.settings import Settings
from domain.worker import Worker
from providers import (
    clock,
    configuration,
    conversations,
    customers,
    database,
    log,
    opt_outs,
    pending,
    pools,
    public_holidays,
    settings,
    workers,
)

_MOST_WAITING = (
    300  # for one worker; the sweep sees to the others when their time is over
)


@dataclass(frozen=True)
class Seen:
    """What had to be read to decide. `number_pool` is the pool that names the Twilio number, if any does.

    `queue_first`: the caller looks for workers, once all that it has found waits.
    """

    conversation: Conversation
    settings: Settings
    number_pool: Pool | None
    pool: Pool
    customer: Customer
    queue_first: bool = False


def route(arrival: Arrival, *, queue_first: bool = False) -> None:
    """Routes an inbound conversation once, however often and in whatever order this is asked.

    `queue_first`: one that goes to a pool waits there, and the caller looks for workers.
    """
    database.until_it_holds(lambda: _route(arrival, queue_first))


def route_known(conversation: Conversation) -> None:
    """Routes one that the log describes already. Raises database.LostRace: load it again then."""
    _carry_out(_look_again(conversation))


def route_again(conversation: Conversation, arrival: Arrival) -> None:
    """Routes one that the log had closed. `conversation`: the record, open again, with the version that was read.

    Raises database.LostRace.
    """
    seen = _look(arrival.sid, arrival.our_addresses, arrival.customer_address)
    seen = replace(seen, conversation=conversation)
    _carry_out(replace(seen, conversation=_described(seen, arrival)))


def route_as(conversation: Conversation) -> None:
    """Routes one by what is given here, which is not written yet. Raises database.LostRace."""
    _carry_out(replace(_look_again(conversation), conversation=conversation))


def _look_again(conversation: Conversation) -> Seen:
    ours = tuple(
        a for a in (conversation.proxy_address, conversation.projected_address) if a
    )
    return _look(conversation.sid, ours, conversation.address)


def waits_no_more(sid: str, why: str) -> bool:
    """One that waited for its own worker alone goes on without them. Returns whether it did.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.state != QUEUED or before.for_worker is None:
        return False
    _without_own_worker(replace(_look_again(before), conversation=before), why)
    return True


def nobody_to_wait_for(identity: str) -> None:
    """The worker's record was deleted, or is confirmed no more: who waited for them alone goes on without them."""
    if not workers.load(identity).confirmed:
        for entry in pending.waiting_for(identity, _MOST_WAITING):
            again = partial(
                waits_no_more,
                entry.sid,
                f"{identity} has no record any more, or is not confirmed",
            )
            database.until_it_holds(again)


def activated(sid: str) -> None:
    """A conversation that was initializing can take workers now. Raises database.LostRace."""
    conversation = conversations.load(sid)
    if conversation.starting:
        route_known(conversation)
    elif not conversation.exists:
        _note(
            conversation,
            conversation,
            "active before it was announced; it is routed when it is",
        )


def _route(arrival: Arrival, queue_first: bool) -> None:
    seen = _look(arrival.sid, arrival.our_addresses, arrival.customer_address)
    seen = replace(seen, queue_first=queue_first)
    stored = seen.conversation
    if rules.is_routed(stored):
        return _again(seen, arrival)
    described = _described(seen, arrival)
    if not arrival.is_starting or (stored.exists and not stored.starting):
        return _carry_out(replace(seen, conversation=described))
    if not stored.exists:
        why = "Twilio is still setting it up; it is routed when it turns active"
        _note(stored, replace(described, starting=True), why)
    return None


def _carry_out(seen: Seen) -> None:
    own_worker = customers.find_worker_for_customer(seen.customer)
    route = rules.decide_route(seen.settings, seen.number_pool, own_worker)
    if route.mode != "none" and rules.is_only_an_opt_out(seen.conversation):
        return _leave_out(replace(seen.conversation, pool=route.pool))
    if route.worker is None:
        return _without_own_worker(seen)
    worker, why_not = worker_care.meant_by(route.worker, seen.conversation.service_sid)
    if worker is None:
        customers.tell(seen.customer, f"worker: {why_not}.")
        return _without_own_worker(seen)
    conversation = replace(
        seen.conversation, mode=route.mode, pool=route.pool, starting=False
    )
    if rules.own_worker_is_added(seen.settings) or _is_free(worker):
        return matching.give_to(conversation, worker, route.why)
    if rules.is_waited_for(seen.settings):
        return _wait_for(conversation, worker, seen.settings)
    return _without_own_worker(seen, f"{worker.name} is {rules.why_not(worker)}")


def _leave_out(conversation: Conversation) -> None:
    matching.move(conversation, transitions.left_out(conversation, clock.now()))
    log.info(
        "not routed: only an opt-out word was written", conversation=conversation.sid
    )


def _wait_for(conversation: Conversation, worker: Worker, settings: Settings) -> None:
    why = f"waits for {worker.name}, who is {rules.why_not(worker)}"
    if settings.own_worker_wait is not None:
        why += f", for {rules.in_words(settings.own_worker_wait)} at most"
    matching.queue_for(conversation, worker, settings, why)


def _without_own_worker(seen: Seen, own: str | None = None) -> None:
    """By the pool, or not at all, where there is no own worker, or none who takes it: `own` then says why not."""
    route = rules.decide_route(seen.settings, seen.number_pool, None)
    before = seen.conversation
    conversation = replace(before, mode=route.mode, pool=route.pool, starting=False)
    if own:
        conversation = conversation.noted(clock.now(), "own worker", own)
    if route.mode == "none":
        return _note(
            before, conversation, "custom_fallback is none" if own else route.why
        )
    if before.state == QUEUED:
        return matching.queue(
            before,
            conversation,
            seen.pool,
            f"whoever of {seen.pool.display_name} is free takes it",
        )
    if seen.queue_first:
        return matching.wait(conversation, seen.pool, "no webhook announced it")
    return matching.give_to_pool(
        conversation, seen.pool, seen.settings.own_worker == "wait"
    )


def _is_free(worker: Worker) -> bool:
    """Also where a person has just made the record. Raises database.LostRace when it is being written by others."""
    right = worker if worker.is_complete else worker_care.put_right(worker)
    return rules.can_take(right, pools.deciding(right, ledger.NO_POOLS))


def _again(seen: Seen, arrival: Arrival) -> None:
    """A repeated delivery finishes what a crash left half done, and else changes nothing."""
    stored = seen.conversation
    if stored.address is None and stored.state != CLOSED:
        ledger.move(stored, _described(seen, arrival))
    elif rules.is_abandoned(stored, clock.now()):
        _finish(stored)
    elif stored.state == QUEUED:
        matching.look_again(stored)


def _finish(abandoned: Conversation) -> None:
    """For a worker whose record was deleted meanwhile the sweep decides again."""
    if worker_care.first_confirmed([abandoned.worker or ""]):
        matching.finish(abandoned)


def _note(before: Conversation, after: Conversation, why: str) -> None:
    """Writes it to the log without a worker and without a queue."""
    keep = settings.kept_for()
    matching.move(before, transitions.unrouted(after, clock.now(), why, keep))
    log.info(why, conversation=after.sid)


def _look(sid: str, ours: tuple[str, ...], customer_address: str | None) -> Seen:
    """Everything that the decision needs: one batched read and two queries, side by side."""
    records, number_pools, customer = database.together(
        lambda: database.read(
            conversations.reference(sid),
            settings.reference(),
            pools.reference(DEFAULT_POOL),
        ),
        lambda: pools.of_numbers(ours),
        lambda: customers.find(customer_address) if customer_address else NOBODY,
    )
    conversation, rule, default = records
    general = settings.checked(rule)
    if number_pools:
        number_pool = pools.checked(number_pools[0])
        return Seen(
            conversations.of(conversation), general, number_pool, number_pool, customer
        )
    if general.default_pool != DEFAULT_POOL:
        default = database.read(pools.reference(general.default_pool))[0]
        if (
            not default.exists
            and (called := pools.as_called([general.default_pool])[0]) != default.id
        ):
            general = replace(general, default_pool=called)
            default = database.read(pools.reference(called))[0]
    return Seen(
        conversations.of(conversation), general, None, pools.checked(default), customer
    )


def _described(seen: Seen, arrival: Arrival) -> Conversation:
    """The record with what Twilio tells about the conversation; what was known before stays."""
    now, stored = clock.now(), seen.conversation
    ours = arrival.proxy_address or _our_number(arrival, seen.pool)
    projected = arrival.projected_address or stored.projected_address
    described = replace(
        stored,
        customer_id=seen.customer.customer_id,
        display_name=seen.customer.display_name[:NAME],
        address=arrival.customer_address,
        proxy_address=arrival.proxy_address or stored.proxy_address or ours,
        projected_address=projected or (ours if arrival.is_group else None),
        service_sid=configuration.service_in_use(
            arrival.service_sid or stored.service_sid
        ),
        created_at=stored.created_at or min(arrival.created_at or now, now),
        opted_out_at=stored.opted_out_at
        or _opted_out_since(seen, arrival.customer_address),
        priority=stored.priority
        if rules.is_routed(stored)
        else rules.priority_of(seen.customer, seen.pool),
    )
    closes = (
        seen.pool.hours is not None
        and not described.outside_hours
        and not rules.is_routed(described)
    )
    described = _if_outside_hours(described, seen) if closes else described
    if arrival.written:
        described = hearing.heard(described, arrival.written)
    return transitions.presumed(described)


def _opted_out_since(seen: Seen, address: str) -> datetime | None:
    """By the customer's record. A new record marks its sender's conversations (functions/customer_written.py), so only
    where none is made this costs a read."""
    if seen.customer.known or seen.settings.create_customers:
        return (
            seen.customer.opted_out_since(address) if seen.customer.opted_out else None
        )
    return opt_outs.load(address).since


def _if_outside_hours(arrived: Conversation, seen: Seen) -> Conversation:
    """Noted once, by the hours that held when it arrived: what somebody edits later changes no figures."""
    week, at, zone = seen.pool.hours, arrived.created_at, seen.settings.zone
    if (
        week is None
        or at is None
        or hours.open_at(week, at, zone, public_holidays.of(week.countries))
    ):
        return arrived
    outside = replace(arrived, outside_hours=True)
    return outside.noted(
        clock.now(), "outside the hours", f"{seen.pool.display_name} is closed just now"
    )


def _our_number(arrival: Arrival, pool: Pool) -> str | None:
    """Which of a group message's receivers is the Twilio number: one that a pool or the environment names."""
    named = {*pool.addresses, *configuration.own_numbers()}
    return next(
        (address for address in arrival.our_addresses if address in named), None
    )
