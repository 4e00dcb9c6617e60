"""The times at which Frontline is asked about a worker that no person has confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from domain.worker import SERVICE, Worker

# From one question to the next. After the last one only a person can confirm the record: a web chat makes a user, and
# with it a record, for every visitor.
_PAUSES = (
    timedelta(0),
    timedelta(0),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=7),
)


def is_due(worker: Worker, now: datetime) -> bool:
    """Return whether Frontline is asked about this worker now.

    Only a record that the service made and that is not confirmed leads to a question.
    """
    if worker.version is None or worker.confirmed or worker.made_by != SERVICE:
        return False
    return worker.ask_frontline_at is not None and worker.ask_frontline_at <= now


def asked_again(worker: Worker, now: datetime) -> Worker:
    """Return the worker after a question that has not confirmed them.

    The pauses grow, and after the last one no further question follows.
    """
    questions = worker.frontline_asked
    next_at = now + _PAUSES[questions] if questions < len(_PAUSES) else None
    return replace(worker, frontline_asked=questions + 1, ask_frontline_at=next_at)
