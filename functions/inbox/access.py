"""The access log: one line for each look at a customer's data, by which worker and at what, never what was in it."""

from __future__ import annotations

from domain.worker import Worker
from functions.inbox import kept
from functions.inbox.authority import Theirs
from functions.inbox.session import Person
from providers import log

_A_LOOK_LASTS = 3600.0  # seconds in which an open conversation that is read every few seconds is one look


def note(did: str, worker: Worker, **at: str) -> None:
    """`at`: SIDs of what was looked at."""
    log.info(did, function="inbox", worker=worker.identity, **at)


def note_thread(person: Person, theirs: Theirs, is_opened: bool) -> None:
    """`is_opened`: the thread was asked for from its end, as a page does that opens it. Reading on is noted as well,
    once an hour: a look is in the log however it is asked for."""
    sid = theirs.conversation.sid
    look = ("looked", person.session or person.identity, sid)
    if is_opened:
        kept.drop(look)
    kept.get(look, _A_LOOK_LASTS, lambda: _noted(theirs, sid))


def _noted(theirs: Theirs, sid: str) -> bool:
    note("opened a conversation", theirs.worker, conversation=sid)
    return True
