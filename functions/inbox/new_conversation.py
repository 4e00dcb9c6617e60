"""A worker writes first: whom they can choose, and how the conversation comes about.

    rules       may this customer be written to, from which number (as for Frontline's callback)
    look        one conversation per pair of numbers: theirs is taken, another's is named
    begin       at Twilio, under a name made of the page's token: asked twice there is one
    claim       the log says whose it is, then Twilio is told (by the engine; what a crash leaves the sweep finishes)
    introduce   the customer comes in
    send        the text, as any other (sending.once)

Each step may be repeated; whoever dies in between leaves a conversation with its worker, and the same token goes on
with it.
"""

from __future__ import annotations

from typing import Any

from assignment import hand_over, matching
from domain import addresses, limits
from domain.conversation import QUEUED, Conversation
from domain.fields import is_record_name
from domain.outgoing import on_channel
from domain.worker import Worker
from functions.http import access, requests
from functions.http.answers import (
    Answer,
    BadInput,
    Impossible,
    NotFound,
    Refused,
    TryAgain,
)
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority, sending, thread
from functions.inbox import templates as ready_made
from functions.inbox.page import PAGE
from functions.inbox.requests import FirstTemplates, Message, NewConversation, Search
from providers import (
    beginnings,
    clock,
    configuration,
    conversations,
    customer_lists,
    customers,
    database,
    outbox,
    twilio,
    windows,
)
from providers import outgoing as rules
from providers.outgoing import Way
from providers.twilio import Outcome

_SHOWN = 30
_MOST_LOOKED_AT = 20
_NOT_NOW = "Twilio does not answer just now; try again in a moment."


def found(visit: Visit, person: Person) -> Answer:
    """POST customers {query}: the worker's own customers, by name; the first 30 that have all the words."""
    worker = authority.worker(person)
    words = customer_lists.words_of(requests.read(visit, Search).query)
    limit = customer_lists.LOOKED_THROUGH if len(words) > 1 else _SHOWN
    records = customer_lists.found(worker.identity, words, None, limit)
    listed = [
        customers.of(one) for one in records if customer_lists.has_all(one, words)
    ][:_SHOWN]
    access.note(PAGE, "searched for customers", worker)
    return Answer(
        {
            "customers": [
                {
                    "id": one.customer_id,
                    "name": one.display_name,
                    "addresses": list(one.addresses),
                }
                for one in listed
            ]
        }
    )


def begin(visit: Visit, person: Person) -> Answer:
    """POST conversations: 201 with the new one's SID, or 200 where the worker is in it already."""
    worker = authority.worker(person)
    wanted = requests.read(visit, NewConversation)
    if (wanted.body is None) == (wanted.template is None):
        raise BadInput(
            "A conversation begins with a body or a template, and with one of them only."
        )
    sending.refuse_long(wanted.channel, wanted.body or "")
    way = _way(worker, wanted, wanted.customer)
    message = Message(token=wanted.token, body=wanted.body, template=wanted.template)
    if (theirs := _there_already(worker, way)) is not None:
        if (
            theirs.last_message is None
        ):  # perhaps begun by an earlier try that got no further
            _introduce(worker, theirs, way)
        _say(worker, theirs, message)
        return Answer({"sid": theirs.sid}, 200)
    _refuse_what_does_not_arrive(worker, way, message)
    conversation = _begun(worker, way, wanted.token)
    _introduce(worker, conversation, way)
    _say(worker, conversation, message)
    return Answer({"sid": conversation.sid}, 201)


def templates(visit: Visit, person: Person, customer_id: str) -> Answer:
    """GET customers/ID/templates?channel=&address=: what can be written first there, and until when a free text can."""
    worker = authority.worker(person)
    wanted = requests.query(visit, FirstTemplates)
    way = _way(worker, wanted, customer_id)
    found = windows.between(way.address, way.proxy_address)
    categories = ready_made.listed(worker, _described(way), found)
    return Answer({"categories": categories, "window": thread.shown_window(found)})


def _refuse_what_does_not_arrive(worker: Worker, way: Way, message: Message) -> None:
    """Before anything is made at Twilio. Raises Impossible."""
    found = windows.between(way.address, way.proxy_address)
    sending.refuse_outside_window(found, message.template)
    if message.template is not None:
        ready_made.content(worker, _described(way), message.template, found)


def _described(way: Way) -> Conversation:
    """The conversation that there will be, as far as templates need it."""
    return Conversation(
        "",
        customer_id=way.customer.customer_id,
        address=way.address,
        proxy_address=way.proxy_address,
    )


