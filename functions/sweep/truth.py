"""The log against Twilio, a few conversations each time: its state there, and who is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from functions import activity, assignment, membership
from providers import conversations, database, deadline, twilio
from providers.conversations import ASSIGNED, INACTIVE, QUEUED, Conversation
from providers.sweeps import Progress
from providers.twilio import Outcome, Place

_AT_ONCE = 20
_COMPARED = (QUEUED, ASSIGNED)
_MARGIN = 8.0


def compare(progress: Progress, mended: Counter[str]) -> Progress:
    looked_at = progress.truth_after
    found = conversations.in_states_after(_COMPARED, progress.truth_after, _AT_ONCE)
    for conversation in found:
        if deadline.is_over(_MARGIN):
            return replace(progress, truth_after=looked_at)
        mended["conversations that Twilio knows otherwise"] += _compare(conversation.sid)
        looked_at = conversation.sid
    mended += Counter()  # without the zeros
    return replace(progress, truth_after=looked_at if len(found) == _AT_ONCE else None)


def _compare(sid: str) -> int:
    conversation = conversations.load(sid)
    if conversation.state not in _COMPARED:
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
    if (
        conversation.worker is not None
        and conversation.worker not in inside
        and conversation.lease_until is None
    ):
        membership.holder_left(conversation)
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
