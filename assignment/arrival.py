"""A conversation has arrived: look, decide, and assign it to a worker or queue it.

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
    300  # for one worker; the sweep routes the others when their wait is over
)


@dataclass(frozen=True)
class Seen:
    """The records that the decision needs.

    `number_pool`: the pool that names the Twilio number, if there is one; `pool`: the same, else the default pool.
    `queue_first`: the caller looks for workers, once all its conversations are queued.
    """

    conversation: Conversation
    settings: Settings
    number_pool: Pool | None
    pool: Pool
    customer: Customer
    queue_first: bool = False


def route(arrival: Arrival, *, queue_first: bool = False) -> None:
    """Route an inbound conversation once, however often and in whatever order this is called.

    `queue_first`: if it goes to a pool it is queued there, and the caller looks for workers.
    """
    database.until_it_holds(lambda: _route(arrival, queue_first))


def route_known(conversation: Conversation) -> None:
    """Route a conversation that its record describes already. Raises database.LostRace: load it again then."""
    _carry_out(_look_again(conversation))


def route_again(conversation: Conversation, arrival: Arrival) -> None:
    """Route a conversation that was closed here.

    `conversation`: the record, open again, with the version that was read. Raises database.LostRace.
    """
    seen = _look(arrival.sid, arrival.our_addresses, arrival.customer_address)
    seen = replace(seen, conversation=conversation)
    _carry_out(replace(seen, conversation=_described(seen, arrival)))


def route_as(conversation: Conversation) -> None:
    """Route a conversation by fields that are not written yet. Raises database.LostRace."""
    _carry_out(replace(_look_again(conversation), conversation=conversation))


def _look_again(conversation: Conversation) -> Seen:
    ours = (conversation.proxy_address, conversation.projected_address)
    return _look(conversation.sid, tuple(filter(None, ours)), conversation.address)


def waits_no_more(sid: str, why: str) -> bool:
    """Route a conversation that waits for one worker alone without that worker.

    `why`: for the log. Returns False if it doesn't wait so any more. Raises database.LostRace.
    """
    before = conversations.load(sid)
    if before.state != QUEUED or before.for_worker is None:
        return False
    _without_own_worker(replace(_look_again(before), conversation=before), why)
    return True


def follow_wait(waiting: Conversation) -> bool:
    """Follow the settings and the customer's record for a conversation that waits for one worker alone.

    Returns whether anything has changed. Raises database.LostRace.
    """
    seen = replace(_look_again(waiting), conversation=waiting)
    own_worker = customers.find_worker_for_customer(seen.customer)
    route = rules.decide_route(seen.settings, seen.number_pool, own_worker)
    if route.mode == "none":
        return False
    if route.worker is None:
        _without_own_worker(seen, "the customer's record or the settings were edited")
        return True
    worker = _meant(route.worker, seen)
    is_same = worker is not None and worker.identity == waiting.for_worker
    if not is_same or not rules.is_waited_for(seen.settings):
        _carry_out(seen)
        return True
    until = _waits_until(seen)
    if until == waiting.due_at:
        return False
    ledger.move(waiting, replace(waiting, due_at=until))
    return True


def route_if_possible(conversation: Conversation) -> bool:
    """Route a conversation again that was left unrouted because custom_fallback is none.

    `conversation`: with a new message that is not written yet. Returns False, and writes nothing, if it would be left
    unrouted again. Raises database.LostRace.
    """
    seen = replace(_look_again(conversation), conversation=conversation)
    own_worker = customers.find_worker_for_customer(seen.customer)
    route = rules.decide_route(seen.settings, seen.number_pool, own_worker)
    if route.mode == "none" or not _is_taken(route, seen):
        return False
    _carry_out(seen)
    return True


def _is_taken(route: rules.Route, seen: Seen) -> bool:
    """Return whether this route leads to a worker or to the queue now."""
    if route.worker is None or seen.settings.custom_fallback != "none":
        return True
    worker = _meant(route.worker, seen)
    if worker is None:
        return False
    if rules.own_worker_is_added(seen.settings) or _is_free(worker):
        return True
    return rules.is_waited_for(seen.settings) and not _is_wait_over(seen)


def _meant(name: str, seen: Seen) -> Worker | None:
    """Return the worker that a customer's record means now: of one who is away, the deputy."""
    worker, _ = worker_care.meant_by(name, seen.conversation.service_sid)
    if worker is None:
        return None
    return worker_care.deputy_of(worker, seen.settings) or worker


