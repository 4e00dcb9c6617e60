"""Asks Frontline again about unconfirmed workers, a few in each run."""

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
    """Ask about those that are due among the workers that this run has read anyway, so that this costs no query.

    Ends when Frontline doesn't respond.
    """
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
