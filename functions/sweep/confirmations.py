"""Unconfirmed workers: Frontline is asked again about those who are due, a few in each run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from assignment import worker_care
from domain import confirmation
from domain.worker import Worker
from functions.sweep.run import Run
from providers import clock, database
from providers.twilio import Outcome

_AT_ONCE = 5
_MARGIN = 8.0


def ask(looked_at: Iterable[Worker], run: Run) -> None:
    """Of the workers that this run looks at anyway, so that it costs nothing where none is due."""
    now = clock.now()
    due = [worker for worker in looked_at if confirmation.is_due(worker, now)]
    for worker in run.in_time(due[:_AT_ONCE], _MARGIN):
        again = partial(
            database.until_it_holds, partial(worker_care.ask_frontline, worker.identity)
        )
        outcome = run.shielded("worker", worker.identity, again, None)
        run.note("workers whom Frontline knows", outcome is Outcome.DONE)
        if outcome is Outcome.RETRY:
            return
