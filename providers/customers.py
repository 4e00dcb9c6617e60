"""The collection customers."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from domain import addresses as spelling
from domain import customer_search, notes
from domain.customer import Customer, parse
from domain.fields import LONGEST_ENTRY, Fields
from domain.notes import Note
from domain.settings import Settings
from providers import clock, conversations, database, log

if TYPE_CHECKING:
    from google.cloud.firestore import Client

    from providers.database import Snapshot

Cursor: TypeAlias = tuple[str, str]  # sort_name, id: a list continues after this record
_MOST_WITH_ONE_ADDRESS = 4  # enough to detect that two records have an address
_MOST_TWINS = 20
_COUNTED_UP_TO = 1000  # one billed read
_MOST_COMPLETED = 300
_CUSTOMERS = database.Collection("customers", parse)
reference, of = _CUSTOMERS.reference, _CUSTOMERS.of
THE_KEY = "service/identifiers"
ANOTHER_WORKERS = "The customer belongs to another worker (settings/routing, crm_open: true opens all)."
_SHOWN = ("display_name", "avatar", "addresses", "sort_name")


def find_worker_for_customer(customer: Customer) -> str | None:
    """Return the identity of the assigned worker, or None; custom routing asks here and nowhere else."""
    return customer.worker


def find(address: str) -> Customer:
    """Return the customer with this address; for an unknown address a Customer that is not `known`.

    The exact address wins over the bare number, and both over WhatsApp's other spelling. If two records have it,
    the first by id is taken, the same on every delivery, and the log reports it; both records carry the problem
    (functions/customer_written.py). An unknown sender gets an unused id: the same query reads the records that were
    created for this number earlier.
    """
    records = _look_up(address)
    record = _choose(address, records)
    return of(record) if record is not None else _stranger(address, records)


def _look_up(address: str) -> list[Snapshot]:
    """Return the records that name this address, and those that were created for it."""
    made_for_it = list(map(reference, spelling.record_names(address, key())))
    named = ("addresses", "array_contains_any", list(spelling.spellings(address)))
    query = database.filtered(
        _CUSTOMERS.name, (), any_of=[named, ("__name__", "in", made_for_it)]
    )
    return database.find(query.limit(_MOST_WITH_ONE_ADDRESS + len(made_for_it)))


def _choose(address: str, records: Iterable[Snapshot]) -> Snapshot | None:
    """Return the record with the best spelling of the address.

    A record that a person wrote goes before one that the service created. A record that was only created for the
    address, and does not list it, is none of its owners.
    """
    spellings = spelling.spellings(address)
    ranks = {record: _rank(spellings, record) for record in records}
    owners = [record for record in ranks if ranks[record] < len(spellings)]
    typed = [record for record in owners if not _is_made_here(record.id, address)]
    owners = typed or owners
    owners.sort(key=lambda record: (ranks[record], str(record.id)))
    best = [record for record in owners if ranks[record] == ranks[owners[0]]]
    if len(best) > 1:
        ids = ", ".join(record.id for record in best)
        log.warning(
            f"{log.masked(address)} belongs to {len(best)} customers ({ids}); the first is taken."
        )
    return next(iter(best), None)


def _is_made_here(customer_id: str, address: str) -> bool:
    """Return whether the service created this record for an unknown sender, as its name shows."""
    names = spelling.record_names(address, key())
    return customer_id in names or customer_id.startswith(f"{names[0]}-")


def _rank(spellings: Sequence[str], record: Snapshot) -> int:
    """Return the position of the first spelling that the record has; len(spellings) if it has none."""
    listed = of(record).addresses
    for rank, form in enumerate(spellings):
        if form in listed:
            return rank
    return len(spellings)


def _stranger(address: str, records: Iterable[Snapshot]) -> Customer:
    """Return a Customer for an address without a record of its own.

    It is the record that was created for the same number on another channel, else a new one under the first free name.
    """
    taken = {record.id: of(record) for record in records}
    *names, former = spelling.record_names(address, key())
    for name in (*names, former):
        if name in taken and _has_number(taken[name], address):
            return replace(taken[name], known=False)
    free = (name for name in names if name not in taken)
    name = next(free, f"{names[0]}-{secrets.token_hex(8)}")
    return Customer(
        name, display_name=spelling.called(address), addresses=(address,), known=False
    )


def _has_number(customer: Customer, address: str) -> bool:
    """Return whether the customer has this number, on any channel."""
    return spelling.key(address) in map(spelling.key, customer.addresses)


def key() -> bytes:
    """Return the key that ids are made with, one for the database.

    Without it, an id (as it appears at Twilio and in the log) could be matched by trying numbers. The key stays with
    the data, in service/identifiers; a process reads it once.
    """
    return database.until_it_holds(lambda: _key_in(database.client()))


@lru_cache(maxsize=8)
def _key_in(db: Client) -> bytes:
    """Read the key, or create it on first need. Raises database.LostRace if two create it at once: the first counts."""
    (record,) = database.read(db.document(THE_KEY))
    if stored := key_of(record.to_dict()):
        return stored
    fields = new_key()
    version = record.update_time if record.exists else None
    database.write(record.reference, fields, version)
    return fields["key"].encode()


def key_of(data: Mapping[str, Any] | None) -> bytes | None:
    """Return the key in the record, None if it holds no valid one."""
    return (Fields(data).text("key") or "").encode() or None


def new_key() -> dict[str, str]:
    """Return a random key of 32 bytes, in hexadecimal digits."""
    return {"key": secrets.token_hex(32)}


def create(sender: Customer, address: str) -> Customer:
    """Create a record for an unknown sender. Two calls, even at the same time, make one record with both addresses.

    Raises database.LostRace only when the caller's time is over.
    """
    while True:
        try:
            return _with_address(sender, address)
        except database.LostRace:
            if clock.is_time_over():
                raise
            sender = find(address)


def _with_address(sender: Customer, address: str) -> Customer:
    """Create the record, or add the address to the one that was created for the same number on another channel.

    Raises database.LostRace, without any write, if the record has changed since it was looked up.
    """
    from google.cloud.firestore import SERVER_TIMESTAMP, ArrayUnion

    record = reference(sender.customer_id)
    if address in sender.addresses and not sender.known:
        fields = {
            "display_name": address,
            "addresses": [address],
            "created_at": SERVER_TIMESTAMP,
            "worker": None,
        }
        database.write(record, fields, None)
        return sender
    if address in sender.addresses:
        return sender
    if sender.customer_id not in spelling.record_names(address, key()):
        return sender
    current = database.read(record)[0]
    if not _has_number(of(current), address):
        raise database.LostRace(sender.customer_id)
    database.write(record, {"addresses": ArrayUnion([address])}, current.update_time)
    return of(current)


def standing_for(record: Snapshot) -> Snapshot | None:
    """Return the record. If it was deleted (two records were merged), return the one that now has the address of the
    latest conversation under its id; None if no record has it."""
    if record.exists:
        return record
    address = conversations.latest_address(record.id)
    return _choose(address, _look_up(address)) if address else None


def may_see(customer: Customer, worker: str, settings: Settings, asked_as: str) -> bool:
    """Return whether the worker may see this customer.

    Customers without an assigned worker are visible to all; a worker may also see the customers of their open
    conversations. `asked_as`: the requested id, under which the conversation began; the record may have another now.
    """
    if settings.crm_open or customer.worker in (None, worker):
        return True
    return conversations.is_between(worker, asked_as)


def twins(addresses: Iterable[str], other_than: str) -> dict[str, tuple[str, ...]]:
    """Return the addresses of other customers with one of these numbers or addresses, by id.

    20 customers at most, for 120 spellings at most.
    """
    spellings: set[str] = set()
    for address in addresses:
        if len(address) <= LONGEST_ENTRY:
            spellings.update(spelling.on_every_channel(address))
    matches = _CUSTOMERS.having_any("addresses", sorted(spellings), _MOST_TWINS + 1)
    matches.pop(other_than, None)
    return {name: customer.addresses for name, customer in matches.items()}


def with_address(number: str) -> list[Customer]:
    """Return the customers with this number, for messages or for WhatsApp; 20 at most."""
    bare = spelling.bare(number)
    spellings = [
        *dict.fromkeys((*spelling.spellings(number), bare, f"whatsapp:{bare}"))
    ]
    query = database.filtered(
        _CUSTOMERS.name, [("addresses", "array_contains_any", spellings)]
    )
    return [of(record) for record in database.find(query.limit(_MOST_TWINS))]


def recognised_by(address: str) -> list[str]:
    """Return the ids of all customers that a message from this address may be of; 20 at most."""
    query = database.filtered(
        _CUSTOMERS.name,
        [("addresses", "array_contains_any", list(spelling.spellings(address)))],
    )
    return [record.id for record in database.find(query.limit(_MOST_TWINS))]


def listed(worker: str, after: Cursor | None, limit: int) -> list[Snapshot]:
    """Return a worker's customers by name, after the cursor; reads `limit` records, only the fields of a list."""
    query: Any = database.filtered("customers", [("worker", "==", worker)])
    query = query.order_by("sort_name").order_by("__name__").select(_SHOWN)
    if after is not None:
        query = query.start_after(list(after))
    return database.find(query.limit(limit))


