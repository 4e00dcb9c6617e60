"""The Firestore trigger on customers/{customer_id}: keeps addresses, search terms and the problem right.

Its own writes wake it again, and it then finds nothing to do. Events come at least once and in any order, so
every step works on the record as it is now. Two records with one address that are written at the same time:
each side writes first and looks afterwards, so one of the two sees the other, and sees to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from assignment import opting_out
from domain import addresses, customer, customer_record, field_names
from domain.opt_out import Wish
from functions.http.trigger import Change
from providers import customers, database, log, opt_outs, workers

_MOST_ADDRESSES = 100  # of one customer that are looked up in opt_outs


def handle(change: Change) -> None:
    if not customer_record.needs_care(change.name, change.before, change.after):
        return
    _put_right(change.name)
    touched = customer_record.addresses_of(
        change.before
    ) | customer_record.addresses_of(change.after)
    twins = customers.twins(touched, other_than=change.name)
    for customer_id in sorted([*twins, change.name] if twins else []):
        _put_right(customer_id)


def _put_right(customer_id: str) -> None:
    try:
        database.until_it_holds(lambda: _written_if_wrong(customer_id))
    except database.Unwritable:  # again would be no better
        log.warning(
            "The record of a customer is too large to be written to; it stays as it is.",
            customer=customer_id,
        )


def _written_if_wrong(customer_id: str) -> None:
    """One compare-and-set on the record as it is now; raises database.LostRace when somebody else was faster."""
    from google.cloud.firestore import DELETE_FIELD

    record = database.read(customers.reference(customer_id))[0]
    stored = record.to_dict()
    if stored is None:
        return
    named = field_names.read(stored, field_names.CUSTOMERS)
    data = _with_worker_as_called(customer_id, named.data)
    kept = customer_record.kept(customer_id, data)
    problem = kept.problem(customers.twins(kept.listed, other_than=customer_id))
    changes = {
        name: value
        for name, value in kept.fields.items()
        if not _same(stored.get(name), value)
    }
    if data is not named.data:
        changes["worker"] = data["worker"]
    if (opted_out := _opted_out(customer_id, stored, kept.listed)) is not None:
        changes["opted_out"] = opted_out
    changes = database.renaming(named) | changes
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
) -> dict[str, datetime] | None:
    """The field as opt_outs has it, None if it is right. An entry that only the record has, by an import or an edit, is
    entered there."""
    times = customer.parse(customer_id, stored).opted_out
    looked_up = dict.fromkeys((*times, *listed, *map(_on_whatsapp, listed)))
    known = opt_outs.load_all(islice(looked_up, _MOST_ADDRESSES))
    for address, at in times.items():
        if address in known and not known[address].exists:
            known[address] = opt_outs.decide(
                address, Wish(True, at, by="the customer's record")
            )
    right = opt_outs.merged(times, known)
    return None if right == (stored.get("opted_out") or {}) else right


def _on_whatsapp(address: str) -> str:
    """A bare number in a record stands for WhatsApp's, too."""
    return (
        f"whatsapp:{address}"
        if addresses.is_number(address) and ":" not in address
        else address
    )


def _with_worker_as_called(
    customer_id: str, data: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The record with its worker in the spelling of that worker's own record: lists of customers ask by it."""
    typed = customer.parse(customer_id, data).worker
    if typed is None:
        return data
    called = workers.called(typed)
    return (
        data
        if called is None or called.identity == data["worker"]
        else {**data, "worker": called.identity}
    )


def _same(before: object, after: object) -> bool:
    """Equal, or both no number at all, which equals nothing, not even itself."""
    return before == after or (before != before and after != after)
