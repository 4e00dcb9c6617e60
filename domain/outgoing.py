"""Which of our numbers a conversation that a worker begins is written from, and who may not be written to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain import addresses, opt_out
from domain.customer import Customer


def on_channel(channel: str, value: str) -> str:
    """As Twilio writes it; a WhatsApp number comes with or without its prefix."""
    number = addresses.compact(addresses.bare(value))
    return f"whatsapp:{number}" if channel == "whatsapp" else number


def why_not(
    customer: Customer,
    address: str,
    namesakes: Iterable[Customer],
    opted_out_at: datetime | None = None,
) -> str | None:
    """Why this customer may not be written to at this address, in one sentence; None: they may.

    `namesakes`: every record with this address, for a person who has two of them has said no in any of them.
    `opted_out_at`: what opt_outs says about the address.
    """
    if customer.do_not_contact:
        return f"The customer {customer.customer_id} may not be written to (do_not_contact)."
    if addresses.key(address) not in set(map(addresses.key, customer.addresses)):
        return f"This is not an address of the customer {customer.customer_id}."
    namesakes = tuple(namesakes)
    if any(other.do_not_contact for other in namesakes):
        return "This address may not be written to: another customer's record has it (do_not_contact)."
    by_records = (other.opted_out_since(address) for other in (customer, *namesakes))
    since = min(filter(None, (opted_out_at, *by_records)), default=None)
    return opt_out.sentence(since) if since else None


def choose(
    candidates: Iterable[str], channel: str, customer_address: str
) -> str | None:
    """The first number of this channel; nobody writes to themselves (https://www.twilio.com/docs/api/errors/48027)."""
    own = addresses.key(customer_address)
    ours = (
        number
        for candidate in candidates
        if (number := _as_twilio_owns_it(candidate)) is not None
    )
    return next(
        (
            a
            for a in ours
            if addresses.channel(a) == channel and addresses.key(a) != own
        ),
        None,
    )


def _as_twilio_owns_it(typed: str) -> str | None:
    """None for a number that is anybody's guess: without a plus, or too long."""
    plain = addresses.compact(typed)
    if addresses.is_plain(plain) or addresses.is_short_code(plain):
        return plain
    from domain import (
        phone_numbers,
    )  # a tenth of a second, for a number that is typed oddly

    return phone_numbers.normalised(plain)
