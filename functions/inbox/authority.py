"""Decides what a worker may see and change: the conversations with the worker in `worker` or `others`.

A worker also reads the closed conversations of a customer that they are in an open conversation with, unless
`settings/routing.history` is own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.conversation import ASSIGNED, CLOSED, INACTIVE, Conversation
from domain.settings import Settings
from domain.worker import Worker
from functions.http import session
from functions.http.answers import NotFound, Refused
from functions.http.session import Person
from functions.inbox.page import PAGE
from providers import conversations, customers, database, settings, workers

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from providers.database import Snapshot

_SID = re.compile(r"CH[0-9a-fA-F]{32}")
_NOT_FOUND = "Conversation not found."
_OPEN = (ASSIGNED, INACTIVE)
_MOST_OPEN = 20  # conversations of one customer that are with a worker now


@dataclass(frozen=True)
class Theirs:
    """A worker, one of the worker's conversations, and what else was read in the same round trip."""

    worker: Worker
    conversation: Conversation
    more: tuple[Snapshot, ...] = ()


def worker(person: Person) -> Worker:
    """Return the person's record. Raises Refused if there is none."""
    return session.worker(PAGE, person)


def theirs(person: Person, sid: str, *more: DocumentReference) -> Theirs:
    """Return the worker and the conversation, with the documents `more`.

    Raises NotFound for another worker's conversation, exactly as for one that does not exist.
    """
    if not _SID.fullmatch(sid):
        raise NotFound(_NOT_FOUND)
    record, stored, *others = database.read(
        workers.reference(person.identity), conversations.reference(sid), *more
    )
    worker = session.worker_of(PAGE, person, workers.of(record))
    conversation = conversations.of(stored)
    if not is_theirs(conversation, worker.identity):
        raise NotFound(_NOT_FOUND)
    return Theirs(worker, conversation, tuple(others))


def readable(person: Person, sid: str) -> Theirs:
    """Return the worker and a conversation that they may read: one of their own, or an earlier one of a customer.

    Raises NotFound for all others. For an earlier one of another worker this reads the settings and the customer's open
    conversations in addition.
    """
    if not _SID.fullmatch(sid):
        raise NotFound(_NOT_FOUND)
    record, stored = database.read(
        workers.reference(person.identity), conversations.reference(sid)
    )
    worker = session.worker_of(PAGE, person, workers.of(record))
    conversation = conversations.of(stored)
    is_own = is_theirs(conversation, worker.identity)
    if not is_own and not _is_earlier(conversation, worker.identity):
        raise NotFound(_NOT_FOUND)
    return Theirs(worker, conversation)


def _is_earlier(conversation: Conversation, identity: str) -> bool:
    """Return whether this is a closed conversation of a customer that the worker is in an open conversation with."""
    if conversation.state != CLOSED or settings.load().history != "all":
        return False
    same_customer = conversations.with_worker_open(
        conversation.customer_id, conversation.address, _MOST_OPEN
    )
    return any(opens_history(open_one, identity) for open_one in same_customer)


def opens_history(conversation: Conversation, identity: str) -> bool:
    """Return whether the worker `identity` may read earlier conversations because of this one."""
    return conversation.state in _OPEN and is_theirs(conversation, identity)


def may_read_earlier(earlier: Conversation, held: Theirs, rules: Settings) -> bool:
    """Return whether the worker may read an earlier conversation of the customer of the one that they have."""
    identity = held.worker.identity
    if is_theirs(earlier, identity):
        return True
    is_allowed = rules.history == "all" and opens_history(held.conversation, identity)
    return is_allowed and earlier.state == CLOSED


def refuse_hidden_customer(
    worker: Worker, conversation: Conversation, record: Snapshot, rules: Snapshot
) -> None:
    """Raise Refused if the customer of this closed conversation is now assigned to another worker.

    The thread of a closed conversation stays visible to its worker; the customer's current record does not.
    """
    if conversation.state != CLOSED:
        return
    customer, name = customers.of(record), conversation.customer_id or record.id
    if not customers.may_see(customer, worker.identity, settings.of(rules), name):
        raise Refused(customers.ANOTHER_WORKERS)


def is_theirs(conversation: Conversation, identity: str) -> bool:
    """Return whether the worker `identity` may see and change the conversation."""
    return conversation.exists and identity in (
        conversation.worker,
        *conversation.others,
    )