def _way(
    worker: Worker, wanted: NewConversation | FirstTemplates, customer_id: str
) -> Way:
    address = on_channel(wanted.channel, wanted.address)
    if not (addresses.is_number(address) or addresses.is_user_id(address)):
        raise BadInput(
            "address is not an international phone number such as +15551234567."
        )
    if not is_record_name(customer_id):
        raise NotFound("There is no such customer.")
    try:
        return rules.way(worker.identity, customer_id, wanted.channel, address)
    except rules.Unknown:
        raise NotFound("There is no such customer.") from None
    except rules.Forbidden as error:
        raise Refused(str(error)) from None


def _there_already(worker: Worker, way: Way) -> Conversation | None:
    """The worker's own open one with these two numbers. Raises Impossible where it is somebody else's."""
    same = (
        one
        for one in conversations.open_with(way.address, _MOST_LOOKED_AT)
        if addresses.key(one.proxy_address or "") == addresses.key(way.proxy_address)
    )
    for one in same:
        if authority.is_theirs(one, worker.identity):
            return one
        if one.state == QUEUED:
            raise _refusal(way, "{} has written and waits in the queue already.")
        if one.worker:
            raise _refusal(
                way, f"{_plain(one.worker)} is in a conversation with {{}} already."
            )
    return None


def _begun(worker: Worker, way: Way, token: str) -> Conversation:
    service = configuration.service_in_use(None)
    avatar = {"avatar": way.customer.avatar} if way.customer.avatar else {}
    made = beginnings.create(
        f"inbox-{token}", way.customer.display_name, avatar, service
    )
    if made.outcome is Outcome.RETRY:
        raise TryAgain(_NOT_NOW)
    if made.outcome is not Outcome.DONE:
        raise Impossible(f"It could not be begun. {made.why_for_worker}")
    sid = made.body.sid

    def step() -> Conversation:
        before = conversations.load(sid)
        if not before.exists:
            described = Conversation(
                sid,
                customer_id=way.customer.customer_id,
                display_name=way.customer.display_name[: limits.NAME],
                address=way.address,
                proxy_address=way.proxy_address,
                service_sid=service,
                created_at=clock.now(),
            )
            matching.give_to(described, worker, "they wrote first")
        return conversations.load(sid)

    conversation = database.until_it_holds(step)
    if not authority.is_theirs(conversation, worker.identity):
        raise Impossible("Twilio did not let this conversation begin; try again.")
    return conversation


def _introduce(worker: Worker, conversation: Conversation, way: Way) -> None:
    """The customer comes in; where Twilio does not take them, there is no conversation to be kept."""
    known: dict[str, Any] = {
        "customer_id": way.customer.customer_id,
        "display_name": way.customer.display_name[: limits.NAME],
        "avatar": way.customer.avatar,
    }
    told = limits.with_room_for({}, known, limits.PARTICIPANT_ATTRIBUTES)
    result = beginnings.add_customer(conversation, way.address, way.proxy_address, told)
    is_there_already = result.is_unknown_conflict or (
        result.outcome is Outcome.DONE and result.body is None
    )
    if is_there_already and _is_in_it(conversation, way):
        return
    if result.outcome is Outcome.DONE and not is_there_already:
        return
    if result.outcome is Outcome.RETRY:
        raise TryAgain(_NOT_NOW)
    hand_over.close(conversation.sid, worker.identity)
    if is_there_already:
        raise _refusal(way, "{} is in another conversation with our number already.")
    raise Impossible(f"It could not be begun. {result.why_for_worker}")


def _refusal(way: Way, sentence: str) -> Impossible:
    """The worker reads the customer's name; the log does not."""
    logged = sentence.format("The customer")
    return Impossible(sentence.format(way.customer.display_name), logged=logged)


def _plain(text: str) -> str:
    """Braces in it stand for themselves."""
    return text.replace("{", "{{").replace("}", "}}")


def _is_in_it(conversation: Conversation, way: Way) -> bool:
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        raise TryAgain(_NOT_NOW)
    bindings = [person.messaging_binding or {} for person in people.body]
    return any(binding.get("address") == way.address for binding in bindings)


def _say(worker: Worker, conversation: Conversation, message: Message) -> None:
    entry = outbox.load(conversation.sid, message.token)
    if not entry.is_sent:
        sending.once(worker, conversation, message, entry)
