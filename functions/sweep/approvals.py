"""Follows WhatsApp's approval of the templates, once an hour: it pauses and disables them without a webhook.

Only existing records are updated, so that a template that a person has deleted does not come back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from functions.sweep.run import Run
from providers import clock, contents, log, templates
from providers.sweeps import Progress
from providers.twilio import Outcome

_EVERY = timedelta(hours=1)
_AFTER_FAILURE = timedelta(minutes=5)


def refresh(progress: Progress, run: Run) -> Progress:
    """Update the templates' records if an hour has passed, or five minutes after a failure."""
    now, checked_at = clock.now(), progress.templates_checked_at
    if checked_at is not None and now - _EVERY < checked_at <= now:
        return progress
    if templates.with_content() and not _refreshed(run):
        return replace(progress, templates_checked_at=now - _EVERY + _AFTER_FAILURE)
    return replace(progress, templates_checked_at=now)


def _refreshed(run: Run) -> bool:
    """Return whether Twilio listed the templates."""
    result = contents.listed()
    if result.outcome is not Outcome.DONE:
        level = log.warning if result.outcome is Outcome.RETRY else log.error
        level(f"The templates' approvals could not be read: {result.why}")
        return False
    for change in run.in_time(contents.plan(result.body, creates=False)):
        apply = partial(contents.apply, change)
        is_changed = run.shielded("template", change.template_id, apply, False)
        run.note("templates' approvals", bool(is_changed))
    return True