def nobody_to_wait_for(identity: str) -> None:
    """Route the conversations that wait for this worker alone without them, if they have no confirmed record."""
    if workers.load(identity).confirmed:
        return
    why = f"{identity} has no record any more, or is not confirmed"
    for entry in pending.waiting_for(identity, _MOST_WAITING):
        database.until_it_holds(partial(waits_no_more, entry.sid, why))


def activated(sid: str) -> None:
    """Route a conversation that Twilio has finished setting up. Raises database.LostRace."""
    conversation = conversations.load(sid)
    if conversation.starting:
        route_known(conversation)
    elif not conversation.exists:
        why = "active before it was announced; it is routed when it is"
        _note(conversation, conversation, why)


def _route(arrival: Arrival, queue_first: bool) -> None:
    seen = _look(arrival.sid, arrival.our_addresses, arrival.customer_address)
    stored = seen.conversation
    if rules.is_routed(stored):
        return _again(seen, arrival)
    described = _described(seen, arrival)
    if not arrival.is_starting or (stored.exists and not stored.starting):
        seen = replace(seen, conversation=described, queue_first=queue_first)
        return _carry_out(seen)
    if not stored.exists:
        why = "Twilio is still setting it up; it is routed when it turns active"
        _note(stored, replace(described, starting=True), why)
    return None


def _carry_out(seen: Seen) -> None:
    """Decide the route and follow it: to the customer's assigned worker, the pool, or no worker."""
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
    if deputy := worker_care.deputy_of(worker, seen.settings):
        conversation = _for_deputy(conversation, worker, deputy)
        worker = deputy
    if rules.own_worker_is_added(seen.settings) or _is_free(worker):
        return matching.give_to(conversation, worker, route.why)
    if rules.is_waited_for(seen.settings) and not _is_wait_over(seen):
        return _wait_for(seen, conversation, worker)
    return _without_own_worker(seen, f"{worker.name} is {rules.why_not(worker)}")


def _for_deputy(
    conversation: Conversation, worker: Worker, deputy: Worker
) -> Conversation:
    why = f"{worker.name} is away; {deputy.name} is the deputy"
    return conversation.noted(clock.now(), "own worker", why)


def _leave_out(conversation: Conversation) -> None:
    matching.move(conversation, transitions.left_out(conversation, clock.now()))
    log.info(
        "not routed: only an opt-out word was written", conversation=conversation.sid
    )


def _wait_for(seen: Seen, conversation: Conversation, worker: Worker) -> None:
    why = f"waits for {worker.name}, who is {rules.why_not(worker)}"
    if seen.settings.own_worker_wait is not None:
        why += f", for {rules.in_words(seen.settings.own_worker_wait)} at most"
    matching.queue_for(conversation, worker, _waits_until(seen), why)


def _waits_until(seen: Seen) -> datetime | None:
    """Return until when the customer waits for the assigned worker alone, counted since they wait."""
    since = transitions.waiting_since(seen.conversation, clock.now())
    return rules.waits_until(seen.settings, seen.pool, since)


def _is_wait_over(seen: Seen) -> bool:
    until = _waits_until(seen)
    return until is not None and until <= clock.now()


def _without_own_worker(seen: Seen, own: str | None = None) -> None:
    """Route it without an assigned worker: to the pool, or to no worker at all.

    `own`: why the customer's assigned worker does not take it, None if there is none.
    """
    route = rules.decide_route(seen.settings, seen.number_pool, None)
    before, pool = seen.conversation, seen.pool
    conversation = replace(before, mode=route.mode, pool=route.pool, starting=False)
    if own:
        conversation = conversation.noted(clock.now(), "own worker", own)
    if route.mode == "none":
        is_custom = rules.mode_of(seen.settings, seen.number_pool) == "custom"
        conversation = replace(conversation, no_fallback=is_custom)
        why = "custom_fallback is none" if own else route.why
        return _note(before, conversation, why)
    if before.state == QUEUED:
        why = f"any free worker of {pool.display_name} takes it"
        return matching.queue(before, conversation, pool, why)
    if seen.queue_first:
        return matching.wait(conversation, pool, "no webhook announced it")
    some_wait_for_one = seen.settings.own_worker == "wait"
    return matching.give_to_pool(conversation, pool, some_wait_for_one)


def _is_free(worker: Worker) -> bool:
    """Return whether the worker can take a conversation, even if a person has just made the record.

    Raises database.LostRace when the record is being changed.
    """
    right = worker if worker.is_complete else worker_care.put_right(worker)
    return rules.can_take(right, pools.deciding(right, ledger.NO_POOLS))


