"""Lets a worker write first: which customers can be chosen, and how the conversation is created.

    rules       may this customer be written to, from which number (the same as for Frontline's callback)
    bind        the page's token stands for one address and one text
    look        one conversation per pair of numbers: the worker's own is used, another worker's is named
    create      at Twilio, with a name made of the page's token, so that a repeated request creates one
    claim       the record says which worker has it, then Twilio is informed (the sweep finishes after a crash)
    introduce   the customer is added
    send        the text, as any other (sending.once)

Each step can be repeated. A crash in between leaves a conversation with its worker, and a request with the same token
continues it.
"""

from __future__ import annotations

from typing import Any

from assignment import hand_over, matching
from domain import addresses, limits
from domain.conversation import QUEUED, Conversation
from domain.customer import Customer
from domain.fields import is_record_name
from domain.outgoing import on_channel
from domain.worker import Worker
from functions.http import access, requests
from functions.http.answers import (
    Answer,
    BadInput,
    Impossible,
    NotFound,
    Problem,
    Refused,
    TryAgain,
)
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority, sending, thread
from functions.inbox import templates as ready_made
from functions.inbox.page import PAGE
from functions.inbox.requests import FirstTemplates, Message, NewConversation, Search
from functions.inbox.twilio_results import NO_RESPONSE
from providers import (
    beginnings,
    clock,
    configuration,
    conversations,
    customer_lists,
    customers,
    database,
    outbox,
    outgoing,
    twilio,
    windows,
)
from providers.outgoing import Way
from providers.twilio import Outcome, Result

_SHOWN = 30
_MOST_LOOKED_AT = 20
_ONE_TEXT = "A new conversation needs either a body or a template, not both."
_NO_NUMBER = "address is not an international phone number such as +15551234567."
_NO_CUSTOMER = "Customer not found."
_ANOTHER_START = (
    "This message was begun with another number or text. Please begin a new one."
)
_NOT_STARTED = "The conversation could not be started."


def found(visit: Visit, person: Person) -> Answer:
    """POST customers {query}: the worker's own customers by name, the first 30 that match all words."""
    worker = authority.worker(person)
    query = requests.read(visit, Search).query
    access.note(PAGE, "searched for customers", worker)
    return Answer({"customers": own_customers(worker.identity, query)})


def own_customers(identity: str, query: str) -> list[dict[str, Any]]:
    """Return the worker's own customers by name, the first 30 that match all words of the query."""
    words = customer_lists.words_of(query)
    limit = customer_lists.LOOKED_THROUGH if len(words) > 1 else _SHOWN
    records = customer_lists.found(identity, words, None, limit)
    matches = [record for record in records if customer_lists.has_all(record, words)]
    return [_listed(customers.of(record)) for record in matches[:_SHOWN]]


def _listed(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.customer_id,
        "name": customer.display_name,
        "addresses": list(customer.addresses),
    }


def begin(visit: Visit, person: Person) -> Answer:
    """POST conversations: 201 with the new SID, or 200 if the worker has a conversation with the customer already."""
    worker = authority.worker(person)
    body = requests.read(visit, NewConversation)
    if (body.body is None) == (body.template is None):
        raise BadInput(_ONE_TEXT)
    sending.refuse_long(body.channel, body.body or "")
    way = _way(worker, body, body.customer)
    message = Message(token=body.token, body=body.body, template=body.template)
    existing = _existing(worker, way)
    if existing is None:
        _refuse_what_does_not_arrive(worker, way, message)
    _bind(worker, body)
    if existing is not None:
        if existing.last_message is None:  # an earlier try may have stopped here
            _introduce(worker, existing, way)
        _say(worker, existing, message)
        return Answer({"sid": existing.sid}, 200)
    conversation = _begun(worker, way, body.token)
    _introduce(worker, conversation, way)
    _say(worker, conversation, message)
    return Answer({"sid": conversation.sid}, 201)


def _bind(worker: Worker, body: NewConversation) -> None:
    """Let the token stand for this customer, address and content only.

    The conversation's name at Twilio is made of the token, so a second address would join the first one's
    conversation. Raises Impossible for another address or content under the same token.
    """
    entry = outbox.bind(body.token, body.digest, worker.identity)
    if not entry.is_for(body.digest):
        raise Impossible(_ANOTHER_START)


def templates(visit: Visit, person: Person, customer_id: str) -> Answer:
    """GET customers/ID/templates?channel=&address=: the templates that can be sent first, and the window."""
    worker = authority.worker(person)
    way = _way(worker, requests.query(visit, FirstTemplates), customer_id)
    window = windows.between(way.address, way.proxy_address)
    categories = ready_made.listed(worker, _described(way), window)
    return Answer({"categories": categories, "window": thread.shown_window(window)})


def _refuse_what_does_not_arrive(worker: Worker, way: Way, message: Message) -> None:
    """Raise Impossible before anything is created at Twilio."""
    window = windows.between(way.address, way.proxy_address)
    sending.refuse_outside_window(window, message.template)
    if message.template is not None:
        ready_made.content(worker, _described(way), message.template, window)


