"""The collection customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from domain import addresses as spelling
from domain import customer_search
from domain.customer import Customer, parse, unknown
from providers import database, log

if TYPE_CHECKING:
    from providers.database import Snapshot

Cursor: TypeAlias = tuple[str, str]  # (sort_name, id) of a record: a list goes on behind it
_MOST_WITH_ONE_ADDRESS = 4  # enough to see that an address is claimed twice
_MOST_TWINS = 20
_COUNTED_UP_TO = 1000  # one billed read
_MOST_COMPLETED = 300
_MOST_ALTERNATIVES = 30  # Firestore's limit for array_contains_any
_CUSTOMERS = database.Collection("customers", parse)
reference, of = _CUSTOMERS.reference, _CUSTOMERS.of
_SHOWN = ("display_name", "avatar", "addresses", "sort_name")


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
    return _choose(address, database.find(query.limit(_MOST_WITH_ONE_ADDRESS)))


def _choose(address: str, found: list[Snapshot]) -> Customer:
    exact = [record for record in found if address in of(record).addresses]
    best = sorted(exact or found, key=lambda record: str(record.id))
    if not best:
        return unknown(address)
    if len(best) > 1:
        ids = ", ".join(record.id for record in best)
        log.warning(f"{log.masked(address)} belongs to {len(best)} customers ({ids}); the first is taken.")
    return of(best[0])


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
        return of(database.read(record)[0])
    return sender


def twins(addresses: Iterable[str], other_than: str) -> dict[str, tuple[str, ...]]:
    """Other customers with one of these addresses, by id; 20 at most, for 30 addresses at most."""
    wanted = sorted(set(addresses))[:_MOST_ALTERNATIVES]
    if not wanted:
        return {}
    query = database.filtered("customers", [("addresses", "array_contains_any", wanted)])
    found = database.find(query.select(["addresses"]).limit(_MOST_TWINS + 1))
    return {record.id: of(record).addresses for record in found if record.id != other_than}


def with_address(number: str) -> list[Customer]:
    """Every customer with this number, be it for messages or for WhatsApp; 20 at most."""
    bare = spelling.bare(number)
    known = [*dict.fromkeys((*spelling.spellings(number), bare, f"whatsapp:{bare}"))]
    query = database.filtered("customers", [("addresses", "array_contains_any", known)])
    return [of(record) for record in database.find(query.limit(_MOST_TWINS))]


def listed(worker: str, after: Cursor | None, limit: int) -> list[Snapshot]:
    """A worker's own customers by name, from behind a cursor; reads `limit` records, of each what a list shows."""
    query: Any = database.filtered("customers", [("worker", "==", worker)])
    query = query.order_by("sort_name").order_by("__name__").select(_SHOWN)
    return database.find((query.start_after(list(after)) if after else query).limit(limit))


def how_many(worker: str, are_listed: bool = False) -> int:
    """A worker's own customers, or of those the ones that `listed` finds; counted up to 1000."""
    query: Any = database.filtered("customers", [("worker", "==", worker)])
    return database.count(query.order_by("sort_name") if are_listed else query, _COUNTED_UP_TO)


def of_worker(worker: str) -> list[Snapshot]:
    """A worker's own customers in no order, 300 at most, also those that `listed` does not find."""
    return database.find(database.filtered("customers", [("worker", "==", worker)]).limit(_MOST_COMPLETED))


def searched(
    worker: str, term: str, after: Cursor | None, limit: int, with_terms: bool = False
) -> list[Snapshot]:
    """The same for those with this search term, in the same order; `with_terms`: with the map `search` too."""
    query, begin = _with_term(worker, term)
    if after is not None:
        query = query.start_after([begin + after[0], after[1]])
    return database.find(query.select([*_SHOWN, "search"] if with_terms else _SHOWN).limit(limit))


def rarest(worker: str, terms: Sequence[str], up_to: int) -> str:
    """The term that the fewest of the worker's customers have, counted by Firestore up to a bound."""
    return min(terms, key=lambda term: database.count(_with_term(worker, term)[0], up_to))


def _with_term(worker: str, term: str) -> tuple[Any, str]:
    """The query for a worker's customers with this term, and where its values begin."""
    begin, end = customer_search.range_of(worker)
    query = database.client().collection("customers").order_by(database.client().field_path("search", term))
    return query.order_by("__name__").start_at([begin]).end_before([end]), begin


def write(records: Iterable[tuple[Snapshot, Mapping[str, Any]]]) -> None:
    """Writes these fields where the records are still as they were read; raises database.LostRace, and then none."""
    batch = database.client().batch()
    for record, fields in records:
        database.put(batch, record.reference, dict(fields), record.update_time)
    database.commit(batch)
