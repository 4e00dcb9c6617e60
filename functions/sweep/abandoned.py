"""What was begun and not finished before its lease ran out: somebody has crashed, or Twilio did not answer in time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from assignment import arrival, claim, hand_over, ledger, matching
from domain.conversation import QUEUED, UNROUTED, Conversation
from domain.transitions import LEASE
from functions.sweep.run import Run
from providers import clock, conversations, database, twilio
from providers.sweeps import Progress
from providers.twilio import Outcome

_AT_ONCE = 50
_TROUBLE = 3  # calls in a row without an answer, after which Twilio is left alone until the next run
_MARGIN = 5.0


def finish(progress: Progress, run: Run) -> Progress:
    trouble = 0
    for conversation in run.in_time(conversations.with_lease_over(clock.now(), _AT_ONCE), _MARGIN):
        if trouble == _TROUBLE:
            break
        outcome = run.shielded("conversation", conversation.sid, partial(_finish, conversation), None)
        trouble = trouble + 1 if outcome is Outcome.RETRY else 0
        run.note("assignments finished", outcome in (Outcome.DONE, Outcome.GONE, Outcome.NEXT_WORKER))
    for conversation in run.in_time(conversations.starting(_AT_ONCE), _MARGIN):
        started = run.shielded("conversation", conversation.sid, partial(_start, conversation), False)
        run.note("started late", started)
    return progress


def _finish(conversation: Conversation) -> Outcome | None:
    """Takes the lease over first, so that of two sweeps one calls Twilio; None: the other one has it.

    One that a person has edited meanwhile is a hand-over. Raises hand_over.Refused while Twilio does
    not tell who is in it.
    """
    lease, attempts = clock.now() + LEASE, conversation.attempts + 1
    try:
        taken = ledger.move(conversation, replace(conversation, lease_until=lease, attempts=attempts))
    except database.LostRace:
        return None
    if conversation.state in (QUEUED, UNROUTED):
        return claim.let_out(taken.conversation)
    if conversation.is_claim_edited:
        hand_over.edited(
            conversation.sid, conversation.participant_sid, conversation.worker, conversation.claimed_for
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
