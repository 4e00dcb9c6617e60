"""A conversation that Twilio has open, without a record or with a closed one: look at Twilio, then route it.

Its webhooks were lost: a customer's message, or the sweep's list of Twilio's conversations, shows it
(docs/decisions/0014-outages.md). It stays in the backlog until this is done, so that a crash in between leaves work for
the sweep.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from assignment import arrival, hearing, ledger, membership, opting_out
from domain import addresses, messages, rules, transitions
from domain.arrival import Arrival
from domain.conversation import CLOSED, CUSTOMER, MOST_HEARD, Conversation
from domain.messages import Message
from providers import (
    backlog,
    clock,
    configuration,
    conversations,
    database,
    log,
    settings,
    sweeps,
    twilio,
    workers,
)
from providers import messages as at_twilio
from providers.backlog import Entry
from providers.twilio import Outcome, Place, Result

OPEN = ("active", "inactive", "initializing")


class Found(enum.Enum):
    """The outcome of looking at one conversation."""

    ROUTED = "it was unknown or closed, and is routed now"
    NOTHING = "there is nothing to route"
    LATER = "Twilio doesn't respond; look again later"


class _Inside(NamedTuple):
    """The bindings of the customers in a conversation, and its confirmed workers with their participant SIDs."""

    customers: list[dict[str, Any]]
    workers: dict[str, str]


def by_message(sid: str, service_sid: str | None, message: Message) -> Found:
    """Route the conversation in which a customer wrote this message; nothing if the author is no customer.

    `service_sid`: the Conversations service, None if the webhook doesn't name it.
    """
    entry = Entry(sid, service_sid, message.at)
    backlog.add([entry])
    outcome = look(entry, message)
    if outcome is not Found.LATER:
        backlog.remove([sid])
    return outcome


def look(
    entry: Entry,
    message: Message | None = None,
    *,
    seen: Any = None,
    queue_first: bool = False,
) -> Found:
    """Look at one conversation; route it if a customer is in it, and the log doesn't have it in hand.

    `message`: the one that led here; it must be the customer's. `seen`: the conversation as Twilio has just listed it.
    `queue_first`: queue it, and leave it to the caller to look for workers, so that of several the oldest comes first.
    """
    record = conversations.load(entry.sid)
    if rules.is_in_hand(record):
        return Found.NOTHING
    state = Result(Outcome.DONE, body=seen) if seen else _state(entry, record)
    if state.outcome is Outcome.GONE:
        return Found.NOTHING
    if state.outcome is not Outcome.DONE:
        return Found.LATER
    if state.body.state not in OPEN:
        return Found.NOTHING
    place = Place(state.body.chat_service_sid or entry.service_sid, entry.sid)
    inside = _inside(place)
    if inside is None:
        return Found.LATER
    if not _is_ours(inside.customers, message):
        return Found.NOTHING
    written = _written(place, message)
    if written is None:
        return Found.LATER
    _store_words(record, inside.customers, written)
    arrived = _arrival(state.body, inside.customers, written)
    if record.state == CLOSED:
        return _open_again(arrived, inside.workers)
    if inside.workers:
        _count_as_theirs(place, inside.workers)
    _route(arrived, queue_first)
    return Found.ROUTED


def _route(arrived: Arrival, queue_first: bool) -> None:
    arrival.route(arrived, queue_first=queue_first)
    database.until_it_holds(lambda: _mark(arrived.sid, arrived.written))
    log.warning(
        "No webhook led to this conversation; it is routed now.",
        conversation=arrived.sid,
    )


def _count_as_theirs(place: Place, inside: Mapping[str, str]) -> None:
    """Assign it to a worker in it, because the event about them was lost too. The route then only describes it.

    `inside`: participant SIDs by identity.
    """
    identity = min(inside)
    join = partial(
        membership.joined, place.sid, place.service_sid, identity, inside[identity]
    )
    database.until_it_holds(join)


def _store_words(
    record: Conversation,
    customers: Collection[dict[str, Any]],
    written: Collection[Message],
) -> None:
    """Store the wish in opt-out words among the messages, before the route notes these."""
    if _has_word(written):
        address = record.address or _first_to_write(customers, written)["address"]
        unheard = replace(record, address=address, heard=())
        opting_out.stored(unheard, hearing.heard(unheard, written), written)


def _mark(sid: str, written: Collection[Message]) -> None:
    """Note in the record that its address opted out; nothing without an opt-out word. Raises database.LostRace."""
    if _has_word(written):
        routed = conversations.load(sid)
        marked = opting_out.stored(replace(routed, heard=()), routed, written)
        ledger.note(routed, marked)


def _has_word(written: Iterable[Message]) -> bool:
    return any(map(hearing.word_of, written))


def _state(entry: Entry, record: Conversation) -> Result:
    """Return the conversation as Twilio has it, in whichever service; GONE if it was deleted."""
    result = Result(Outcome.MISSING)
    for service_sid in _services(entry, record):
        result = twilio.state(Place(service_sid, entry.sid))
        if result.outcome is not Outcome.MISSING:
            return result
    place = Place(configuration.service_in_use(entry.service_sid), entry.sid)
    return replace(result, outcome=Outcome.GONE) if twilio.is_gone(place) else result


def _services(entry: Entry, record: Conversation) -> Iterator[str | None]:
    """Yield the service of the entry, then every other one in use: a message's webhook names none."""
    first = configuration.service_in_use(entry.service_sid or record.service_sid)
    yield first
    if not entry.service_sid:
        yield from (sid for sid in sweeps.load().services if sid != first)


