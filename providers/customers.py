"""The collection customers."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from domain import addresses as spelling
from domain import customer_search
from domain.customer import Customer, parse
from domain.fields import LONGEST_ENTRY, Fields
from domain.settings import Settings
from providers import clock, conversations, database, log

if TYPE_CHECKING:
    from google.cloud.firestore import Client

    from providers.database import Snapshot

Cursor: TypeAlias = tuple[
    str, str
]  # (sort_name, id) of a record: a list goes on behind it
_MOST_WITH_ONE_ADDRESS = 4  # enough to see that an address is claimed twice
_MOST_TWINS = 20
_COUNTED_UP_TO = 1000  # one billed read
_MOST_COMPLETED = 300
_CUSTOMERS = database.Collection("customers", parse)
reference, of = _CUSTOMERS.reference, _CUSTOMERS.of
THE_KEY = "service/identifiers"
ANOTHER_WORKERS = "The customer belongs to another worker (settings/routing, crm_open: true opens all)."
_SHOWN = ("display_name", "avatar", "addresses", "sort_name")


def find_worker_for_customer(customer: Customer) -> str | None:
    """The identity of the customer's own worker, or None; custom routing asks here and nowhere else."""
    return customer.worker


def find(address: str) -> Customer:
    """The customer with this address; for an unknown one a Customer that is not `known`.

    The exact address wins over the bare number, and both over WhatsApp's other spelling. Where two records have it,
    the first by id is taken, the same on every delivery, and the log says so; both records carry the problem
    (functions/customer_written.py). An unknown sender gets an id that is nobody else's: the records that were once
    made for this number are read in the same query.
    """
    found = _look_up(address)
    record = _choose(address, found)
    return of(record) if record is not None else _stranger(address, found)


def _look_up(address: str) -> list[Snapshot]:
    """The records that name this address, and those that were made for it."""
    made_for_it = list(map(reference, spelling.record_names(address, key())))
    named = ("addresses", "array_contains_any", list(spelling.spellings(address)))
    query = database.filtered(
        _CUSTOMERS.name, (), any_of=[named, ("__name__", "in", made_for_it)]
    )
    return database.find(query.limit(_MOST_WITH_ONE_ADDRESS + len(made_for_it)))


def _choose(address: str, found: Iterable[Snapshot]) -> Snapshot | None:
    """The record with the best spelling of it; a name alone makes nobody its owner."""
    known = spelling.spellings(address)
    ranked = [(_rank(known, record), str(record.id), record) for record in found]
    having = [one for one in ranked if one[0] < len(known)]
    if (
        len(having) > 1
    ):  # a record that a person wrote goes before one that the service made
        having = [one for one in having if not _is_made_here(one[1], address)] or having
    having.sort(key=lambda one: one[:2])
    best = [record for rank, _, record in having if rank == having[0][0]]
    if len(best) > 1:
        ids = ", ".join(record.id for record in best)
        log.warning(
            f"{log.masked(address)} belongs to {len(best)} customers ({ids}); the first is taken."
        )
    return best[0] if best else None


def _is_made_here(customer_id: str, address: str) -> bool:
    """Whether the service made this record for a stranger: its name says so."""
    names = spelling.record_names(address, key())
    return customer_id in names or customer_id.startswith(f"{names[0]}-")


def _rank(known: Sequence[str], record: Snapshot) -> int:
    """Which of the spellings the record has; the number of all if none."""
    listed = of(record).addresses
    return next((rank for rank, form in enumerate(known) if form in listed), len(known))


def _stranger(address: str, found: Iterable[Snapshot]) -> Customer:
    """Who has no record with this address: with the record that has the same number on another channel and was made
    for it, else with the first name that is free."""
    taken = {record.id: of(record) for record in found}
    *names, former = spelling.record_names(address, key())
    for name in (*names, former):
        if name in taken and spelling.key(address) in map(
            spelling.key, taken[name].addresses
        ):
            return replace(taken[name], known=False)
    free = (name for name in names if name not in taken)
    name = next(free, f"{names[0]}-{secrets.token_hex(8)}")
    return Customer(
        name, display_name=spelling.called(address), addresses=(address,), known=False
    )


def key() -> bytes:
    """What ids are made with: one key for the database, so that nobody who sees an id (at Twilio, in the log) can try
    numbers until one fits. It stays with the data, in service/identifiers; read once in a process' life."""
    return database.until_it_holds(lambda: _key_in(database.client()))


@lru_cache(maxsize=8)
def _key_in(db: Client) -> bytes:
    """Made by whoever needs it first. Raises database.LostRace where two make it at once: the other's counts."""
    (record,) = database.read(db.document(THE_KEY))
    if known := key_of(record.to_dict()):
        return known
    made = new_key()
    database.write(
        record.reference, made, record.update_time if record.exists else None
    )
    return made["key"].encode()


def key_of(data: Mapping[str, Any] | None) -> bytes | None:
    """The key in the record; None where there is nothing that could be one."""
    return (Fields(data).text("key") or "").encode() or None


def new_key() -> dict[str, str]:
    return {"key": secrets.token_hex(32)}


