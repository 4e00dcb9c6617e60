"""Assignments whose lease ran out: whoever began them has crashed, or Twilio did not answer in time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from functions import arrival, assignment, claims, decisions
from providers import clock, conversations, database, deadline, pools, twilio, workers
from providers.conversations import Conversation
from providers.sweeps import Progress
from providers.twilio import Outcome, Place

_AT_ONCE = 50
_TROUBLE = 3  # calls in a row without an answer, after which Twilio is left alone until the next run
_MARGIN = 5.0


def finish(progress: Progress, mended: Counter[str]) -> Progress:
    trouble = 0
    for conversation in conversations.with_lease_over(clock.now(), _AT_ONCE):
        if deadline.is_over(_MARGIN) or trouble == _TROUBLE:
            break
        outcome = _finish(conversation)
        trouble = trouble + 1 if outcome is Outcome.RETRY else 0
        if outcome in (Outcome.DONE, Outcome.GONE, Outcome.NEXT_WORKER):
            mended["assignments finished"] += 1
    for conversation in conversations.starting(_AT_ONCE):
        if not deadline.is_over(_MARGIN) and _start(conversation):
            mended["started late"] += 1
    return progress


def _finish(conversation: Conversation) -> Outcome | None:
    """Takes the lease over first, so that of two sweeps one calls Twilio; None: the other one has it."""
    again = replace(
        conversation, lease_until=clock.now() + decisions.LEASE, attempts=conversation.attempts + 1
    )
    try:
        taken, _ = conversations.move(conversation, again)
    except database.LostRace:
        return None
    outcome = claims.finish(taken)
    if outcome is Outcome.GONE:
        assignment.take_next(workers.load(taken.worker or ""), "has a free slot")
    elif outcome is Outcome.NEXT_WORKER and taken.pool:
        assignment.drain(pools.load(taken.pool)[taken.pool])
    return outcome


def _start(conversation: Conversation) -> bool:
    """Routes a group conversation whose "active" never came."""
    if clock.now() - (conversation.created_at or clock.now()) < decisions.LEASE:
        return False
    answer = twilio.state(Place(conversation.service_sid, conversation.sid))
    if answer.outcome is Outcome.GONE:
        assignment.close(conversation.sid, "Twilio does not know it")
        return True
    if answer.outcome is not Outcome.DONE or answer.body.state == "initializing":
        return False
    database.until_it_holds(lambda: arrival.activated(conversation.sid))
    return True
