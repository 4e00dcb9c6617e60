"""The collection opt_outs: the addresses that have opted out of our messages, even without a customer's record.

The records remain when a customer is erased. A customer's field `opted_out` is a copy (functions/customer_written.py
maintains it, too); the ledger maintains the copy in open conversations (assignment/opting_out.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from domain import addresses as spelling
from domain import opt_out
from domain.customer import parse as customer_of
from domain.opt_out import OptOut, Wish
from providers import customers, database

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

_OPT_OUTS = database.Collection("opt_outs", opt_out.parse)
of = _OPT_OUTS.of


def reference(address: str) -> DocumentReference:
    """Return the reference of the address's record, which has a name without the address in it."""
    return _OPT_OUTS.reference(opt_out.record_name(address, customers.key()))


def load(address: str) -> OptOut:
    """Read the record of one address."""
    return of(database.read(reference(address))[0])


def load_all(addresses: Iterable[str]) -> dict[str, OptOut]:
    """Return the opt-out record of each address, in one round trip."""
    addresses = list(addresses)
    if not addresses:
        return {}
    records = database.read(*map(reference, addresses))
    return dict(zip(addresses, map(of, records), strict=True))


def follow(address: str, wish: Wish) -> OptOut:
    """Record the wish in a message or an error about an address, unless a later wish is recorded; return the result.

    Writes the customers' copies, too. Safe to repeat. Raises database.LostRace when the caller's time is over.
    """
    after = decide(address, wish)
    if after.exists:
        for customer_id in customers.recognised_by(address):
            database.until_it_holds(partial(_copy, customer_id, address, after))
    return after


def decide(address: str, wish: Wish) -> OptOut:
    """Do the same without the customers' copies."""
    return database.until_it_holds(lambda: _decide(address, wish))


def _decide(address: str, wish: Wish) -> OptOut:
    """Record the wish by one compare-and-set. Raises database.LostRace."""
    before = load(address)
    after = opt_out.decided(before, wish)
    if after == before:
        return before
    fields = opt_out.stored(after)
    version = database.write(reference(address), fields, before.version)
    return replace(after, version=version)


def _copy(customer_id: str, address: str, record_of_address: OptOut) -> None:
    """Raises database.LostRace."""
    record = database.read(customers.reference(customer_id))[0]
    if not record.exists:
        return
    before = customer_of(customer_id, record.to_dict()).opted_out
    after = merged(before, {address: record_of_address})
    if after != before:
        database.write(record.reference, {"opted_out": after}, record.update_time)


def merged(
    times: Mapping[str, datetime], known: Mapping[str, OptOut]
) -> dict[str, datetime]:
    """Return a customer's `opted_out` (time by address), updated by the records of some of the addresses."""
    after = dict(times)
    for address, record in known.items():
        if record.exists:
            _update(after, address, record.since)
    return after


def _update(times: dict[str, datetime], address: str, since: datetime | None) -> None:
    """Set or remove (None) the time of an address, in whatever spelling the customer's record has it."""
    channel_form = spelling.on_its_channel(address)
    spellings = [
        typed for typed in times if spelling.on_its_channel(typed) == channel_form
    ]
    if since is not None and since in map(times.get, spellings):
        return
    for typed in spellings:
        del times[typed]
    if since is not None:
        times[address] = since
