"""Customers whom their worker does not answer: back to the queue, after as long as their pool says.

The sweep's minute is the precision. All that is due is worked through, of all pools together the longest wait first;
what the part's time does not allow is left for the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import NamedTuple

from assignment import answers, worker_care
from domain import patience
from domain.conversation import Conversation
from domain.pool import Pool
from domain.worker import Worker
from functions.sweep import twilio_states, unheard
from functions.sweep.run import Run
from providers import clock, conversations, database, pools, settings, workers
from providers.sweeps import Progress

_MOST_POOLS = 100
_AT_ONCE = 500  # conversations of one pool
_WORKERS_AT_ONCE = 30


def send_back(progress: Progress, run: Run) -> Progress:
    """Where no pool has a limit, one query is all that it costs."""
    patient = pools.with_patience(_MOST_POOLS)
    if not patient:
        return progress
    send = partial(_send_back, run=run, bots=settings.load().bots)
    sent = run.each(
        _due(patient),
        "conversation",
        lambda one: one.conversation.sid,
        send,
        otherwise=False,
    )
    run.note("back for want of an answer", sum(is_back for _, is_back in sent))
    missed = run.each(
        workers.who_missed(_WORKERS_AT_ONCE),
        "worker",
        lambda worker: worker.identity,
        _answers_again,
        otherwise=False,
    )
    run.note(
        "workers who answer again", sum(answers_again for _, answers_again in missed)
    )
    return progress


class _Overdue(NamedTuple):
    """A conversation whose customer may have waited too long, and its pool."""

    conversation: Conversation
    pool: Pool


def _due(patient: Iterable[Pool]) -> list[_Overdue]:
    """What looks overdue in the log, of all pools together the longest wait first."""
    found = []
    for pool in patient:
        if due := patience.latest_due(pool, clock.now()):
            unanswered = conversations.unanswered(pool.id, due, _AT_ONCE)
            found += [_Overdue(conversation, pool) for conversation in unanswered]
    return sorted(found, key=lambda one: one.conversation.awaiting_since or clock.now())


def _send_back(overdue: _Overdue, run: Run, bots: Collection[str]) -> bool:
    """Where Twilio does not tell what was written and who is in it, nothing is taken from anybody: a person may have
    written another name into the record, of which no event has told."""
    conversation, pool = overdue
    told = unheard.newest(conversation)
    if told is None or (
        conversation.leaving is None
        and not twilio_states.put_right_who_has_it(conversation, bots)
    ):
        return False
    moved = answers.take_back(conversation.sid, pool, told)
    if moved is None:
        return False
    run.look_for_workers(moved.conversation, moved.freed)
    return True


def _answers_again(worker: Worker) -> bool:
    since = worker.missed_at
    if since is None or not conversations.has_answered(worker.identity, since):
        return False
    try:
        worker_care.answers_again(worker)
    except database.LostRace:
        return False  # the next run looks again
    return True
