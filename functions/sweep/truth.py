"""The log against Twilio, a few conversations each time: its state there, and who is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from functions import activity, assignment, membership
from providers import clock, conversations, database, deadline, twilio
from providers.conversations import ASSIGNED, INACTIVE, QUEUED, Conversation
from providers.sweeps import Progress
from providers.twilio import Outcome, Place

_AT_ONCE = 20
_ASLEEP_AT_ONCE = 10
_COMPARED = (QUEUED, ASSIGNED)
_MARGIN = 8.0


def compare(progress: Progress, mended: Counter[str]) -> Progress:
    """Two rounds: those who have or want a worker, and those asleep, of which there may be any number."""
    progress = replace(progress, truth_after=_round(_COMPARED, progress.truth_after, _AT_ONCE, mended))
    asleep = _round((INACTIVE,), progress.asleep_after, _ASLEEP_AT_ONCE, mended)
    mended += Counter()  # without the zeros
    return replace(progress, asleep_after=asleep)


def _round(states: tuple[str, ...], after: str | None, at_once: int, mended: Counter[str]) -> str | None:
    """Compares the next ones; returns where the round stands, None at its end."""
    found = conversations.in_states_after(states, after, at_once)
    for conversation in found:
        if deadline.is_over(_MARGIN):
            return after
        mended["conversations that Twilio knows otherwise"] += _compare(conversation.sid, states)
        after = conversation.sid
    return after if len(found) == at_once else None


def _compare(sid: str, states: tuple[str, ...]) -> int:
    conversation = conversations.load(sid)
    if conversation.state not in states:
        return 0
    place = Place(conversation.service_sid, conversation.sid)
    answer = twilio.state(place)
    if answer.outcome is Outcome.GONE or (answer.outcome is Outcome.DONE and answer.body.state == "closed"):
        assignment.close(conversation.sid, "Twilio has closed it")
        return 1
    people = twilio.participants(place)
    if answer.outcome is not Outcome.DONE or people.outcome is not Outcome.DONE:
        return 0
    inside = {p.identity: p.sid for p in people.body if p.identity}
    try:
        return int(_put_right(conversation, answer.body.state, inside))
    except database.LostRace:
        return 0  # the log has moved on meanwhile


def _put_right(conversation: Conversation, state: str, inside: dict[str, str]) -> bool:
    """Makes the log say what Twilio says; returns whether it said something else."""
    if conversation.state == INACTIVE and conversation.lease_until is not None:
        return _finish_asleep(conversation, inside)
    if (
        conversation.worker is not None
        and conversation.worker not in inside
        and conversation.lease_until is None
    ):
        membership.holder_left(conversation)
        alone = conversations.load(conversation.sid)
        if alone.state == INACTIVE and state == "active":
            activity.woke_up(alone)
    elif conversation.worker is None and inside:
        identity, participant_sid = next(iter(inside.items()))
        membership.joined(conversation.sid, conversation.service_sid, identity, participant_sid)
    elif conversation.state == ASSIGNED and state == "inactive":
        for worker in activity.fell_asleep(conversation):
            assignment.take_next(worker, "has a free slot")
    elif conversation.state == INACTIVE and state == "active":
        activity.woke_up(conversation)
    else:
        return False
    return True


def _finish_asleep(conversation: Conversation, inside: dict[str, str]) -> bool:
    """One that fell asleep while its worker was being added, who is in it or never came."""
    if conversation.lease_until is None or conversation.lease_until > clock.now():
        return False
    identity = conversation.worker or ""
    if identity in inside:
        membership.joined(conversation.sid, conversation.service_sid, identity, inside[identity])
    elif conversation.mode == "custom":
        activity.woke_up(conversation)
    else:
        why = f"it fell asleep before {identity} was in it"
        assignment.queue(conversation, conversation, membership.pool_for(conversation), why)
    return True