def _described(way: Way, sid: str = "") -> Conversation:
    """Return the conversation that is to be created."""
    return Conversation(
        sid,
        customer_id=way.customer.customer_id,
        display_name=way.customer.display_name[: limits.NAME],
        address=way.address,
        proxy_address=way.proxy_address,
        service_sid=configuration.service_in_use(None),
        created_at=clock.now(),
    )


def _way(
    worker: Worker, body: NewConversation | FirstTemplates, customer_id: str
) -> Way:
    """Return the customer and both addresses of the new conversation.

    Raises BadInput for an invalid address, NotFound for an unknown customer, and Refused if the worker may not write to
    the customer.
    """
    address = on_channel(body.channel, body.address)
    if not (addresses.is_number(address) or addresses.is_user_id(address)):
        raise BadInput(_NO_NUMBER)
    if not is_record_name(customer_id):
        raise NotFound(_NO_CUSTOMER)
    try:
        return outgoing.way(worker.identity, customer_id, body.channel, address)
    except outgoing.Unknown:
        raise NotFound(_NO_CUSTOMER) from None
    except outgoing.Forbidden as error:
        raise Refused(str(error)) from None


def _existing(worker: Worker, way: Way) -> Conversation | None:
    """Return the worker's own open conversation with these two numbers. Raises Impossible if another worker has it."""
    for conversation in conversations.open_with(way.address, _MOST_LOOKED_AT):
        if not _is_from(conversation, way):
            continue
        if authority.is_theirs(conversation, worker.identity):
            return conversation
        if conversation.state == QUEUED:
            raise _refusal(way, "{customer} has written and is in the queue already.")
        if conversation.worker:
            raise _refusal(
                way,
                "{worker} is in a conversation with {customer} already.",
                conversation.worker,
            )
    return None


def _is_from(conversation: Conversation, way: Way) -> bool:
    """Return whether the conversation uses the same number of ours."""
    own = addresses.key(conversation.proxy_address or "")
    return own == addresses.key(way.proxy_address)


def _begun(worker: Worker, way: Way, token: str) -> Conversation:
    """Create the conversation at Twilio and give it to the worker. Raises TryAgain and Impossible."""
    avatar = {"avatar": way.customer.avatar} if way.customer.avatar else {}
    result = beginnings.create(
        f"inbox-{token}",
        way.customer.display_name,
        avatar,
        configuration.service_in_use(None),
    )
    if result.outcome is not Outcome.DONE:
        raise _failure(result)
    sid = result.body.sid

    def step() -> Conversation:
        if not conversations.load(sid).exists:
            matching.give_to(_described(way, sid), worker, "they wrote first")
        return conversations.load(sid)

    conversation = database.until_it_holds(step)
    if not authority.is_theirs(conversation, worker.identity):
        raise Impossible(f"{_NOT_STARTED} Please try again.")
    return conversation


def _introduce(worker: Worker, conversation: Conversation, way: Way) -> None:
    """Add the customer. If Twilio refuses the customer, close the conversation and raise Impossible."""
    fields: dict[str, Any] = {
        "customer_id": way.customer.customer_id,
        "display_name": way.customer.display_name[: limits.NAME],
        "avatar": way.customer.avatar,
    }
    attributes = limits.with_room_for({}, fields, limits.PARTICIPANT_ATTRIBUTES)
    result = beginnings.add_customer(
        conversation, way.address, way.proxy_address, attributes
    )
    is_done = result.outcome is Outcome.DONE
    if is_done and result.body is not None:
        return
    is_in_use = is_done or result.is_unknown_conflict
    if is_in_use and _has_customer(conversation, way):
        return
    if result.outcome is Outcome.RETRY:
        raise _failure(result)
    hand_over.close(conversation.sid, worker.identity)
    if is_in_use:
        raise _refusal(
            way, "{customer} is in another conversation with our number already."
        )
    raise _failure(result)


def _failure(result: Result) -> Problem:
    """Return what Twilio refused; unlike for a message, a missing conversation can't be continued."""
    if result.outcome is Outcome.RETRY:
        return TryAgain(NO_RESPONSE)
    return Impossible(f"{_NOT_STARTED} {result.why_for_worker}")


def _refusal(way: Way, sentence: str, worker: str = "") -> Impossible:
    """The worker reads the customer's name; the log does not contain it."""
    logged = sentence.format(customer="The customer", worker=worker)
    shown = sentence.format(customer=way.customer.display_name, worker=worker)
    return Impossible(shown, logged=logged)


def _has_customer(conversation: Conversation, way: Way) -> bool:
    """Return whether the customer is a participant. Raises TryAgain."""
    participants = twilio.participants(conversation)
    if participants.outcome is not Outcome.DONE:
        raise TryAgain(NO_RESPONSE)
    return any(
        (participant.messaging_binding or {}).get("address") == way.address
        for participant in participants.body
    )


def _say(worker: Worker, conversation: Conversation, message: Message) -> None:
    """Send the first message, unless an earlier try has sent it."""
    entry = outbox.load(conversation.sid, message.token)
    sending.once(worker, conversation, message, entry)
