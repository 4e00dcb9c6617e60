"""The switch in Frontline's own app, of which no webhook tells: whoever turns it turns Available or Unavailable here.

Off unless settings/routing has frontline_status. Workers are asked for in turns, so a change is at most as many
minutes late as there are rounds of sweeps; what follows from it is the trigger's business, as with any other change.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from assignment import ledger
from domain import rules
from domain.worker import Worker
from functions.sweep.run import Run
from providers import database, log, settings, twilio, workers
from providers.sweeps import Progress
from providers.twilio import Outcome

_AT_ONCE = 60  # workers asked for in one run: their number divided by this is how many minutes a change takes


def follow(progress: Progress, run: Run, at_once: int = _AT_ONCE) -> Progress:
    """One round's next stretch. While Frontline does not answer nobody is passed over."""
    if not settings.load().frontline_status:
        return progress
    after, found = (
        progress.frontline_after,
        workers.after(progress.frontline_after, at_once),
    )
    follow_one = partial(_follow, run=run)
    for worker, is_asked in run.each(
        found, "worker", lambda one: one.identity, follow_one, otherwise=True
    ):
        if not is_asked:
            return replace(progress, frontline_after=after)
        after = worker.identity
    at_end = len(found) < at_once and (not found or after == found[-1].identity)
    return replace(progress, frontline_after=None if at_end else after)


def _follow(worker: Worker, run: Run) -> bool:
    """False: Frontline cannot tell just now, and would not tell of the next one either."""
    if not worker.can_sign_in or not worker.confirmed:
        return True
    result = twilio.frontline_user(worker.identity)
    if result.outcome is Outcome.MISSING:
        return True  # has never signed in there
    if result.outcome is not Outcome.DONE:
        level = log.warning if result.outcome is Outcome.RETRY else log.error
        level(
            f"Frontline does not say who is available: {result.why}",
            worker=worker.identity,
        )
        return False
    is_available = bool(result.body.is_available) and result.body.state != "deactivated"
    if is_available == worker.frontline_available:
        return True
    if database.until_it_holds(partial(_noted, worker.identity, is_available)):
        run.note("workers who turned the switch in Frontline's app")
        log.info("the switch in Frontline's app was turned", worker=worker.identity)
    return True


def _noted(identity: str, is_available: bool) -> bool:
    """Writes down where the switch stands; returns whether the status follows it. Raises database.LostRace."""
    worker = workers.load(identity)
    if worker.version is None or worker.frontline_available == is_available:
        return False
    turns = rules.follows_frontline(worker, is_available)
    ledger.follow_frontline(worker, is_available, changes_status=turns)
    return turns
