"""Follows the switch in Frontline's own app, which sends no webhook: it makes a worker Available or Unavailable here.

Off unless settings/routing has frontline_status. Workers are asked about in turns, so a change is at most as many
minutes late as a round has runs; the trigger on workers' records does what follows, as with any other change.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from assignment import ledger
from domain import rules
from domain.worker import Worker
from functions.sweep.run import Run, next_after
from providers import database, log, settings, twilio, workers
from providers.sweeps import Progress
from providers.twilio import Outcome

_AT_ONCE = 60  # workers in one run: a change takes at most their number divided by this, in minutes


def follow(progress: Progress, run: Run, at_once: int = _AT_ONCE) -> Progress:
    """Ask about the next workers of the round; if Frontline doesn't respond, the next run begins with the same one."""
    if not settings.load().frontline_status:
        return progress
    after = progress.frontline_after
    listed = workers.after(after, at_once)
    follow_one = partial(_follow, run=run)
    for worker, is_asked in run.each(
        listed, "worker", lambda worker: worker.identity, follow_one, otherwise=True
    ):
        if not is_asked:
            return replace(progress, frontline_after=after)
        after = worker.identity
    names = [worker.identity for worker in listed]
    return replace(progress, frontline_after=next_after(names, after, at_once))


def _follow(worker: Worker, run: Run) -> bool:
    """Follow one worker's switch. False: Frontline doesn't respond, so this run stops asking."""
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
    """Write the position of the switch; return whether the status follows it. Raises database.LostRace."""
    worker = workers.load(identity)
    if worker.version is None or worker.frontline_available == is_available:
        return False
    turns = rules.follows_frontline(worker, is_available)
    ledger.follow_frontline(worker, is_available, changes_status=turns)
    return turns
