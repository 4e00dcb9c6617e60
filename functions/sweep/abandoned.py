"""Steps that were not finished before their lease ran out: after a crash, or because Twilio didn't respond in time."""

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
    """Finish them, oldest lease first; what the part's time doesn't allow is left for the next run.

    While Twilio doesn't respond, each try takes seconds.
    """
    expired = conversations.with_lease_over(clock.now(), _AT_ONCE)
    outcomes = run.each(expired, "conversation", _sid, _finish, None)
    run.note("assignments finished", sum(outcome in _DONE for _, outcome in outcomes))
    starting = conversations.starting(_AT_ONCE)
    started = run.each(starting, "conversation", _sid, _start, otherwise=False)
    run.note("started late", sum(is_started for _, is_started in started))
    return progress


def _sid(conversation: Conversation) -> str:
    return conversation.sid


def _finish(conversation: Conversation) -> Outcome | None:
    """Renew the lease first, so that of two sweeps one calls Twilio, then finish; None: the other sweep was faster.

    A claim that a person has edited is a hand-over. Raises hand_over.Refused while Twilio doesn't say who the
    participants are.
    """
    lease, attempts = clock.now() + LEASE, conversation.attempts + 1
    renewed = replace(conversation, lease_until=lease, attempts=attempts)
    try:
        taken = ledger.move(conversation, renewed).conversation
    except database.LostRace:
        return None
    if conversation.state in (QUEUED, UNROUTED):
        return claim.let_out(taken)
    if conversation.is_claim_edited:
        _hand_over(conversation)
        return Outcome.DONE
    worker = conversation.worker or ""
    if not worker_care.first_confirmed([worker]):
        out = partial(membership.take_out, conversation.sid, worker)
        database.until_it_holds(out)
        return Outcome.NEXT_WORKER
    outcome = matching.finish(taken)
    if outcome is Outcome.MISSING and twilio.is_gone(conversation):
        matching.close(conversation.sid, "Twilio does not know it any more")
        return Outcome.GONE
    return outcome


def _hand_over(edited: Conversation) -> None:
    hand_over.edited(
        edited.sid, edited.participant_sid, edited.worker, edited.claimed_for
    )


def _start(conversation: Conversation) -> bool:
    """Route a group conversation whose "active" event was lost; return whether it was routed or closed."""
    now = clock.now()
    if now - (conversation.created_at or now) < LEASE:
        return False
    result = twilio.state(conversation)
    if result.outcome is Outcome.MISSING and twilio.is_gone(conversation):
        matching.close(conversation.sid, "Twilio does not know it")
        return True
    if result.outcome is not Outcome.DONE or result.body.state == "initializing":
        return False
    database.until_it_holds(lambda: arrival.activated(conversation.sid))
    return True
