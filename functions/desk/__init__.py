"""The supervisor's pages: their addresses and their handlers."""

from __future__ import annotations

from functions.desk import (
    acts,
    authority,
    conversations,
    customers,
    now,
    people,
    records,
    reports,
    setup,
    thread,
)
from functions.desk.page import PAGE
from functions.desk.requests import Remove, Save
from functions.http import requests
from functions.http.answers import Answer
from functions.http.router import Route, Router
from functions.http.session import Person
from functions.http.webhook import Visit


def _me(visit: Visit, person: Person) -> Answer:
    """GET me: the supervisor who is signed in."""
    supervisor = authority.supervisor(person)
    return Answer({"identity": supervisor.identity, "name": supervisor.name})


def _load(visit: Visit, person: Person, kind: str, name: str) -> Answer:
    authority.supervisor(person)
    return records.load(kind, name)


def _save(visit: Visit, person: Person, kind: str, name: str) -> Answer:
    supervisor = authority.supervisor(person)
    wanted = requests.read(visit, Save)
    return records.save(
        supervisor, kind, name, wanted.version, wanted.fields, wanted.removed
    )


def _remove(visit: Visit, person: Person, kind: str, name: str) -> Answer:
    supervisor = authority.supervisor(person)
    wanted = requests.read(visit, Remove)
    return records.remove(supervisor, kind, name, wanted.version)


_CONVERSATION = "conversations/<sid>"

# A search is a POST, so that its words are in no request log.
ROUTES = (
    Route("GET", "now", now.state),
    Route("POST", "now/status", now.set_status),
    Route("POST", "conversations", conversations.found),
    Route("POST", "conversations/export", conversations.export),
    Route("GET", _CONVERSATION, thread.opened),
    Route("GET", f"{_CONVERSATION}/messages", thread.listed),
    Route("GET", f"{_CONVERSATION}/transcript", thread.transcript),
    Route("GET", f"{_CONVERSATION}/media/<media_sid>", thread.media),
    Route("POST", f"{_CONVERSATION}/hand-over", acts.hand_over),
    Route("POST", f"{_CONVERSATION}/priority", acts.priority),
    Route("POST", f"{_CONVERSATION}/close", acts.close),
    Route("GET", "me", _me),
    Route("GET", "records/<kind>/<name>", _load),
    Route("POST", "records/<kind>/<name>", _save),
    Route("POST", "records/<kind>/<name>/remove", _remove),
    *people.ROUTES,
    *customers.ROUTES,
    *setup.ROUTES,
    Route("GET", "reports", reports.load),
)
_ROUTER = Router(PAGE, ROUTES)


def handle(visit: Visit) -> Answer:
    return _ROUTER.answer(visit)
