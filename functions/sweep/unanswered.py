"""Customers whom their worker does not answer: back to the queue, after as long as their pool says.

The sweep's minute is the precision. Every query is bounded: what is over is left for the next run.
"""

from __future__ import annotations

from functools import partial

from assignment import answers, worker_care
from domain import patience
from domain.conversation import Conversation
from domain.pool import Pool
from domain.worker import Worker
from functions.sweep import unheard
from functions.sweep.run import Run
from providers import clock, conversations, database, pools, workers
from providers.sweeps import Progress

_MOST_POOLS = 100
_AT_ONCE = 30  # conversations of one pool
_MARGIN = 15.0  # seconds kept back for the queue and the counts


def send_back(progress: Progress, run: Run) -> Progress:
    """Where no pool has a limit, one query is all that it costs."""
    patient = pools.with_patience(_MOST_POOLS)
    if not patient:
        return progress
    for pool in run.in_time(patient, _MARGIN):
        due = patience.latest_due(pool, clock.now())
        found = conversations.unanswered(pool.id, due, _AT_ONCE) if due else []
        for conversation in run.in_time(found, _MARGIN):
            is_back = run.shielded(
                "conversation", conversation.sid, partial(_send_back, conversation, pool), False
            )
            run.note("back for want of an answer", is_back)
    for worker in run.in_time(workers.who_missed(_AT_ONCE), _MARGIN):
        answers_again = run.shielded("worker", worker.identity, partial(_answers_again, worker), False)
        run.note("workers who answer again", answers_again)
    return progress


def _send_back(conversation: Conversation, pool: Pool) -> bool:
    """Where Twilio does not tell what was written, nothing is taken from anybody."""
    told = unheard.newest(conversation)
    return told is not None and answers.take_back(conversation.sid, pool, told)


def _answers_again(worker: Worker) -> bool:
    since = worker.missed_at
    if since is None or not conversations.has_answered(worker.identity, since):
        return False
    try:
        worker_care.answers_again(worker)
    except database.LostRace:
        return False  # the next run looks again
    return True
