"""What is asked before a worker begins a conversation: may they write to this customer, and from which number."""

from __future__ import annotations

from dataclasses import dataclass

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
    """The customer may not be written to; the text is one sentence."""


@dataclass(frozen=True)
class Way:
    """Who is written to, where, and from which number of ours."""

    customer: Customer
    address: str
    proxy_address: str


def way(worker: str, customer_id: str, channel: str, address: str) -> Way:
    """`channel`: sms or whatsapp; `address`: as Twilio writes it. Raises Unknown and Forbidden."""
    (customer, them, default_pool), namesakes, known = database.together(
        lambda: _look(worker, customer_id),
        lambda: customers.with_address(address),
        lambda: opt_outs.load(address),
    )
    if (why := outgoing.why_not(customer, address, namesakes, known.since)) is not None:
        raise Forbidden(why)
    candidates = (
        *them.addresses,
        *_of_pools(them, default_pool),
        *_of_environment(channel),
    )
    proxy = outgoing.choose(candidates, channel, address)
    if proxy is None:
        raise Forbidden(
            f"{them.identity} has no number for {channel}: no own one, no pool's, no default."
        )
    return Way(customer, address, proxy)


def _look(identity: str, customer_id: str) -> tuple[Customer, Worker, str]:
    if not is_record_name(customer_id):
        raise Unknown
    named, worker, rules = database.read(
        customers.reference(customer_id),
        workers.reference(identity),
        settings.reference(),
    )
    record = customers.standing_for(named)
    if record is None:
        raise Unknown
    customer, routing = customers.of(record), settings.of(rules)
    if not customers.may_see(customer, identity, routing, customer_id):
        raise Forbidden(customers.ANOTHER_WORKERS)
    return customer, workers.of(worker), routing.default_pool


def _of_pools(worker: Worker, default_pool: str) -> tuple[str, ...]:
    """The numbers of the worker's pools in the order of the pools; a worker without a record is in the default one."""
    mine = (default_pool,) if worker.pools is None else worker.pools
    records = pools.by_id(dict.fromkeys(mine))
    return tuple(address for pool in records.values() for address in pool.addresses)


def _of_environment(channel: str) -> tuple[str, ...]:
    """The number from the environment, where whatsapp: may be left out."""
    number = configuration.outgoing_number(channel)
    if number is None:
        return ()
    return (
        (f"whatsapp:{addresses.bare(number)}",) if channel == "whatsapp" else (number,)
    )