def how_many(worker: str, are_listed: bool = False) -> int:
    """Count a worker's customers, or only those that `listed` returns, up to 1000."""
    order = ("sort_name",) if are_listed else ()
    query = database.filtered("customers", [("worker", "==", worker)], order=order)
    return database.count(query, _COUNTED_UP_TO)


def of_worker(worker: str) -> list[Snapshot]:
    """Return a worker's customers in no order, 300 at most, including those that `listed` does not find."""
    query = database.filtered("customers", [("worker", "==", worker)])
    return database.find(query.limit(_MOST_COMPLETED))


def searched(
    worker: str, term: str, after: Cursor | None, limit: int, with_terms: bool = False
) -> list[Snapshot]:
    """Do the same as `listed` for customers with this search term; `with_terms`: with the map `search`, too."""
    query, begin = _with_term(worker, term)
    if after is not None:
        query = query.start_after([begin + after[0], after[1]])
    fields = [*_SHOWN, "search"] if with_terms else _SHOWN
    return database.find(query.select(fields).limit(limit))


def rarest(worker: str, terms: Sequence[str], up_to: int) -> str:
    """Return the term that the fewest of the worker's customers have; Firestore counts them up to a bound."""
    return min(
        terms, key=lambda term: database.count(_with_term(worker, term)[0], up_to)
    )


