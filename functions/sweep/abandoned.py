"""What was begun and not finished before its lease ran out: somebody has crashed, or Twilio did not answer in time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from assignment import (
    arrival,
    claim,
    hand_over,
    ledger,
    matching,
    membership,
    worker_care,
)
from domain.conversation import QUEUED, UNROUTED, Conversation
from domain.transitions import LEASE
from functions.sweep.run import Run
from providers import clock, conversations, database, twilio
from providers.sweeps import Progress
from providers.twilio import Outcome

_AT_ONCE = 200
_DONE = (Outcome.DONE, Outcome.GONE, Outcome.NEXT_WORKER)


def finish(progress: Progress, run: Run) -> Progress:
    """While Twilio does not answer each try takes seconds, so what the part's time does not allow is left for later."""
    over = conversations.with_lease_over(clock.now(), _AT_ONCE)
    finished = run.each(over, "conversation", _sid, _finish, None)
    run.note("assignments finished", sum(outcome in _DONE for _, outcome in finished))
    started = run.each(
        conversations.starting(_AT_ONCE), "conversation", _sid, _start, otherwise=False
    )
    run.note("started late", sum(is_started for _, is_started in started))
    return progress


def _sid(conversation: Conversation) -> str:
    return conversation.sid


def _finish(conversation: Conversation) -> Outcome | None:
    """Takes the lease over first, so that of two sweeps one calls Twilio; None: the other one has it.

    One that a person has edited meanwhile is a hand-over. Raises hand_over.Refused while Twilio does
    not tell who is in it.
    """
    lease, attempts = clock.now() + LEASE, conversation.attempts + 1
    try:
        taken = ledger.move(
            conversation, replace(conversation, lease_until=lease, attempts=attempts)
        )
    except database.LostRace:
        return None
    if conversation.state in (QUEUED, UNROUTED):
        return claim.let_out(taken.conversation)
    if not conversation.is_claim_edited and not worker_care.first_confirmed(
        [conversation.worker or ""]
    ):
        database.until_it_holds(
            partial(membership.take_out, conversation.sid, conversation.worker or "")
        )
        return Outcome.NEXT_WORKER
    if conversation.is_claim_edited:
        hand_over.edited(
            conversation.sid,
            conversation.participant_sid,
            conversation.worker,
            conversation.claimed_for,
        )
        return Outcome.DONE
    outcome = matching.finish(taken.conversation)
    if outcome is Outcome.MISSING and twilio.is_gone(conversation):
        matching.close(conversation.sid, "Twilio does not know it any more")
        return Outcome.GONE
    return outcome


def _start(conversation: Conversation) -> bool:
    """Routes a group conversation whose "active" never came."""
    if clock.now() - (conversation.created_at or clock.now()) < LEASE:
        return False
    result = twilio.state(conversation)
    if result.outcome is Outcome.MISSING and twilio.is_gone(conversation):
        matching.close(conversation.sid, "Twilio does not know it")
        return True
    if result.outcome is not Outcome.DONE or result.body.state == "initializing":
        return False
    database.until_it_holds(lambda: arrival.activated(conversation.sid))
    return True