def _again(seen: Seen, arrival: Arrival) -> None:
    """Finish what a crash left half done; a repeated delivery changes nothing else."""
    stored = seen.conversation
    if stored.address is None and stored.state != CLOSED:
        ledger.move(stored, _described(seen, arrival))
    elif rules.is_abandoned(stored, clock.now()):
        _finish(stored)
    elif stored.state == QUEUED:
        matching.look_again(stored)


def _finish(abandoned: Conversation) -> None:
    """Finish the claim; if the worker's record was deleted meanwhile, the sweep decides again."""
    if worker_care.first_confirmed([abandoned.worker or ""]):
        matching.finish(abandoned)


def _note(before: Conversation, after: Conversation, why: str) -> None:
    """Write the record without a worker and without a queue entry."""
    keep = settings.kept_for()
    matching.move(before, transitions.unrouted(after, clock.now(), why, keep))
    log.info(why, conversation=after.sid)


def _look(sid: str, ours: tuple[str, ...], customer_address: str | None) -> Seen:
    """Read everything that the decision needs: one batched read and two queries, in parallel."""
    records, number_pools, customer = database.together(
        lambda: database.read(
            conversations.reference(sid),
            settings.reference(),
            pools.reference(DEFAULT_POOL),
        ),
        lambda: pools.of_numbers(ours),
        lambda: customers.find(customer_address) if customer_address else NOBODY,
    )
    record, rule, default = records
    conversation, general = conversations.of(record), settings.checked(rule)
    if number_pools:
        pool = pools.checked(number_pools[0])
        return Seen(conversation, general, pool, pool, customer)
    if general.default_pool != DEFAULT_POOL:
        general, default = _named_default(general)
    return Seen(conversation, general, None, pools.checked(default), customer)


def _named_default(general: Settings) -> tuple[Settings, database.Snapshot]:
    """Read the default pool that the settings name, by its ID or, if there is no such record, in another spelling.

    Returns the settings with its ID, and its record.
    """
    (default,) = database.read(pools.reference(general.default_pool))
    if default.exists:
        return general, default
    (called,) = pools.as_called([general.default_pool])
    if called == default.id:
        return general, default
    (record,) = database.read(pools.reference(called))
    return replace(general, default_pool=called), record


def _described(seen: Seen, arrival: Arrival) -> Conversation:
    """Return the record with what Twilio says about the conversation; earlier values are kept."""
    now, stored = clock.now(), seen.conversation
    proxy = arrival.proxy_address or stored.proxy_address
    ours = arrival.proxy_address or _our_number(arrival, seen.pool)
    projected = arrival.projected_address or stored.projected_address
    if not projected and arrival.is_group:
        projected = ours
    service_sid = arrival.service_sid or stored.service_sid
    opted_out_at = stored.opted_out_at or _opted_out_since(
        seen, arrival.customer_address
    )
    described = replace(
        stored,
        customer_id=seen.customer.customer_id,
        display_name=seen.customer.display_name[:NAME],
        address=arrival.customer_address,
        proxy_address=proxy or ours,
        projected_address=projected or None,
        service_sid=configuration.service_in_use(service_sid),
        created_at=stored.created_at or min(arrival.created_at or now, now),
        opted_out_at=opted_out_at,
    )
    if not rules.is_routed(stored):
        priority = rules.priority_of(seen.customer, seen.pool)
        described = _if_outside_hours(replace(described, priority=priority), seen)
    if arrival.written:
        described = hearing.heard(described, arrival.written)
    return transitions.presumed(described)


def _opted_out_since(seen: Seen, address: str) -> datetime | None:
    """Return when the address opted out, None if it has not.

    A customer's record has a copy. A new record marks the conversations of its address (functions/customer_written.py),
    so this costs a read only if no record is made.
    """
    customer = seen.customer
    if not customer.known and not seen.settings.create_customers:
        return opt_outs.load(address).since
    return customer.opted_out_since(address) if customer.opted_out else None


def _if_outside_hours(arrived: Conversation, seen: Seen) -> Conversation:
    """Note that once that it arrived outside its pool's hours, so that later edits of these change no figures."""
    week, at = seen.pool.hours, arrived.created_at
    if week is None or at is None or arrived.outside_hours:
        return arrived
    is_holiday = public_holidays.of(week.countries)
    if hours.open_at(week, at, seen.settings.zone, is_holiday):
        return arrived
    outside = replace(arrived, outside_hours=True)
    why = f"{seen.pool.display_name} was closed when it arrived"
    return outside.noted(clock.now(), "outside the hours", why)


def _our_number(arrival: Arrival, pool: Pool) -> str | None:
    """Return the Twilio number among a group message's receivers: one that a pool or the environment names."""
    named = {*pool.addresses, *configuration.own_numbers()}
    return next(filter(named.__contains__, arrival.our_addresses), None)