def _with_term(worker: str, term: str) -> tuple[Any, str]:
    """Return the query for a worker's customers with this term, and the prefix of its values."""
    begin, end = customer_search.range_of(worker)
    query = (
        database.client()
        .collection("customers")
        .order_by(database.client().field_path("search", term))
    )
    return query.order_by("__name__").start_at([begin]).end_before([end]), begin


def all_with(term: str | None, after: Cursor | None, limit: int) -> list[Snapshot]:
    """Return customers of all workers: with this search term, or by name if it is None."""
    field = _sorted_by(term)
    query: Any = database.client().collection(_CUSTOMERS.name)
    query = query.order_by(field).order_by("__name__")
    if after is not None:
        query = query.start_after(list(after))
    return database.find(query.limit(limit))


def cursor_of(record: Snapshot, term: str | None) -> Cursor:
    """Return where a list in the order of `all_with` continues after this record."""
    data = record.to_dict() or {}
    value = (
        data.get("sort_name") if term is None else (data.get("search") or {}).get(term)
    )
    return str(value), str(record.id)


def _sorted_by(term: str | None) -> str:
    return "sort_name" if term is None else database.client().field_path("search", term)


def tell(customer: Customer, problem: str) -> None:
    """Report a problem in the record that only a message brought to light."""
    log.warning(
        f"The record of a customer is not right: {problem}",
        customer=customer.customer_id,
    )
    (record,) = database.read(reference(customer.customer_id))
    reported = (record.to_dict() or {}).get("problem")
    if not record.exists or problem in str(reported):
        return
    text = f"{reported} {problem}" if isinstance(reported, str) else problem
    try:
        write([(record, {"problem": text})])
    except database.LostRace:
        return  # the record was edited meanwhile: the next message reports it


def add_note(record: Snapshot, note: Note) -> Customer:
    """Add a note to the record as it was read, and return the customer with it.

    Raises database.LostRace if the record has changed, and database.Unwritable if it is too large.
    """
    customer = of(record)
    all_notes = notes.added(customer.notes, note)
    if all_notes != customer.notes:
        write([(record, {"notes": notes.stored(all_notes)})])
    return replace(customer, notes=all_notes)


def write(records: Iterable[tuple[Snapshot, Mapping[str, Any]]]) -> None:
    """Write these fields if all records are still as they were read; raises database.LostRace without any write."""
    batch = database.client().batch()
    for record, fields in records:
        database.put(batch, record.reference, dict(fields), record.update_time)
    database.commit(batch)