def _inside(place: Place) -> _Inside | None:
    """Return the customers and confirmed workers in it; None if Twilio doesn't respond."""
    people = twilio.participants(place)
    if people.outcome is not Outcome.DONE:
        return None
    bots = settings.load().bots
    bindings, named = [], {}
    for person in people.body:
        binding = person.messaging_binding or {}
        if not person.identity and binding.get("address"):
            bindings.append(binding)
        elif person.identity and person.identity not in bots:
            named[person.identity] = person.sid
    confirmed = workers.confirmed(named) if named else {}
    sids = {identity: sid for identity, sid in named.items() if identity in confirmed}
    return _Inside(bindings, sids)


def _is_ours(customers: Collection[dict[str, Any]], message: Message | None) -> bool:
    """Return whether a customer is in it and, if a message led here, wrote that.

    A message that a channel brought is always the customer's.
    """
    if not customers or message is None:
        return bool(customers)
    if messages.is_from_channel(message):
        return True
    keys = {addresses.key(binding["address"]) for binding in customers}
    return addresses.key(message.author) in keys


def _written(place: Place, message: Message | None) -> list[Message] | None:
    """Return the newest messages, with the one that led here; None if Twilio doesn't respond and none did."""
    result = twilio.messages(place, MOST_HEARD)
    if result.outcome is not Outcome.DONE:
        return [message] if message else None
    by_index = {
        listed.index: listed for listed in map(at_twilio.of_twilio, result.body)
    }
    if message:
        by_index[message.index] = message
    return [by_index[index] for index in sorted(by_index)]


def _arrival(
    conversation: Any, customers: list[dict[str, Any]], written: list[Message]
) -> Arrival:
    """Return what the lost webhooks would have said."""
    binding = _first_to_write(customers, written)
    ours = [
        customer.get(name)
        for customer in customers
        for name in ("proxy_address", "projected_address")
    ]
    created: datetime | None = conversation.date_created
    return Arrival(
        conversation.sid,
        binding["address"],
        proxy_address=binding.get("proxy_address"),
        projected_address=binding.get("projected_address"),
        our_addresses=tuple(dict.fromkeys(filter(None, ours))),
        is_starting=conversation.state == "initializing",
        service_sid=conversation.chat_service_sid,
        created_at=created,
        written=tuple(written),
    )


def _first_to_write(
    customers: Collection[dict[str, Any]], written: Collection[Message]
) -> dict[str, Any]:
    """Return the binding of the customer with the earliest of these messages; the first customer if none wrote."""
    authors = [message.author for message in written]
    by_address = {binding["address"]: binding for binding in reversed([*customers])}
    wrote = (by_address[author] for author in authors if author in by_address)
    return next(wrote, next(iter(customers)))


def _open_again(arrived: Arrival, inside: Mapping[str, str]) -> Found:
    """Route a closed conversation that Twilio has open, if its customer has written since.

    `inside`: participant SIDs of its confirmed workers by identity; the conversation goes to one of these.
    """

    def step() -> Found:
        before = conversations.load(arrived.sid)
        new = _new_messages(before, arrived.written)
        if before.state != CLOSED or not _has_customers(new, before):
            return Found.NOTHING
        again = transitions.open_again(before, clock.now())
        if inside:
            identity = min(inside)
            again = hearing.heard(again, new)
            membership.count_as_theirs(before, again, identity, inside[identity])
        else:
            arrival.route_again(again, replace(arrived, written=new))
        return Found.ROUTED

    outcome = database.until_it_holds(step)
    if outcome is Found.ROUTED:
        log.warning(
            "Twilio has this closed conversation open; it is routed again.",
            conversation=arrived.sid,
        )
    return outcome


def _new_messages(
    record: Conversation, written: Iterable[Message]
) -> tuple[Message, ...]:
    newest = max((message.index for message in record.heard), default=-1)
    return tuple(message for message in written if message.index > newest)


def _has_customers(new: Iterable[Message], record: Conversation) -> bool:
    return any(messages.sender_of(message, record) == CUSTOMER for message in new)