def create(sender: Customer, address: str) -> Customer:
    """A record for an unknown sender; asked twice, also at once, there is one record with both addresses.

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
    """A new record, or the one that was made for the same number on another channel.

    Raises database.LostRace where it is not as it was looked up, and then nothing is written.
    """
    from google.cloud.firestore import SERVER_TIMESTAMP, ArrayUnion

    record = reference(sender.customer_id)
    if address in sender.addresses and not sender.known:
        made = {
            "display_name": address,
            "addresses": [address],
            "created_at": SERVER_TIMESTAMP,
            "worker": None,
        }
        database.write(record, made, None)
        return sender
    if address in sender.addresses or sender.customer_id not in spelling.record_names(
        address, key()
    ):
        return sender
    there = database.read(record)[0]
    if spelling.key(address) not in map(spelling.key, of(there).addresses):
        raise database.LostRace(sender.customer_id)
    database.write(record, {"addresses": ArrayUnion([address])}, there.update_time)
    return of(there)


def standing_for(record: Snapshot) -> Snapshot | None:
    """The record; where it is gone, the one that has the address of the latest conversation under its name now: two
    records that somebody merged. None where nobody has it."""
    if record.exists:
        return record
    address = conversations.latest_address(record.id)
    return _choose(address, _look_up(address)) if address else None


def may_see(customer: Customer, worker: str, settings: Settings, asked_as: str) -> bool:
    """A customer of nobody is everybody's, and whoever talks to somebody may know who that is.

    `asked_as`: the id that was asked for, under which the conversation was begun; the record may have another now.
    """
    if settings.crm_open or customer.worker in (None, worker):
        return True
    return conversations.is_between(worker, asked_as)


def twins(addresses: Iterable[str], other_than: str) -> dict[str, tuple[str, ...]]:
    """Other customers with one of these numbers or addresses, by id; 20 at most, for 120 spellings at most."""
    given = (address for address in addresses if len(address) <= LONGEST_ENTRY)
    wanted = sorted(
        {form for address in given for form in spelling.on_every_channel(address)}
    )
    found = _CUSTOMERS.having_any("addresses", wanted, _MOST_TWINS + 1)
    return {name: one.addresses for name, one in found.items() if name != other_than}


def with_address(number: str) -> list[Customer]:
    """Every customer with this number, be it for messages or for WhatsApp; 20 at most."""
    bare = spelling.bare(number)
    known = [*dict.fromkeys((*spelling.spellings(number), bare, f"whatsapp:{bare}"))]
    query = database.filtered("customers", [("addresses", "array_contains_any", known)])
    return [of(record) for record in database.find(query.limit(_MOST_TWINS))]


def recognised_by(address: str) -> list[str]:
    """Return the ids of all customers who are recognised when this address writes; 20 at most."""
    query = database.filtered(
        _CUSTOMERS.name,
        [("addresses", "array_contains_any", list(spelling.spellings(address)))],
    )
    return [record.id for record in database.find(query.limit(_MOST_TWINS))]


def listed(worker: str, after: Cursor | None, limit: int) -> list[Snapshot]:
    """A worker's own customers by name, from behind a cursor; reads `limit` records, of each what a list shows."""
    query: Any = database.filtered("customers", [("worker", "==", worker)])
    query = query.order_by("sort_name").order_by("__name__").select(_SHOWN)
    return database.find(
        (query.start_after(list(after)) if after else query).limit(limit)
    )


def how_many(worker: str, are_listed: bool = False) -> int:
    """A worker's own customers, or of those the ones that `listed` finds; counted up to 1000."""
    query: Any = database.filtered("customers", [("worker", "==", worker)])
    return database.count(
        query.order_by("sort_name") if are_listed else query, _COUNTED_UP_TO
    )


def of_worker(worker: str) -> list[Snapshot]:
    """A worker's own customers in no order, 300 at most, also those that `listed` does not find."""
    return database.find(
        database.filtered("customers", [("worker", "==", worker)]).limit(
            _MOST_COMPLETED
        )
    )


def searched(
    worker: str, term: str, after: Cursor | None, limit: int, with_terms: bool = False
) -> list[Snapshot]:
    """The same for those with this search term, in the same order; `with_terms`: with the map `search` too."""
    query, begin = _with_term(worker, term)
    if after is not None:
        query = query.start_after([begin + after[0], after[1]])
    return database.find(
        query.select([*_SHOWN, "search"] if with_terms else _SHOWN).limit(limit)
    )


def rarest(worker: str, terms: Sequence[str], up_to: int) -> str:
    """The term that the fewest of the worker's customers have, counted by Firestore up to a bound."""
    return min(
        terms, key=lambda term: database.count(_with_term(worker, term)[0], up_to)
    )


def _with_term(worker: str, term: str) -> tuple[Any, str]:
    """The query for a worker's customers with this term, and where its values begin."""
    begin, end = customer_search.range_of(worker)
    query = (
        database.client()
        .collection("customers")
        .order_by(database.client().field_path("search", term))
    )
    return query.order_by("__name__").start_at([begin]).end_before([end]), begin


def tell(customer: Customer, problem: str) -> None:
    """Writes into the record what only turned out when somebody wrote."""
    log.warning(
        f"The record of a customer is not right: {problem}",
        customer=customer.customer_id,
    )
    (record,) = database.read(reference(customer.customer_id))
    known = (record.to_dict() or {}).get("problem")
    if record.exists and problem not in str(known):
        try:
            write(
                [
                    (
                        record,
                        {
                            "problem": f"{known} {problem}"
                            if isinstance(known, str)
                            else problem
                        },
                    )
                ]
            )
        except database.LostRace:
            return  # somebody is editing it: it is told when the next message comes


def write(records: Iterable[tuple[Snapshot, Mapping[str, Any]]]) -> None:
    """Writes these fields where the records are still as they were read; raises database.LostRace, and then none."""
    batch = database.client().batch()
    for record, fields in records:
        database.put(batch, record.reference, dict(fields), record.update_time)
    database.commit(batch)
