"""POST conversations/SID/notes: a note on the customer, for workers only."""

from __future__ import annotations

from typing import Any

from domain.customer import Customer
from domain.notes import Note
from functions.http import access, requests
from functions.http.answers import Answer, Impossible
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority, colleagues
from functions.inbox.authority import Theirs
from functions.inbox.formats import iso
from functions.inbox.page import PAGE
from functions.inbox.requests import NewNote
from providers import clock, customers, database, settings

_NO_RECORD = "This customer has no record, so notes can't be kept."
_TOO_LARGE = "The customer's record is too large for another note."


def add(visit: Visit, person: Person, sid: str) -> Answer:
    """Add a note and return all of them, newest first. Raises Impossible if the customer has no record."""
    theirs = authority.theirs(person, sid)
    text = requests.read(visit, NewNote).text.strip()
    note = Note(clock.now(), theirs.worker.identity, text)
    try:
        customer = database.until_it_holds(lambda: _added(theirs, note))
    except database.Unwritable:
        raise Impossible(_TOO_LARGE) from None
    access.note(PAGE, "added a note on a customer", theirs.worker, conversation=sid)
    return Answer({"notes": listed(customer)})


def _added(theirs: Theirs, note: Note) -> Customer:
    """Raise database.LostRace if the record has changed since it was read."""
    customer_id = theirs.conversation.customer_id
    if customer_id is None:
        raise Impossible(_NO_RECORD)
    record, rules = database.read(
        customers.reference(customer_id), settings.reference()
    )
    current = customers.standing_for(record)
    if current is None:
        raise Impossible(_NO_RECORD)
    authority.refuse_hidden_customer(theirs.worker, theirs.conversation, current, rules)
    return customers.add_note(current, note)


def listed(customer: Customer) -> list[dict[str, Any]]:
    """Return the notes as the card shows them, newest first."""
    return [
        {"at": iso(note.at), "by": colleagues.name_of(note.by), "text": note.text}
        for note in reversed(customer.notes)
    ]
