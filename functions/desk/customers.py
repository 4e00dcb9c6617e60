"""People, customers: search, merging two records, and lifting an opt-out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain import customer_record
from domain.opt_out import Wish
from functions.desk import authority, records
from functions.desk.requests import Lift, Merge, SearchCustomers
from functions.http import requests
from functions.http.answers import Answer, BadInput, Conflict, NotFound
from functions.http.router import Route
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import (
    audit,
    clock,
    customer_lists,
    customers,
    database,
    log,
    opt_outs,
    workers,
)
from providers.audit import Entry

if TYPE_CHECKING:
    from providers.database import Snapshot

_AT_ONCE = 50
# Joined when two records are merged; of all other fields the kept record's value counts, if it has one.
_LISTS = ("addresses", "links", "notes")


def search(visit: Visit, person: Person) -> Answer:
    """POST customers/search {query, after}: 50 customers by the beginning of a name or any form of a number.

    A search is a POST, so that names and numbers are in no request log.
    """
    supervisor = authority.supervisor(person)
    wanted = requests.read(visit, SearchCustomers)
    after = (wanted.after[0], wanted.after[1]) if wanted.after else None
    page = customer_lists.of_all(wanted.query, after, _AT_ONCE)
    log.info("searched customers", function="desk", worker=supervisor.identity)
    names = _names(page.records)
    rows = [_row(record, names) for record in page.records]
    return Answer({"customers": rows, "next": page.following})


def _names(listed: list[Snapshot]) -> Mapping[str, str]:
    """Return the display names of the assigned workers by identity."""
    identities = {customers.of(record).worker for record in listed}
    known = workers.load_all(sorted(filter(None, identities)))
    return {worker.identity: worker.name for worker in known}


def _row(record: Snapshot, names: Mapping[str, str]) -> dict[str, Any]:
    customer = customers.of(record)
    return {
        "id": record.id,
        "name": customer.display_name,
        "addresses": list(customer.addresses),
        "worker": names.get(customer.worker or "", customer.worker),
        "priority": customer.priority,
        "opted_out": sorted(customer.opted_out),
        "do_not_contact": customer.do_not_contact,
        "problem": customer.problem,
    }


def merge(visit: Visit, person: Person, customer_id: str) -> Answer:
    """POST customers/ID/merge {into, version, into_version}: join two records of one customer; `into` is kept.

    The kept record is written first and the other one deleted after it, so that a crash between the two loses nothing;
    merging both again finishes it. Raise Conflict if one of them has changed.
    """
    supervisor = authority.supervisor(person)
    wanted = requests.read(visit, Merge)
    if wanted.into == customer_id:
        raise BadInput("A customer cannot be merged with itself.", field="into")
    source, kept = _existing(customer_id), _existing(wanted.into)
    _refuse_changed(source, wanted.version)
    _refuse_changed(kept, wanted.into_version)
    before = kept.to_dict() or {}
    joined = _joined(source.to_dict() or {}, before)
    changes = {
        name: value for name, value in joined.items() if before.get(name) != value
    }
    try:
        if changes:
            audit.write(
                kept, changes, (), _entry(supervisor.identity, "merged", kept, changes)
            )
        audit.remove(source, _entry(supervisor.identity, "merged away", source, {}))
    except database.LostRace:
        raise Conflict(
            "One of the two has changed in the meantime. Open it again."
        ) from None
    return Answer(
        {"id": kept.id, "said": f"{_name(source)} is merged into {_name(kept)}."}
    )


def _joined(source: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the kept record: its own values, the source's where it has none, and both lists."""
    joined = {
        name: value
        for name, value in source.items()
        if name not in customer_record.KEPT and name not in ("created_at", "problem")
    }
    joined |= {
        name: value for name, value in kept.items() if value not in (None, "", [])
    }
    for name in _LISTS:
        entries = [*_entries(kept.get(name)), *_entries(source.get(name))]
        unique = [
            entry for at, entry in enumerate(entries) if entry not in entries[:at]
        ]
        if unique:
            joined[name] = unique
    opted_out = {**_mapping(source.get("opted_out")), **_mapping(kept.get("opted_out"))}
    return joined | ({"opted_out": opted_out} if opted_out else {})


def lift(visit: Visit, person: Person, customer_id: str) -> Answer:
    """POST customers/ID/lift {address}: messages may be sent to this address again, because the customer said so."""
    supervisor = authority.supervisor(person)
    address = requests.read(visit, Lift).address
    record = _existing(customer_id)
    customer = customers.of(record)
    if customer.opted_out_since(address) is None:
        raise BadInput("This address is not opted out.", field="opted_out")
    wish = Wish(False, clock.now(), by=f"the supervisor {supervisor.identity}")
    opt_outs.follow(address, wish)
    audit.note(
        _entry(supervisor.identity, "lifted an opt-out", record, {"opted_out": None})
    )
    return Answer({"said": "Messages may be sent to this address again."})


def _entries(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _name(record: Snapshot) -> str:
    return customers.of(record).display_name


def _entry(by: str, did: str, record: Snapshot, fields: Mapping[str, Any]) -> Entry:
    return Entry(by, did, f"customers/{record.id}", tuple(sorted(fields)))


def _refuse_changed(record: Snapshot, version: str) -> None:
    if records.version_of(record) != version:
        raise Conflict(
            f"{_name(record)} has changed in the meantime.", records.shown(record)
        )


def _existing(customer_id: str) -> Snapshot:
    snapshot = database.read(customers.reference(customer_id))[0]
    if not snapshot.exists:
        raise NotFound("This customer has no record.")
    return snapshot


_CUSTOMER = "customers/<customer_id>"
ROUTES = (
    Route("POST", "customers/search", search),
    Route("POST", f"{_CUSTOMER}/merge", merge),
    Route("POST", f"{_CUSTOMER}/lift", lift),
)
