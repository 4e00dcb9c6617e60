"""The collection opt_outs: which addresses take no messages of ours, also those without a customer's record.

The records stay when a customer is erased. A customer's own field `opted_out` is a copy (functions/customer_written.py
keeps it, too); the copy in open conversations is the ledger's (assignment/opting_out.py).
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
    return _OPT_OUTS.reference(opt_out.record_name(address, customers.key()))


def load(address: str) -> OptOut:
    return of(database.read(reference(address))[0])


def load_all(addresses: Iterable[str]) -> dict[str, OptOut]:
    """Return what is known of each address, in one round trip."""
    wanted = {address: reference(address) for address in addresses}
    if not wanted:
        return {}
    found = dict(zip(wanted.values(), database.read(*wanted.values()), strict=True))
    return {address: of(found[name]) for address, name in wanted.items()}


def follow(address: str, wish: Wish) -> OptOut:
    """Write what a message or an error says about an address, unless something later is known; return what holds now.

    The customers' copies are written, too. Safe to repeat. Raises database.LostRace when the caller's time is over.
    """
    after = decide(address, wish)
    for record in customers.recognised_by(address) if after.exists else ():
        database.until_it_holds(partial(_copy, record, address, after))
    return after


def decide(address: str, wish: Wish) -> OptOut:
    """Do the same without the customers' copies."""
    return database.until_it_holds(lambda: _decide(address, wish))


def _decide(address: str, wish: Wish) -> OptOut:
    before = load(address)
    after = opt_out.decided(before, wish)
    if after == before:
        return before
    return replace(
        after,
        version=database.write(
            reference(address), opt_out.stored(after), before.version
        ),
    )


def _copy(customer_id: str, address: str, known: OptOut) -> None:
    """Raises database.LostRace."""
    record = database.read(customers.reference(customer_id))[0]
    if not record.exists:
        return
    before = customer_of(customer_id, record.to_dict()).opted_out
    after = merged(before, {address: known})
    if after != before:
        database.write(record.reference, {"opted_out": after}, record.update_time)


def merged(
    times: Mapping[str, datetime], known: Mapping[str, OptOut]
) -> dict[str, datetime]:
    """Return a customer's `opted_out` with what is known of some of their addresses."""
    after = dict(times)
    for address, one in known.items():
        if not one.exists:
            continue
        same = spelling.on_its_channel(address)
        spelled = [typed for typed in after if spelling.on_its_channel(typed) == same]
        if one.since is not None and any(
            after[typed] == one.since for typed in spelled
        ):
            continue
        after = {typed: at for typed, at in after.items() if typed not in spelled}
        if one.since is not None:
            after[address] = one.since
    return after
