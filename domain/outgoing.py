"""Which of our numbers a worker's new conversation is sent from, and which customers may not be written to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain import addresses, opt_out
from domain.customer import Customer


def on_channel(channel: str, value: str) -> str:
    """Return a number as Twilio writes it on this channel. `value` may have WhatsApp's prefix or not."""
    number = addresses.compact(addresses.bare(value))
    return f"whatsapp:{number}" if channel == "whatsapp" else number


def why_not(
    customer: Customer,
    address: str,
    namesakes: Iterable[Customer],
    opted_out_at: datetime | None = None,
) -> str | None:
    """Return why this customer may not be written to at this address, in one sentence; None if they may.

    `namesakes`: every record with this address, because an objection in one record of a person holds for all of them.
    `opted_out_at`: what opt_outs says about the address.
    """
    if customer.do_not_contact:
        return f"The customer {customer.customer_id} may not be written to (do_not_contact)."
    if addresses.key(address) not in set(map(addresses.key, customer.addresses)):
        return f"This is not an address of the customer {customer.customer_id}."
    times = [opted_out_at, customer.opted_out_since(address)]
    for other in namesakes:
        if other.do_not_contact:
            return "This address may not be written to: another customer's record has it (do_not_contact)."
        times.append(other.opted_out_since(address))
    since = min(filter(None, times), default=None)
    return opt_out.sentence(since) if since else None


def choose(
    candidates: Iterable[str], channel: str, customer_address: str
) -> str | None:
    """Return the first of our numbers on this channel; None if there is none.

    A number cannot write to itself: https://www.twilio.com/docs/api/errors/48027
    """
    customers_key = addresses.key(customer_address)
    for number in filter(None, map(_as_twilio_owns_it, candidates)):
        is_customers = addresses.key(number) == customers_key
        if addresses.channel(number) == channel and not is_customers:
            return number
    return None


def _as_twilio_owns_it(typed: str) -> str | None:
    """Return the number in Twilio's format; None if it is ambiguous, because it has no plus or is too long."""
    plain = addresses.compact(typed)
    if addresses.is_plain(plain) or addresses.is_short_code(plain):
        return plain
    # Loading it takes a tenth of a second, and only unusual spellings need it.
    from domain import phone_numbers

    return phone_numbers.normalised(plain)
