"""Shows the customer of a conversation, the templates that can be sent, and the workers that can take over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import addresses
from domain.conversation import Conversation
from domain.customer import Customer
from domain.worker import Worker
from functions.http import access, cache
from functions.http.answers import Answer
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority, notes
from functions.inbox import templates as ready_made
from functions.inbox.colleagues import name_of
from functions.inbox.formats import iso, status_of
from functions.inbox.page import PAGE
from providers import conversations, customers, database, settings, windows, workers

_MOST_EARLIER = 20
_MOST_COLLEAGUES = 200
_COLLEAGUES_FOR = 10.0  # seconds
_NAMES = ("type", "value", "display_name")


def card(visit: Visit, person: Person, sid: str) -> Answer:
    """GET customer: the customer's card with the earlier conversations, newest first.

    Raises Refused for the customer of a closed conversation who is now assigned to another worker.
    """
    theirs = authority.theirs(person, sid)
    conversation, customer_id = theirs.conversation, theirs.conversation.customer_id
    access.note(PAGE, "opened a customer's card", theirs.worker, conversation=sid)
    if customer_id is None:
        return Answer(_unknown_card(conversation) | {"earlier": []})
    reference = customers.reference(customer_id)
    (record, rules), all_conversations = database.together(
        lambda: database.read(reference, settings.reference()),
        lambda: conversations.with_customer(customer_id, _MOST_EARLIER + 1),
    )
    current = customers.standing_for(record)
    if current is None:
        shown = _unknown_card(conversation)
    else:
        authority.refuse_hidden_customer(theirs.worker, conversation, current, rules)
        shown = _card(customers.of(current))
    others = [_earlier(other) for other in all_conversations if other.sid != sid]
    return Answer(shown | {"earlier": others[:_MOST_EARLIER]})


def templates(visit: Visit, person: Person, sid: str) -> Answer:
    """GET templates: what can be sent to the customer now, by category."""
    theirs = authority.theirs(person, sid)
    window = windows.of(theirs.conversation)
    categories = ready_made.listed(theirs.worker, theirs.conversation, window)
    return Answer({"categories": categories})


def colleagues(visit: Visit, person: Person, sid: str) -> Answer:
    """GET workers: every other confirmed worker, Available ones first."""
    identity = authority.theirs(person, sid).worker.identity
    all_workers = cache.get(
        ("workers",), _COLLEAGUES_FOR, lambda: workers.after(None, _MOST_COLLEAGUES)
    )
    others = [worker for worker in all_workers if _can_take_over(worker, identity)]
    others.sort(key=lambda worker: (not worker.available, worker.name.casefold()))
    return Answer({"workers": [_colleague(worker) for worker in others]})


def _can_take_over(worker: Worker, identity: str) -> bool:
    """Return whether the conversation can be handed to this worker by the worker `identity`."""
    return worker.identity != identity and worker.can_sign_in and worker.confirmed


def _colleague(worker: Worker) -> dict[str, str]:
    return {
        "identity": worker.identity,
        "name": worker.name,
        "status": status_of(worker),
    }


def _card(customer: Customer) -> dict[str, Any]:
    """Return the fields of the card. Each link is {type?, value, display_name?}."""
    links = [_texts(link, _NAMES) for link in customer.links]
    return {
        "name": customer.display_name,
        "avatar": customer.avatar,
        "customer_id": customer.customer_id,
        "details": _texts(customer.details or {}, ("title", "content")) or None,
        "links": [link for link in links if "value" in link],
        "notes": notes.listed(customer),
        **_reached_at(customer.addresses),
    }


def _unknown_card(conversation: Conversation) -> dict[str, Any]:
    """Return the card of a customer without a record: what the conversation itself says."""
    address = conversation.address
    return {
        "name": conversation.display_name or address or "Unknown customer",
        "avatar": None,
        "customer_id": conversation.customer_id,
        "details": None,
        "links": [],
        "notes": None,  # without a record there is no place for them
        **_reached_at((address,) if address else ()),
    }


def _reached_at(listed: tuple[str, ...]) -> dict[str, Any]:
    """Return the addresses, also as {type, value} with the channel as type."""
    channels = [
        {"type": addresses.channel(address), "value": address} for address in listed
    ]
    return {"addresses": list(listed), "channels": channels}


def _texts(value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Return the fields that are non-empty strings."""
    return {
        name: text
        for name in names
        if isinstance(text := value.get(name), str) and text
    }


def _earlier(conversation: Conversation) -> dict[str, Any]:
    """Return one of the earlier conversations; `at` is an ISO 8601 time or None, `with` the worker's name."""
    worker = conversation.worker
    return {
        "sid": conversation.sid,
        "at": iso(conversation.created_at or conversation.assigned_at),
        "state": conversation.state,
        "worker": conversation.worker,
        "with": worker and name_of(worker),
    }
