"""Frontline's outgoing conversation callback: which of our numbers a worker writes to a customer from.

https://www.twilio.com/docs/frontline/outgoing-conversations
"""

from __future__ import annotations

from domain import addresses
from domain.customer import Customer
from domain.fields import is_record_name
from domain.worker import Worker
from functions.door.answers import Answer, BadInput, NotFound, Refused
from functions.door.forms import Form, ProxyAddressWanted, parse
from functions.frontline import callback
from providers import configuration, customers, database, pools, settings, workers


def handle(form: Form) -> Answer:
    return callback.by_location({"GetProxyAddress": _proxy_address}, form)


def _proxy_address(form: Form) -> Answer:
    wanted = parse(ProxyAddressWanted, form)
    if not (addresses.is_number(wanted.customer_address) or addresses.is_user_id(wanted.customer_address)):
        raise BadInput("ChannelValue is not an international phone number such as +15551234567.")
    (customer, worker, default_pool), namesakes = database.together(
        lambda: _look(wanted), lambda: customers.with_address(wanted.customer_address)
    )
    _refuse_unwanted(wanted, customer, namesakes)
    candidates = (*worker.addresses, *_of_pools(worker, default_pool), *_of_environment(wanted.channel))
    proxy = choose(candidates, wanted.channel, wanted.customer_address)
    if proxy is None:
        raise Refused(
            f"{worker.identity} has no number for {wanted.channel}: no own one, no pool's, no default."
        )
    return Answer({"proxy_address": proxy})


def _refuse_unwanted(wanted: ProxyAddressWanted, customer: Customer, namesakes: list[Customer]) -> None:
    """`namesakes`: every record with this address, for a person who has two of them has said no in any of them."""
    if customer.do_not_contact:
        raise Refused(f"The customer {customer.customer_id} may not be written to (do_not_contact).")
    if addresses.key(wanted.customer_address) not in set(map(addresses.key, customer.addresses)):
        raise Refused(f"ChannelValue is not an address of the customer {customer.customer_id}.")
    if any(other.do_not_contact for other in namesakes):
        raise Refused(
            "ChannelValue may not be written to: another customer's record has it (do_not_contact)."
        )


def choose(candidates: tuple[str, ...], channel: str, customer_address: str) -> str | None:
    """The first number of this channel; nobody writes to themselves (https://www.twilio.com/docs/api/errors/48027)."""
    own = addresses.key(customer_address)
    ours = (number for candidate in candidates if (number := _as_twilio_owns_it(candidate)) is not None)
    return next((a for a in ours if addresses.channel(a) == channel and addresses.key(a) != own), None)


def _as_twilio_owns_it(typed: str) -> str | None:
    """None for a number that is anybody's guess: without a plus, or too long."""
    plain = addresses.compact(typed)
    if addresses.is_plain(plain) or addresses.is_short_code(plain):
        return plain
    from domain import phone_numbers  # a tenth of a second, for a number that is typed oddly

    return phone_numbers.normalised(plain)


def _look(wanted: ProxyAddressWanted) -> tuple[Customer, Worker, str]:
    if not is_record_name(wanted.customer_id):
        raise NotFound("There is no customer with this CustomerId.")
    named, worker, rules = database.read(
        customers.reference(wanted.customer_id), workers.reference(wanted.worker), settings.reference()
    )
    customer = customers.standing_for(named)
    if customer is None:
        raise NotFound("There is no customer with this CustomerId.")
    found, routing = customers.of(customer), settings.of(rules)
    callback.refuse_another_workers(found, wanted.worker, routing, wanted.customer_id)
    return found, workers.of(worker), routing.default_pool


def _of_pools(worker: Worker, default_pool: str) -> tuple[str, ...]:
    """The numbers of the worker's pools in the order of the pools; a worker without a record is in the default one."""
    mine = (default_pool,) if worker.pools is None else worker.pools
    records = pools.load(*dict.fromkeys(mine))
    return tuple(address for pool in records.values() for address in pool.addresses)


def _of_environment(channel: str) -> tuple[str, ...]:
    """The number from the environment, where whatsapp: may be left out."""
    number = configuration.outgoing_number(channel)
    if number is None:
        return ()
    return (f"whatsapp:{addresses.bare(number)}",) if channel == "whatsapp" else (number,)
