"""A conversation that Twilio has, and that the log lacks or believes to be over: look at Twilio, then route it.

Its webhooks were lost: a message of the customer's, or the sweep's list of Twilio's conversations, shows it
(docs/decisions/0014-outages.md). What is being looked at is in the backlog until it is done, so that a crash in between
leaves work for the sweep.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping
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
    """What came of looking at one conversation."""

    ROUTED = "it was not in hand, and is now"
    NOTHING = "there is nothing to route"
    LATER = "Twilio does not say; look again later"


class _Inside(NamedTuple):
    """Who is in a conversation: bindings of its customers, and confirmed workers with the SID of their participant."""

    customers: list[dict[str, Any]]
    workers: dict[str, str]


def by_message(sid: str, service_sid: str | None, message: Message) -> Found:
    """Route the conversation in which a customer wrote this message; nothing if somebody else wrote it."""
    entry = Entry(sid, service_sid, message.at)
    backlog.add([entry])
    came_of_it = look(entry, message)
    if came_of_it is not Found.LATER:
        backlog.remove([sid])
    return came_of_it


def look(
    entry: Entry,
    message: Message | None = None,
    *,
    seen: Any = None,
    queue_first: bool = False,
) -> Found:
    """Look at one conversation, and route it if a customer is in it and the log does not have it in hand.

    `message`: the one that led here; it must be the customer's. `seen`: the conversation as Twilio has just listed it.
    `queue_first`: let it wait in its pool, and leave it to the caller to look for workers, so that of several the
    oldest comes first.
    """
    record = conversations.load(entry.sid)
    if rules.is_in_hand(record):
        return Found.NOTHING
    state = Result(Outcome.DONE, body=seen) if seen else _state(entry, record)
    if state.outcome is not Outcome.DONE:
        return Found.NOTHING if state.outcome is Outcome.GONE else Found.LATER
    if state.body.state not in OPEN:
        return Found.NOTHING
    place = Place(state.body.chat_service_sid or entry.service_sid, entry.sid)
    inside = _inside(place)
    if inside is None:
        return Found.LATER
    if not inside.customers or (
        message is not None and not _is_from_one_of(inside.customers, message)
    ):
        return Found.NOTHING
    written = _written(place, message)
    if written is None:
        return Found.LATER
    _store_words(record, inside.customers, written)
    if record.state == CLOSED:
        return _open_again(
            _arrival(state.body, inside.customers, written), inside.workers
        )
    if inside.workers:
        _count_as_theirs(place, inside.workers)
    arrival.route(
        _arrival(state.body, inside.customers, written), queue_first=queue_first
    )
    database.until_it_holds(lambda: _mark(entry.sid, written))
    log.warning(
        "No webhook led to this conversation; it is routed now.", conversation=entry.sid
    )
    return Found.ROUTED


def _count_as_theirs(place: Place, inside: Mapping[str, str]) -> None:
    """Count it as the worker's who is in it: the event about them was lost, too. The route then only describes it."""
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
    """Store what opt-out words among the messages say, before the route notes these as known."""
    if any(hearing.word_of(message) for message in written):
        authors = [message.author for message in written]
        address = min(
            (one["address"] for one in customers),
            key=lambda one: _place_in(authors, one),
        )
        unheard = replace(record, address=record.address or address, heard=())
        opting_out.stored(unheard, hearing.heard(unheard, written), written)


def _mark(sid: str, written: Collection[Message]) -> None:
    """Note in the record that its address opted out; nothing without an opt-out word. Raises database.LostRace."""
    if any(hearing.word_of(message) for message in written):
        routed = conversations.load(sid)
        ledger.note(
            routed, opting_out.stored(replace(routed, heard=()), routed, written)
        )


def _state(entry: Entry, record: Conversation) -> Result:
    """The conversation as Twilio has it, whichever service it is in; GONE where it was deleted."""
    result = Result(Outcome.MISSING)
    for service_sid in _services(entry, record):
        result = twilio.state(Place(service_sid, entry.sid))
        if result.outcome is not Outcome.MISSING:
            return result
    is_gone = twilio.is_gone(
        Place(configuration.service_in_use(entry.service_sid), entry.sid)
    )
    return replace(result, outcome=Outcome.GONE) if is_gone else result


def _services(entry: Entry, record: Conversation) -> Iterator[str | None]:
    """The service that was named, then every other one in use: a message's webhook names none."""
    first = configuration.service_in_use(entry.service_sid or record.service_sid)
    yield first
    if not entry.service_sid:
        yield from (sid for sid in sweeps.load().services if sid != first)


def _inside(place: Place) -> _Inside | None:
    """None: Twilio does not say."""
    people = twilio.participants(place)
    if people.outcome is not Outcome.DONE:
        return None
    bindings = (p.messaging_binding or {} for p in people.body if not p.identity)
    bots = settings.load().bots
    named = {
        p.identity: p.sid for p in people.body if p.identity and p.identity not in bots
    }
    confirmed = workers.confirmed(named) if named else {}
    inside = {identity: sid for identity, sid in named.items() if identity in confirmed}
    return _Inside([binding for binding in bindings if binding.get("address")], inside)


def _is_from_one_of(customers: Collection[dict[str, Any]], message: Message) -> bool:
    """Whether one of the customers wrote it; a message that a channel brought is the customer's anyway."""
    known = {addresses.key(binding["address"]) for binding in customers}
    return messages.is_from_channel(message) or addresses.key(message.author) in known


def _written(place: Place, message: Message | None) -> list[Message] | None:
    """The newest messages, with the one that led here; None: Twilio does not say."""
    result = twilio.messages(place, MOST_HEARD)
    if result.outcome is not Outcome.DONE:
        return [message] if message else None
    told = {one.index: one for one in map(at_twilio.of_twilio, result.body)}
    if message:
        told[message.index] = message
    return [told[index] for index in sorted(told)]


def _arrival(
    conversation: Any, customers: list[dict[str, Any]], written: list[Message]
) -> Arrival:
    """What the lost webhooks would have said."""
    authors = [one.author for one in written]
    binding = min(customers, key=lambda one: _place_in(authors, one["address"]))
    ours = [
        one.get(name)
        for one in customers
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


def _place_in(authors: list[str], address: str) -> int:
    return authors.index(address) if address in authors else len(authors)


def _open_again(arrived: Arrival, inside: Mapping[str, str]) -> Found:
    """Route a closed conversation that Twilio has open, if its customer has written since; to the worker who is in it,
    if one is."""

    def step() -> Found:
        before = conversations.load(arrived.sid)
        newest = max((one.index for one in before.heard), default=-1)
        news = tuple(one for one in arrived.written if one.index > newest)
        if before.state != CLOSED or not any(
            messages.sender_of(one, before) == CUSTOMER for one in news
        ):
            return Found.NOTHING
        again = transitions.open_again(before, clock.now())
        if inside:
            identity = min(inside)
            again = hearing.heard(again, news)
            membership.count_as_theirs(before, again, identity, inside[identity])
        else:
            arrival.route_again(again, replace(arrived, written=news))
        return Found.ROUTED

    came_of_it = database.until_it_holds(step)
    if came_of_it is Found.ROUTED:
        log.warning(
            "Twilio has this closed conversation open; it is routed again.",
            conversation=arrived.sid,
        )
    return came_of_it
