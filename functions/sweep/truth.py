"""The log against Twilio, a few conversations each time: closed there, or the worker no longer in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from functions import assignment, membership
from providers import conversations, database, deadline, twilio
from providers.conversations import ASSIGNED, QUEUED, Conversation
from providers.sweeps import Progress
from providers.twilio import Outcome, Place

_AT_ONCE = 20
_MARGIN = 8.0


def compare(progress: Progress, mended: Counter[str]) -> Progress:
    looked_at = progress.truth_after
    found = conversations.in_states_after((QUEUED, ASSIGNED), progress.truth_after, _AT_ONCE)
    for conversation in found:
        if deadline.is_over(_MARGIN):
            return replace(progress, truth_after=looked_at)
        mended["conversations that Twilio knows otherwise"] += _compare(conversation)
        looked_at = conversation.sid
    mended += Counter()  # without the zeros
    return replace(progress, truth_after=looked_at if len(found) == _AT_ONCE else None)


def _compare(conversation: Conversation) -> int:
    place = Place(conversation.service_sid, conversation.sid)
    answer = twilio.state(place)
    if answer.outcome is Outcome.GONE or (answer.outcome is Outcome.DONE and answer.body.state == "closed"):
        assignment.close(conversation.sid, "Twilio has closed it")
        return 1
    people = twilio.participants(place)
    if answer.outcome is not Outcome.DONE or people.outcome is not Outcome.DONE:
        return 0
    inside = {p.identity: p.sid for p in people.body if p.identity}
    return _differs(conversation, inside)


def _differs(conversation: Conversation, inside: dict[str, str]) -> int:
    """Puts right who is in it, unless the log has moved on meanwhile; returns how many were put right."""
    try:
        if conversation.state == ASSIGNED and conversation.worker not in inside:
            membership.holder_left(conversation)
        elif conversation.state == QUEUED and inside:
            identity, participant_sid = next(iter(inside.items()))
            membership.joined(conversation.sid, conversation.service_sid, identity, participant_sid)
        else:
            return 0
    except database.LostRace:
        return 0
    return 1
