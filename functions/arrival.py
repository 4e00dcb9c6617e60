"""A conversation has arrived: look, decide, and give it to a worker or the queue.

Two webhooks ask for this, in any order and more than once: onConversationAdded and Frontline's routing callback.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions import assignment, claims, decisions, worker_records
from functions.parameters import InboundConversation
from providers import (
    addresses,
    clock,
    configuration,
    conversations,
    customers,
    database,
    log,
    pools,
    problems,
)
from providers import settings as settings_record
from providers.conversations import QUEUED, UNROUTED, Conversation
from providers.customers import Customer
from providers.pools import DEFAULT_POOL, Pool
from providers.settings import Settings

if TYPE_CHECKING:
    from providers.database import Snapshot


@dataclass(frozen=True)
class Seen:
    """What had to be read to decide. `number_pool` is the pool that names the Twilio number, if any does."""

    conversation: Conversation
    settings: Settings
    number_pool: Pool | None
    pool: Pool
    customer: Customer


def route(inbound: InboundConversation) -> None:
    """Routes an inbound conversation once, however often and in whatever order this is asked."""
    database.until_it_holds(lambda: _route(inbound))


def route_known(conversation: Conversation) -> None:
    """Routes one that the log describes already. Raises database.LostRace: load it again then."""
    ours = tuple(a for a in (conversation.proxy_address, conversation.projected_address) if a)
    _carry_out(_look(conversation.sid, ours, conversation.address))


def activated(sid: str) -> None:
    """A conversation that was initializing can take workers now. Raises database.LostRace."""
    conversation = conversations.load(sid)
    if conversation.starting:
        route_known(conversation)
    elif not conversation.exists:
        _note(conversation, "active before it was announced; it is routed when it is")


def _route(inbound: InboundConversation) -> None:
    seen = _look(inbound.sid, inbound.our_addresses, inbound.customer_address)
    stored = seen.conversation
    if decisions.is_routed(stored):
        return _again(seen, inbound)
    seen = replace(seen, conversation=_described(seen, inbound))
    if inbound.state != "initializing" or (stored.exists and not stored.starting):
        return _carry_out(seen)
    if not stored.exists:
        starting = replace(seen.conversation, starting=True)
        _note(starting, "Twilio is still setting it up; it is routed when it turns active")
    return None


def _carry_out(seen: Seen) -> None:
    route = decisions.decide_route(
        seen.settings, seen.number_pool, customers.find_worker_for_customer(seen.customer)
    )
    conversation = replace(seen.conversation, mode=route.mode, pool=route.pool, starting=False)
    if route.mode == "none":
        _note(conversation, route.why)
    elif route.worker:
        assignment.give_to(conversation, worker_records.load_or_new(route.worker), route.why)
    else:
        assignment.give_to_pool(conversation, seen.pool)


def _again(seen: Seen, inbound: InboundConversation) -> None:
    """A repeated delivery finishes what a crash left half done, and else changes nothing."""
    stored = seen.conversation
    if stored.address is None and inbound.customer_address and stored.state != conversations.CLOSED:
        conversations.move(stored, _described(seen, inbound))
    elif decisions.is_abandoned(stored, clock.now()):
        claims.finish(stored)
    elif stored.state == QUEUED and stored.pool:
        assignment.drain(pools.load(stored.pool)[stored.pool])


def _note(conversation: Conversation, why: str) -> None:
    """Writes it to the log without a worker and without a queue."""
    noted = replace(conversation, state=UNROUTED).noted(clock.now(), UNROUTED, why)
    conversations.move(conversation, noted)
    log.info(why, conversation=conversation.sid)


def _look(sid: str, ours: tuple[str, ...], customer_address: str | None) -> Seen:
    """Everything that the decision needs: one batched read and two queries, side by side."""
    records, number_pools, customer = database.together(
        lambda: database.read(
            conversations.reference(sid), settings_record.reference(), pools.reference(DEFAULT_POOL)
        ),
        lambda: pools.of_numbers(ours),
        lambda: customers.find(customer_address) if customer_address else customers.unknown(""),
    )
    conversation, settings_snapshot, default_snapshot = records
    settings = settings_record.parse(settings_snapshot.to_dict())
    problems.keep_true(settings_snapshot, settings.problem)
    if number_pools:
        number_pool = _pool(number_pools[0])
        return Seen(conversations.parse(conversation), settings, number_pool, number_pool, customer)
    if settings.default_pool != DEFAULT_POOL:
        default_snapshot = database.read(pools.reference(settings.default_pool))[0]
    return Seen(conversations.parse(conversation), settings, None, _pool(default_snapshot), customer)


def _pool(snapshot: Snapshot) -> Pool:
    pool = pools.parse(snapshot.id, snapshot.to_dict())
    problems.keep_true(snapshot, pool.problem)
    return pool


def _described(seen: Seen, inbound: InboundConversation) -> Conversation:
    """The record with what this webhook tells about the conversation; what was known before stays."""
    now, stored = clock.now(), seen.conversation
    ours = _our_number(inbound, seen.pool)
    projected = inbound.projected_address or stored.projected_address
    return replace(
        stored,
        customer_id=seen.customer.customer_id,
        display_name=seen.customer.display_name,
        address=inbound.customer_address,
        proxy_address=inbound.proxy_address or stored.proxy_address or ours,
        projected_address=projected or (ours if inbound.is_group else None),
        service_sid=configuration.service_in_use(inbound.service_sid or stored.service_sid),
        created_at=stored.created_at or min(inbound.date_created or now, now),
    )


def _our_number(inbound: InboundConversation, pool: Pool) -> str | None:
    """Which of a group message's receivers is the Twilio number: one that a pool or the environment names."""
    receivers = addresses.people(inbound.address)
    named = {*pool.addresses, *configuration.own_numbers(), inbound.proxy_address}
    return next((address for address in receivers if address in named), inbound.proxy_address)
