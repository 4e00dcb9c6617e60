"""The checks before a worker begins a conversation: permission to write to the customer, and our number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from domain import addresses, outgoing
from domain.customer import Customer
from domain.fields import is_record_name
from domain.worker import Worker
from providers import (
    configuration,
    customers,
    database,
    opt_outs,
    pools,
    settings,
    workers,
)


class Unknown(Exception):
    """There is no such customer."""


class Forbidden(Exception):
    """The worker may not write to the customer; the text is one sentence."""


@dataclass(frozen=True)
class Way:
    """The customer, the address to write to, and our number to write from."""

    customer: Customer
    address: str
    proxy_address: str


def way(worker: str, customer_id: str, channel: str, address: str) -> Way:
    """Return the way for a new conversation. Raises Unknown and Forbidden.

    `channel`: sms or whatsapp; `address`: as Twilio writes it.
    """
    (customer, sender, default_pool), owners, opt_out = database.together(
        lambda: _look(worker, customer_id),
        lambda: customers.with_address(address),
        lambda: opt_outs.load(address),
    )
    if why := outgoing.why_not(customer, address, owners, opt_out.since):
        raise Forbidden(why)
    candidates = (
        *sender.addresses,
        *_of_pools(sender, default_pool),
        *_of_environment(channel),
    )
    proxy = outgoing.choose(candidates, channel, address)
    if proxy is None:
        raise Forbidden(
            f"{sender.identity} has no number for {channel}: none of their own, none of a pool, no default."
        )
    return Way(customer, address, proxy)


def _look(identity: str, customer_id: str) -> tuple[Customer, Worker, str]:
    """Return the customer, the worker and the default pool, in one read. Raises Unknown and Forbidden."""
    if not is_record_name(customer_id):
        raise Unknown
    requested, worker, routing_record = database.read(
        customers.reference(customer_id),
        workers.reference(identity),
        settings.reference(),
    )
    record = customers.standing_for(requested)
    if record is None:
        raise Unknown
    customer, routing = customers.of(record), settings.of(routing_record)
    if not customers.may_see(customer, identity, routing, customer_id):
        raise Forbidden(customers.ANOTHER_WORKERS)
    return customer, workers.of(worker), routing.default_pool


def _of_pools(worker: Worker, default_pool: str) -> tuple[str, ...]:
    """Return the numbers of the worker's pools, in the order of the pools; without a record, the default pool's."""
    pool_ids = (default_pool,) if worker.pools is None else worker.pools
    records = pools.by_id(dict.fromkeys(pool_ids))
    return tuple(chain.from_iterable(pool.addresses for pool in records.values()))


def _of_environment(channel: str) -> tuple[str, ...]:
    """Return the number in the environment, which may lack its prefix whatsapp:."""
    number = configuration.outgoing_number(channel)
    if number is None:
        return ()
    if channel == "whatsapp":
        number = f"whatsapp:{addresses.bare(number)}"
    return (number,)
