"""Handles a worker's actions: set the status, mark as read, hand over, close."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from assignment import answers, ledger
from assignment import hand_over as handing
from domain.fields import is_record_name
from domain.worker import is_identity
from functions.http import requests
from functions.http.answers import Answer, BadInput, Impossible
from functions.http.requests import RequestModel
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority
from functions.inbox.requests import HandOver, ReadUpTo, Status
from providers import database, log, pools, settings
from providers import messages as at_twilio


def status(visit: Visit, person: Person) -> Answer:
    """POST status: the worker's own choice, independent of whether the page is open."""
    worker = authority.worker(person)
    new_status = requests.read(visit, Status).status
    ledger.set_status(worker.identity, new_status)
    log.info(f"turned {new_status}", worker=worker.identity)
    return Answer({"status": new_status})


def read(visit: Visit, person: Person, sid: str) -> Answer:
    """POST read: mark messages up to an index as read; later ones stay unread, in whatever order both arrive.

    `unread` counts for the assigned worker, so that a look of another participant changes nothing.
    """
    theirs = authority.theirs(person, sid)
    conversation = theirs.conversation
    index = requests.read(visit, ReadUpTo).index
    if conversation.worker != theirs.worker.identity:
        return Answer({})
    is_changed = database.until_it_holds(partial(answers.has_read, sid, index))
    if is_changed and conversation.participant_sid:
        at_twilio.looked(conversation, conversation.participant_sid, index)
    return Answer({})


def unread(visit: Visit, person: Person, sid: str) -> Answer:
    """POST unread: mark the customer's last message as unread, so that the worker comes back to it."""
    theirs = authority.theirs(person, sid)
    requests.read(visit, RequestModel)
    if theirs.conversation.worker == theirs.worker.identity:
        database.until_it_holds(partial(answers.mark_unread, sid))
    return Answer({})


def hand_over(visit: Visit, person: Person, sid: str) -> Answer:
    """POST hand-over: to the queue, another pool or a named worker. Raises Impossible, BadInput."""
    worker = authority.theirs(person, sid).worker
    target = requests.read(visit, HandOver)
    if target.to == "queue":
        change = partial(handing.to_queue, sid, worker.identity, target.word)
    elif target.to == "pool":
        pool = _pool(_named(target.pool, "pool"))
        change = partial(handing.to_pool, sid, worker.identity, pool, target.word)
    else:
        next_worker = _named(target.worker, "worker")
        change = partial(
            handing.to_worker, sid, worker.identity, next_worker, target.word
        )
    return _answer(change)


def close(visit: Visit, person: Person, sid: str) -> Answer:
    """POST close: end the conversation. Raises Impossible."""
    worker = authority.theirs(person, sid).worker
    requests.read(visit, RequestModel)
    return _answer(partial(handing.close, sid, worker.identity))


def _answer(change: Callable[[], object]) -> Answer:
    """Make the change. Raises Impossible if the conversation's state doesn't allow it."""
    try:
        change()
    except handing.Refused as error:
        raise Impossible(str(error)) from None
    return Answer({})


def _pool(name: str) -> str:
    """Raise Impossible for a pool without a record; only the default pool works without one."""
    record, rules = database.read(pools.reference(name), settings.reference())
    if not record.exists and name != settings.of(rules).default_pool:
        raise Impossible("This pool no longer exists. Choose another one.")
    return name


def _named(name: str | None, field: str) -> str:
    """Return the name. Raises BadInput if it cannot be the name of a worker's or a pool's record."""
    is_name = is_identity if field == "worker" else is_record_name
    if name is None or not is_name(name):
        raise BadInput(f"{field} must be the name of a {field}.")
    return name
