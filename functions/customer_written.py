"""The Firestore trigger on customers/{customer_id}: maintains addresses, search terms and `problem`.

Its own writes trigger it again, and it then has nothing to do. Events come at least once and in any order, so
every step works on the record as it is now. If two records with one address are written at the same time, each
event writes its own record first and looks for others afterwards, so one of the two corrects both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from assignment import membership, opting_out
from domain import addresses, customer, customer_record, field_names
from domain.opt_out import Wish
from functions.http.trigger import Change
from providers import customers, database, log, opt_outs, workers

_MOST_ADDRESSES = 100  # of one customer that are looked up in opt_outs


def handle(change: Change) -> None:
    """Correct the record, and those of other customers with one of its addresses, before or after the change."""
    _follow_priority(change)
    if not customer_record.needs_care(change.name, change.before, change.after):
        return
    _correct(change.name)
    addresses_before = customer_record.addresses_of(change.before)
    addresses_after = customer_record.addresses_of(change.after)
    duplicates = customers.twins(
        addresses_before | addresses_after, other_than=change.name
    )
    if duplicates:
        for customer_id in sorted([*duplicates, change.name]):
            _correct(customer_id)


def _follow_priority(change: Change) -> None:
    """Move the customer in the queue after an edit of their priority. No conversation waits under a new record."""
    if change.before is None or change.after is None:
        return
    before = customer.parse(change.name, change.before)
    after = customer.parse(change.name, change.after)
    if before.priority != after.priority:
        (record,) = database.read(customers.reference(change.name))
        membership.priority_edited(customers.of(record))


def _correct(customer_id: str) -> None:
    """Correct one record, after repeated attempts if it is edited meanwhile."""
    try:
        database.until_it_holds(lambda: _write_corrections(customer_id))
    except database.Unwritable:  # another try would fail, too
        log.warning(
            "The record of a customer is too large to be written to; it stays as it is.",
            customer=customer_id,
        )


def _write_corrections(customer_id: str) -> None:
    """Correct the record as it is now, by one compare-and-set; raises database.LostRace."""
    from google.cloud.firestore import DELETE_FIELD

    record = database.read(customers.reference(customer_id))[0]
    stored = record.to_dict()
    if stored is None:
        return
    named = field_names.read(stored, field_names.CUSTOMERS)
    data = _with_worker_as_called(customer_id, named.data)
    maintained = customer_record.kept(customer_id, data)
    duplicates = customers.twins(maintained.listed, other_than=customer_id)
    problem = maintained.problem(duplicates)
    changes = database.renaming(named) | _differences(stored, maintained.fields)
    if data is not named.data:
        changes["worker"] = data["worker"]
    opted_out = _opted_out(customer_id, stored, maintained.listed)
    if opted_out != (stored.get("opted_out") or {}):
        changes["opted_out"] = opted_out
    if stored.get("problem") != problem:
        changes["problem"] = problem or DELETE_FIELD
    if not changes:
        return
    customers.write([(record, changes)])
    for address, since in changes.get("opted_out", {}).items():
        opting_out.mark_open(address, since)
    if problem and "problem" in changes:
        log.warning(
            f"The record of a customer is not right: {problem}", customer=customer_id
        )


def _opted_out(
    customer_id: str, stored: Mapping[str, Any], listed: Iterable[str]
) -> dict[str, datetime]:
    """Return the field `opted_out` by the collection opt_outs.

    An entry that only the customer's record has, by an import or an edit, is added to opt_outs.
    """
    times = customer.parse(customer_id, stored).opted_out
    looked_up = dict.fromkeys((*times, *listed, *map(_on_whatsapp, listed)))
    records = opt_outs.load_all(islice(looked_up, _MOST_ADDRESSES))
    for address, at in times.items():
        if address in records and not records[address].exists:
            wish = Wish(True, at, by="the customer's record")
            records[address] = opt_outs.decide(address, wish)
    return opt_outs.merged(times, records)


def _on_whatsapp(address: str) -> str:
    """Return the WhatsApp address of a bare number, which a record uses for both channels; else the address itself."""
    is_bare_number = addresses.is_number(address) and ":" not in address
    return f"whatsapp:{address}" if is_bare_number else address


def _with_worker_as_called(
    customer_id: str, data: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the data with its worker in the spelling of the worker's record, which lists of customers query."""
    typed = customer.parse(customer_id, data).worker
    if typed is None:
        return data
    worker = workers.called(typed)
    if worker is None or worker.identity == data["worker"]:
        return data
    return {**data, "worker": worker.identity}


def _differences(
    stored: Mapping[str, Any], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields that the stored record lacks, or has with another value."""
    return {
        name: value
        for name, value in fields.items()
        if not _is_same(stored.get(name), value)
    }


def _is_same(before: object, after: object) -> bool:
    """Return whether two values are equal; NaN counts as equal to NaN."""
    return before == after or (before != before and after != after)
