"""Writes the access log: one line whenever a worker looks at a customer's data, without the data itself."""

from __future__ import annotations

from domain.worker import Worker
from functions.http import cache
from functions.http.page import Page
from functions.http.session import Person
from providers import log

_A_LOOK_LASTS = 3600.0  # seconds; a page reads an open conversation every few seconds


def note(page: Page, did: str, worker: Worker, **at: str) -> None:
    """Log what a worker did. `at`: SIDs of the objects that were read."""
    log.info(did, function=page.name, worker=worker.identity, **at)


def note_thread(
    page: Page, person: Person, worker: Worker, sid: str, is_opened: bool
) -> None:
    """Log that a worker reads a thread: each time it is opened, and once an hour while it is read.

    `is_opened`: the request asks for the newest messages, as a page does when it opens a conversation.
    """
    look = ("looked", person.session or person.identity, sid)
    if is_opened:
        cache.drop(look)
    cache.get(look, _A_LOOK_LASTS, lambda: _noted(page, worker, sid))


def _noted(page: Page, worker: Worker, sid: str) -> bool:
    """Log the look; the return value makes the cache remember it."""
    note(page, "opened a conversation", worker, conversation=sid)
    return True
