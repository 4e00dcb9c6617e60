"""Returns unanswered conversations to the queue after their pool's answer deadline.

The precision is the sweep's minute. All overdue conversations are worked through, of all pools together the longest
wait first; what the part's time doesn't allow is left for the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import NamedTuple

from assignment import answers, worker_care
from domain import patience
from domain.conversation import INACTIVE, Conversation
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
    """Return what is overdue, and reset the count of workers that answer again.

    If no pool has a deadline this costs a read and a query.
    """
    bots = settings.load().bots
    with_deadline = pools.with_patience(_MOST_POOLS)
    if not with_deadline:
        return progress
    overdue = _overdue(with_deadline)
    send = partial(_send_back, run=run, bots=bots)
    sent = run.each(overdue, "conversation", _sid, send, otherwise=False)
    run.note("back for want of an answer", sum(is_back for _, is_back in sent))
    missed = workers.who_missed(_WORKERS_AT_ONCE)
    reset = run.each(missed, "worker", _identity, _answers_again, otherwise=False)
    run.note("workers who answer again", sum(is_reset for _, is_reset in reset))
    return progress


class _Overdue(NamedTuple):
    """A conversation whose customer may have waited too long, and its pool."""

    conversation: Conversation
    pool: Pool


def _sid(overdue: _Overdue) -> str:
    return overdue.conversation.sid


def _identity(worker: Worker) -> str:
    return worker.identity


def _overdue(with_deadline: Iterable[Pool]) -> list[_Overdue]:
    """Return what is overdue by the records, of all pools together the longest wait first."""
    now = clock.now()
    overdue = []
    for pool in with_deadline:
        due = patience.latest_due(pool, now)
        if due:
            unanswered = conversations.unanswered(pool.id, due, _AT_ONCE)
            overdue += [_Overdue(conversation, pool) for conversation in unanswered]
    return sorted(overdue, key=lambda o: o.conversation.awaiting_since or now)


def _send_back(overdue: _Overdue, run: Run, bots: Collection[str]) -> bool:
    """Return one conversation to the queue.

    Nothing is taken from a worker while Twilio doesn't list the messages and participants: a person may have typed
    another name into the record, and the event of that may be lost.
    """
    conversation, pool = overdue
    newest = unheard.newest(conversation)
    if newest is None:
        return False
    is_settled = conversation.leaving is None or conversation.state == INACTIVE
    if is_settled and not twilio_states.put_right_who_has_it(conversation, bots):
        return False
    moved = answers.take_back(conversation.sid, pool, newest)
    if moved is None:
        return False
    run.look_for_workers(moved.conversation, moved.freed)
    return True


def _answers_again(worker: Worker) -> bool:
    """Reset the count of missed conversations if the worker has answered since; return whether it was reset."""
    since = worker.missed_at
    if since is None or not conversations.has_answered(worker.identity, since):
        return False
    try:
        worker_care.answers_again(worker)
    except database.LostRace:
        return False  # the next run looks again
    return True
