"""What a supervisor does to one conversation: hand it over, set its priority, close it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from assignment import supervising
from assignment.hand_over import Refused
from assignment.supervising import Act
from domain.conversation import Conversation
from domain.fields import is_record_name
from domain.worker import is_identity
from functions.desk import authority, team
from functions.desk.requests import HandOver, Priority
from functions.http import requests
from functions.http.answers import Answer, BadInput, Impossible, NotFound
from functions.http.requests import RequestModel
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import conversations, database, pools, settings

_SID = re.compile(r"CH[0-9a-fA-F]{32}")


def conversation(sid: str) -> Conversation:
    """Return the conversation. Raises NotFound for one without a record."""
    found = conversations.load(sid) if _SID.fullmatch(sid) else None
    if found is None or not found.exists:
        raise NotFound("Conversation not found.")
    return found


def hand_over(visit: Visit, person: Person, sid: str) -> Answer:
    """POST conversations/SID/hand-over {to, pool | worker, word, seen}."""
    supervisor = authority.supervisor(person)
    conversation(sid)
    wanted = requests.read(visit, HandOver)
    word = " ".join(wanted.word.split())
    act = Act(sid, supervisor.identity, word)
    if wanted.seen is not None:
        act = Act(sid, supervisor.identity, word, wanted.seen)
    return _done(sid, _change(act, wanted))


def priority(visit: Visit, person: Person, sid: str) -> Answer:
    """POST conversations/SID/priority {priority}."""
    supervisor = authority.supervisor(person)
    conversation(sid)
    number = requests.read(visit, Priority).priority
    act = Act(sid, supervisor.identity)
    return _done(sid, partial(supervising.set_priority, act, number))


def close(visit: Visit, person: Person, sid: str) -> Answer:
    """POST conversations/SID/close."""
    supervisor = authority.supervisor(person)
    conversation(sid)
    requests.read(visit, RequestModel)
    return _done(sid, partial(supervising.close, Act(sid, supervisor.identity)))


def _change(act: Act, wanted: HandOver) -> Callable[[], None]:
    if wanted.to == "queue":
        return partial(supervising.to_pool, act, None)
    if wanted.to == "pool":
        return partial(supervising.to_pool, act, _pool(wanted.pool))
    if wanted.worker is None or not is_identity(wanted.worker):
        raise BadInput("worker must be the name of a worker.", field="worker")
    return partial(supervising.to_worker, act, wanted.worker)


def _done(sid: str, change: Callable[[], None]) -> Answer:
    """Make the change. Raises Impossible if the conversation's state doesn't allow it."""
    try:
        change()
    except Refused as error:
        raise Impossible(str(error)) from None
    finally:
        team.read_again(sid)
    return Answer({})


def _pool(name: str | None) -> str:
    """Raise Impossible for a pool without a record; only the default pool works without one."""
    if name is None or not is_record_name(name):
        raise BadInput("pool must be the name of a pool.", field="pool")
    record, rules = database.read(pools.reference(name), settings.reference())
    if not record.exists and name != settings.of(rules).default_pool:
        raise Impossible("This pool no longer exists. Choose another one.")
    return name
