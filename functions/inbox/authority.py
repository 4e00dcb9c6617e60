"""Who may see and touch what, in one place: a worker the conversations whose `worker` or `others` name them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.conversation import CLOSED, Conversation
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


@dataclass(frozen=True)
class Theirs:
    """A worker with one of their conversations, and what else was read in the same round trip."""

    worker: Worker
    conversation: Conversation
    more: tuple[Snapshot, ...] = ()


def worker(person: Person) -> Worker:
    """Raises Refused for somebody without a record."""
    return session.worker(PAGE, person)


def theirs(person: Person, sid: str, *more: DocumentReference) -> Theirs:
    """Raises NotFound for another's conversation, exactly as for one that does not exist."""
    if not _SID.fullmatch(sid):
        raise NotFound("There is no such conversation.")
    record, found, *others = database.read(
        workers.reference(person.identity), conversations.reference(sid), *more
    )
    them = session.worker_of(PAGE, person, workers.of(record))
    conversation = conversations.of(found)
    if not is_theirs(conversation, them.identity):
        raise NotFound("There is no such conversation with you.")
    return Theirs(them, conversation, tuple(others))


def refuse_hidden_customer(
    worker: Worker, conversation: Conversation, record: Snapshot, rules: Snapshot
) -> None:
    """Raise Refused for a customer who became another worker's after this conversation was closed.

    The thread of a closed conversation stays open to its worker; the customer's record of today does not.
    """
    if conversation.state != CLOSED:
        return
    customer, asked_as = customers.of(record), conversation.customer_id or record.id
    if not customers.may_see(customer, worker.identity, settings.of(rules), asked_as):
        raise Refused(customers.ANOTHER_WORKERS)


def is_theirs(conversation: Conversation, identity: str) -> bool:
    return conversation.exists and identity in (
        conversation.worker,
        *conversation.others,
    )
