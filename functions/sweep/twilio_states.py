"""The log against Twilio, a few conversations each time: its state there, who is in it, and what was written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from assignment import activity, claim, hand_over, matching, membership
from domain import edits, rules
from domain.conversation import ASSIGNED, INACTIVE, QUEUED, Conversation
from functions.sweep import left_out, unheard
from functions.sweep.run import Run
from providers import clock, conversations, database, settings, twilio, workers
from providers.sweeps import Progress
from providers.twilio import Outcome, Result

_AWAKE = (QUEUED, ASSIGNED)
_AT_ONCE = 20
_ASLEEP_AT_ONCE = 10
_MARGIN = 8.0


def compare(progress: Progress, run: Run) -> Progress:
    """Two rounds: those who have or want a worker, and those asleep or left out, of which there may be any number."""
    found = conversations.in_states_after(_AWAKE, progress.truth_after, _AT_ONCE)
    awake = _round(found, progress.truth_after, _AT_ONCE, run)
    found = conversations.asleep_or_left_out_after(progress.asleep_after, _ASLEEP_AT_ONCE)
    asleep = _round(found, progress.asleep_after, _ASLEEP_AT_ONCE, run)
    return replace(progress, truth_after=awake, asleep_after=asleep)


def _round(found: list[Conversation], after: str | None, at_once: int, run: Run) -> str | None:
    """Compares the next ones; returns where the round stands, None at its end."""
    bots = settings.load().bots if found else ()
    _let_go_of_the_vanished(found, run)
    for conversation in run.in_time(found, _MARGIN):
        look = partial(left_out.look, conversation)
        if not rules.is_left_out(conversation):
            states = _AWAKE if conversation.state in _AWAKE else (INACTIVE,)
            look = partial(_compare, conversation.sid, states, bots)
        is_mended = run.shielded("conversation", conversation.sid, look, False)
        run.note("conversations that Twilio knows otherwise", is_mended)
        if conversation.state in _AWAKE:
            was_news = run.shielded(
                "conversation", conversation.sid, partial(unheard.hear, conversation), False
            )
            run.note("conversations with unheard messages", was_news)
        after = conversation.sid
    at_end = len(found) < at_once and (not found or after == found[-1].sid)
    return None if at_end else after


def _let_go_of_the_vanished(found: list[Conversation], run: Run) -> None:
    """What those hold whose record was deleted while nobody told of it waits again."""
    holders = sorted({one.holder for one in found if one.holder})
    for worker in workers.load_all(holders):
        if worker.version is None:
            run.shielded("worker", worker.identity, partial(membership.vanished, worker.identity), None)
            run.note("workers without a record who held something")


def _compare(sid: str, states: tuple[str, ...], bots: Collection[str]) -> bool:
    conversation = conversations.load(sid)
    if conversation.state not in states:
        return False
    result = twilio.state(conversation)
    if _has_ended(conversation, result):
        matching.close(conversation.sid, "Twilio has closed it")
        return True
    people = twilio.participants(conversation)
    if result.outcome is not Outcome.DONE or people.outcome is not Outcome.DONE:
        return False
    if conversation.leaving and (conversation.lease_until is None or conversation.lease_until <= clock.now()):
        carry_on = matching.finish if conversation.is_handed_on else claim.let_out
        carry_on(conversation)
        return True
    inside = _workers_in(conversation, people, bots)
    bound = any((p.messaging_binding or {}).get("address") for p in people.body)
    if conversation.state == QUEUED and not inside and not bound:
        matching.close(conversation.sid, "the customer left it")
        return True
    try:
        return _put_right(conversation, result.body.state, inside)
    except (database.LostRace, hand_over.Refused):
        return False  # the log has moved on meanwhile, or Twilio does not tell just now


def put_right_who_has_it(conversation: Conversation, bots: Collection[str]) -> bool:
    """For one that cannot wait for its turn: what the log says of who is in it, where Twilio says otherwise.

    False where Twilio does not tell, or somebody else is changing it just now.
    """
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        return False
    try:
        _put_right(conversation, "active", _workers_in(conversation, people, bots))
    except (database.LostRace, hand_over.Refused):
        return False
    return True


def _workers_in(conversation: Conversation, people: Result, bots: Collection[str]) -> dict[str, str]:
    """By identity, with the participant's SID; without bots and without one who is leaving."""
    others = (*bots, conversation.leaving)
    return {p.identity: p.sid for p in people.body if p.identity and p.identity not in others}


def _has_ended(conversation: Conversation, result: Result) -> bool:
    if result.outcome is Outcome.DONE:
        return bool(result.body.state == "closed")
    return result.outcome is Outcome.MISSING and twilio.is_gone(conversation)


def _put_right(conversation: Conversation, state: str, inside: dict[str, str]) -> bool:
    """Makes the log say what Twilio says; returns whether it said something else."""
    if conversation.state == INACTIVE and conversation.lease_until is not None:
        return _finish_asleep(conversation, inside)
    if edits.of_its_worker(conversation, inside):
        hand_over.edited(conversation.sid, conversation.participant_sid, conversation.worker)
        return True
    if (
        conversation.worker is not None
        and conversation.worker not in inside
        and conversation.lease_until is None
    ):
        # Who is in it there may be its worker untold, also from before a person's edit of a stay that nobody knows.
        membership.holder_left(replace(conversation, others=tuple(sorted(inside))))
        alone = conversations.load(conversation.sid)
        if alone.state == INACTIVE and state == "active":
            activity.woke_up(alone)
    elif conversation.worker is None and (strangers := inside.keys() - set(conversation.others)):
        identity = min(strangers)
        participant_sid = inside[identity]
        membership.joined(conversation.sid, conversation.service_sid, identity, participant_sid)
    elif conversation.state == ASSIGNED and state == "inactive":
        activity.fell_asleep(conversation)
    elif conversation.state == INACTIVE and state == "active":
        activity.woke_up(conversation)
    elif conversation.participant_sid is None and (stay := inside.get(conversation.worker or "")):
        membership.joined(conversation.sid, conversation.service_sid, conversation.worker or "", stay)
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
        matching.queue(conversation, conversation, membership.pool_for(conversation), why)
    return True
