"""Reads the supervisor's record for this request; anyone else is refused."""

from __future__ import annotations

from domain.worker import Worker
from functions.desk.page import PAGE
from functions.http import session
from functions.http.session import Person

Supervisor = Worker


def supervisor(person: Person) -> Supervisor:
    """Return the supervisor's record. Raise Refused for a worker who is none."""
    return session.worker(PAGE, person)
