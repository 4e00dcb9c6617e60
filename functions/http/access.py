"""The access log: one line for each look at a customer's data, by which worker and at what, never what was in it."""

from __future__ import annotations

from domain.worker import Worker
from functions.http import cache
from functions.http.page import Page
from functions.http.session import Person
from providers import log

_A_LOOK_LASTS = 3600.0  # seconds in which an open conversation that is read every few seconds is one look


def note(page: Page, did: str, worker: Worker, **at: str) -> None:
    """`at`: SIDs of what was looked at."""
    log.info(did, function=page.name, worker=worker.identity, **at)


def note_thread(
    page: Page, person: Person, worker: Worker, sid: str, is_opened: bool
) -> None:
    """`is_opened`: the thread was asked for from its end, as a page does that opens it. Reading on is noted as well,
    once an hour: a look is in the log however it is asked for."""
    look = ("looked", person.session or person.identity, sid)
    if is_opened:
        cache.drop(look)
    cache.get(look, _A_LOOK_LASTS, lambda: _noted(page, worker, sid))


def _noted(page: Page, worker: Worker, sid: str) -> bool:
    note(page, "opened a conversation", worker, conversation=sid)
    return True
