"""Customers: who writes from which address, and who their own worker is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from providers import addresses as spelling
from providers import database, log, workers
from providers.fields import Fields

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from providers.database import Snapshot

_MOST_WITH_ONE_ADDRESS = 4  # enough to see that an address is claimed twice


@dataclass(frozen=True)
class Customer:
    customer_id: str
    display_name: str
    addresses: tuple[str, ...] = ()
    worker: str | None = None
    avatar: str | None = None
    links: tuple[Mapping[str, Any], ...] = ()
    details: Mapping[str, Any] | None = None
    do_not_contact: bool = False
    known: bool = True
    problem: str | None = None


def reference(customer_id: str) -> DocumentReference:
    return database.document("customers", customer_id)


def parse(customer_id: str, data: Mapping[str, Any] | None) -> Customer:
    fields = Fields(data)
    listed = fields.texts("addresses")
    return Customer(
        customer_id=customer_id,
        display_name=fields.text("display_name") or (listed[0] if listed else customer_id),
        addresses=listed,
        worker=workers.identity_in(fields, "worker"),
        avatar=fields.text("avatar"),
        links=fields.objects("links"),
        details=fields.mapping("details"),
        do_not_contact=fields.flag("do_not_contact", default=False),
        problem=fields.problem,
    )


def find_worker_for_customer(customer: Customer) -> str | None:
    """The identity of the customer's own worker, or None; custom routing asks here and nowhere else."""
    return customer.worker


def find(address: str) -> Customer:
    """The customer with this address; for an unknown one a Customer that is not `known`.

    The exact address wins over the bare number. Where two records have it, the first by id is taken, the same
    on every delivery, and the log says so; both records carry the problem (functions/customer_written.py).
    """
    known = spelling.spellings(address)
    query = database.filtered("customers", [("addresses", "array_contains_any", list(known))])
    return choose(address, database.find(query.limit(_MOST_WITH_ONE_ADDRESS)))


def choose(address: str, found: list[Snapshot]) -> Customer:
    exact = [record for record in found if address in record.get("addresses")]
    best = sorted(exact or found, key=lambda record: str(record.id))
    if not best:
        return unknown(address)
    if len(best) > 1:
        ids = ", ".join(record.id for record in best)
        log.warning(f"{log.masked(address)} belongs to {len(best)} customers ({ids}); the first is taken.")
    return parse(best[0].id, best[0].to_dict())


def unknown(address: str) -> Customer:
    """Somebody without a record: called by the address, with the id that a record would get."""
    return Customer(spelling.stable_id(address), display_name=address, addresses=(address,), known=False)


def create(sender: Customer) -> Customer:
    """A record for an unknown sender; asked twice, also at once, there is one record with both addresses."""
    from google.cloud.firestore import SERVER_TIMESTAMP, ArrayUnion

    record, address = reference(sender.customer_id), sender.addresses[0]
    batch = database.client().batch()
    batch.create(
        record,
        {"display_name": address, "addresses": [address], "created_at": SERVER_TIMESTAMP, "worker": None},
    )
    try:
        database.commit(batch)
    except database.AlreadyThere:
        batch = database.client().batch()
        batch.update(record, {"addresses": ArrayUnion([address])})
        database.commit(batch)
        return parse(sender.customer_id, database.read(record)[0].to_dict())
    return sender
