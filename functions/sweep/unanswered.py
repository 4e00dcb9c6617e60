"""Customers whom their worker does not answer: back to the queue, after as long as their pool says.

The sweep's minute is the precision. Every query is bounded: what is over is left for the next run.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

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
_AT_ONCE = 30  # conversations of one pool
_MARGIN = 15.0  # seconds kept back for the queue and the counts


def send_back(progress: Progress, run: Run) -> Progress:
    """Where no pool has a limit, one query is all that it costs."""
    patient = pools.with_patience(_MOST_POOLS)
    if not patient:
        return progress
    bots = settings.load().bots
    for pool in run.in_time(patient, _MARGIN):
        due = patience.latest_due(pool, clock.now())
        found = conversations.unanswered(pool.id, due, _AT_ONCE) if due else []
        for conversation in run.in_time(found, _MARGIN):
            send = partial(_send_back, conversation, pool, bots)
            is_back = run.shielded("conversation", conversation.sid, send, False)
            run.note("back for want of an answer", is_back)
    for worker in run.in_time(workers.who_missed(_AT_ONCE), _MARGIN):
        answers_again = run.shielded("worker", worker.identity, partial(_answers_again, worker), False)
        run.note("workers who answer again", answers_again)
    return progress


def _send_back(conversation: Conversation, pool: Pool, bots: Collection[str]) -> bool:
    """Where Twilio does not tell what was written and who is in it, nothing is taken from anybody: a person may have
    written another name into the record, of which no event has told."""
    told = unheard.newest(conversation)
    if told is None or (
        conversation.leaving is None and not twilio_states.put_right_who_has_it(conversation, bots)
    ):
        return False
    return answers.take_back(conversation.sid, pool, told)


def _answers_again(worker: Worker) -> bool:
    since = worker.missed_at
    if since is None or not conversations.has_answered(worker.identity, since):
        return False
    try:
        worker_care.answers_again(worker)
    except database.LostRace:
        return False  # the next run looks again
    return True
