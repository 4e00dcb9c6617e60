"""Who the customer of a conversation is, what can be sent to them ready made, and who else could take it over."""

from __future__ import annotations

from typing import Any

from domain import addresses
from domain.conversation import Conversation
from domain.customer import Customer
from functions.http import access, cache
from functions.http.answers import Answer
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority
from functions.inbox import templates as ready_made
from functions.inbox.page import PAGE
from providers import conversations, customers, database, settings, windows, workers

_MOST_EARLIER = 20
_MOST_COLLEAGUES = 200
_COLLEAGUES_FOR = 10.0  # seconds
_NAMES = ("type", "value", "display_name")


def card(visit: Visit, person: Person, sid: str) -> Answer:
    """What is known of them: whoever talks to somebody may know who that is."""
    theirs = authority.theirs(person, sid)
    conversation = theirs.conversation
    access.note(PAGE, "opened a customer's card", theirs.worker, conversation=sid)
    if conversation.customer_id is None:
        return Answer(_shown(conversation, None) | {"earlier": []})
    reference = customers.reference(conversation.customer_id)
    (record, rules), earlier = database.together(
        lambda: database.read(reference, settings.reference()),
        lambda: conversations.with_customer(
            conversation.customer_id or "", _MOST_EARLIER + 1
        ),
    )
    found = customers.standing_for(record)
    if found is not None:
        authority.refuse_hidden_customer(theirs.worker, conversation, found, rules)
    others = [_earlier(one) for one in earlier if one.sid != sid][:_MOST_EARLIER]
    return Answer(
        _shown(conversation, customers.of(found) if found else None)
        | {"earlier": others}
    )


def templates(visit: Visit, person: Person, sid: str) -> Answer:
    theirs = authority.theirs(person, sid)
    found = windows.of(theirs.conversation)
    return Answer(
        {"categories": ready_made.listed(theirs.worker, theirs.conversation, found)}
    )


def colleagues(visit: Visit, person: Person, sid: str) -> Answer:
    """To whom it can be handed: every other confirmed worker, Available ones first."""
    me = authority.theirs(person, sid).worker.identity
    everybody = cache.get(
        ("workers",), _COLLEAGUES_FOR, lambda: workers.after(None, _MOST_COLLEAGUES)
    )
    others = sorted(
        (
            one
            for one in everybody
            if one.identity != me and one.can_sign_in and one.confirmed
        ),
        key=lambda one: (not one.available, one.name.casefold()),
    )
    return Answer(
        {
            "workers": [
                {
                    "identity": one.identity,
                    "name": one.name,
                    "status": "Available" if one.available else "Unavailable",
                }
                for one in others
            ]
        }
    )


def _shown(conversation: Conversation, customer: Customer | None) -> dict[str, Any]:
    """The card; of somebody without a record what the conversation itself says."""
    if customer is None:
        name = conversation.display_name or conversation.address or "Somebody"
        listed = [conversation.address] if conversation.address else []
        return _card(name, None, conversation.customer_id, None, [], listed)
    return _card(
        customer.display_name,
        customer.avatar,
        customer.customer_id,
        _texts(customer.details or {}, ("title", "content")) or None,
        [link for one in customer.links if "value" in (link := _texts(one, _NAMES))],
        list(customer.addresses),
    )


def _card(
    name: str,
    avatar: str | None,
    customer_id: str | None,
    details: dict[str, str] | None,
    links: list[dict[str, str]],
    listed: list[str],
) -> dict[str, Any]:
    return {
        "name": name,
        "avatar": avatar,
        "customer_id": customer_id,
        "details": details,
        "links": links,
        "addresses": listed,
        "channels": [{"type": addresses.channel(one), "value": one} for one in listed],
    }


def _texts(value: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {
        name: value[name]
        for name in names
        if isinstance(value.get(name), str) and value[name]
    }


def _earlier(one: Conversation) -> dict[str, Any]:
    at = one.created_at or one.assigned_at
    return {
        "sid": one.sid,
        "at": at.isoformat() if at else None,
        "state": one.state,
        "worker": one.worker,
    }
