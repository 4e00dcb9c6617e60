"""One claim from its beginning to its end: take a slot, add the worker at Twilio, write down the outcome.

Each step can be repeated: an unfinished claim is found by its lease, and the next caller finishes it. Which worker
gets which conversation is decided in assignment/matching.py; docs/decisions/0001-claims.md has the states.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from assignment import ledger
from assignment.ledger import Moved
from domain import transitions
from domain.conversation import ASSIGNED, ASSIGNING, CLOSED, INACTIVE, Conversation
from domain.pool import Pool
from domain.worker import Worker
from providers import clock, conversations, database, log, pools, settings, twilio
from providers.twilio import Outcome, Result

_MARGIN = 0.5  # seconds that must be left to try again
_WORTH_A_LOOK = (Outcome.DONE, Outcome.NEXT_WORKER, Outcome.REFUSED)


def take(
    conversation: Conversation,
    worker: Worker,
    why: str,
    known: Mapping[str, Pool] = ledger.NO_POOLS,
) -> Moved | None:
    """Claim the conversation for this worker.

    `why`: for the log, after "to NAME:". `known`: pools that are loaded already. Returns None if only the worker's
    record has changed meanwhile; raises database.LostRace if the conversation's has.
    """
    after = transitions.claimed(
        conversation, worker, uuid.uuid4().hex, clock.now(), why
    )
    moved: Moved | None
    try:
        moved = ledger.move(conversation, after, worker, known)
    except database.LostRace:
        moved = _won_after_all(conversation, after)
    if moved is not None:
        log.info(
            f"assigning: {why}",
            conversation=after.sid,
            worker=worker.identity,
            pool=after.pool,
        )
    return moved


def _won_after_all(before: Conversation, after: Conversation) -> Moved | None:
    """After a lost race, return this claim if only the answer to its commit was lost."""
    current = conversations.load(before.sid)
    if current.claim == after.claim:
        return Moved(current)
    if current.version != before.version or clock.is_time_over(_MARGIN):
        raise database.LostRace(before.sid)
    return None


def finish(conversation: Conversation) -> Outcome:
    """Add the claimed worker at Twilio, remove the one handing it over, and write down the outcome. Safe to repeat.

    matching.finish does what has to follow.
    """
    result = _add(conversation)
    if result.outcome is Outcome.DONE:
        if conversation.leaving_sid and not _is_out(conversation):
            return Outcome.RETRY
        return confirm(conversation, getattr(result.body, "sid", None))
    if result.outcome is Outcome.GONE:
        end(conversation.sid, "Twilio has closed it or does not know it")
        return Outcome.GONE
    if _is_refused(conversation, result):
        _put_back(conversation, result)
        return Outcome.NEXT_WORKER
    _leave_for_later(conversation, result)
    return result.outcome


def _is_refused(conversation: Conversation, result: Result) -> bool:
    """Return whether Twilio never adds this worker; for a conversation being handed over, any refusal is final."""
    if result.outcome is Outcome.NEXT_WORKER:
        return True
    return conversation.is_handed_on and result.outcome is Outcome.REFUSED


def let_out(conversation: Conversation) -> Outcome:
    """Remove the leaving worker at Twilio, and write that down. Safe to repeat; RETRY: the sweep tries again.

    If the conversation was given back to that worker meanwhile (assignment/answers.py), they may have been removed by
    this call, and are added again.
    """
    if not _has_left(conversation):
        return Outcome.RETRY
    current = database.until_it_holds(partial(_without_leaving, conversation))
    if current.state == ASSIGNING and current.worker == conversation.leaving:
        return finish(current)
    return Outcome.DONE


def _without_leaving(removed: Conversation) -> Conversation:
    """Write down that the worker in `removed.leaving` is out; returns the record as it is stored now."""
    current = conversations.load(removed.sid)
    leaving, leaving_sid = removed.leaving, removed.leaving_sid
    if (current.leaving, current.leaving_sid) == (leaving, leaving_sid):
        return ledger.move(current, transitions.out(current)).conversation
    is_given_back = current.state == ASSIGNED and current.worker == leaving
    if is_given_back and current.participant_sid in (None, leaving_sid):
        again = transitions.added_again(current, clock.now())
        return ledger.move(current, again).conversation
    return current


def confirm(conversation: Conversation, participant_sid: str | None) -> Outcome:
    """Write down that the worker is in the conversation.

    `conversation`: the claim as it was when the worker was added. `participant_sid`: None if Twilio's answer did not
    contain it. GONE: the record has moved on since this claim, and the worker was removed again.
    """
    try:
        ledger.move(conversation, _confirmed(conversation, participant_sid))
    except database.LostRace:
        again = partial(_confirm_current, conversation, participant_sid)
        if not database.until_it_holds(again):
            return _withdraw(conversation, participant_sid)
    log.info("assigned", conversation=conversation.sid, worker=conversation.worker)
    return Outcome.DONE


def _confirmed(claimed: Conversation, participant_sid: str | None) -> Conversation:
    alone = transitions.out(claimed) if claimed.leaving else claimed
    return transitions.confirmed(alone, participant_sid, clock.now())


def _confirm_current(claimed: Conversation, participant_sid: str | None) -> bool:
    """Confirm the claim in the current record; return whether the worker belongs there."""
    current = conversations.load(claimed.sid)
    if current.claim == claimed.claim and _is_in_flight(current):
        # A person may have typed another worker into the record meanwhile: the sweep follows that.
        ours = replace(current, worker=claimed.worker)
        after = replace(_confirmed(ours, participant_sid), worker=current.worker)
        ledger.move(current, after)
        return True
    return current.worker == claimed.worker or current.state == CLOSED


def _is_in_flight(conversation: Conversation) -> bool:
    if conversation.lease_until is None:
        return False
    return conversation.state in (ASSIGNING, INACTIVE)


def end(sid: str, why: str) -> Worker | None:
    """Write down that a conversation is closed; return the worker with the slot that this frees.

    A conversation without a record gets one, because its other events may still be on their way.
    """

    def step() -> Worker | None:
        before = conversations.load(sid)
        if before.state == CLOSED:
            return None
        after = transitions.closed(before, clock.now(), why, settings.kept_for())
        freed = ledger.move(before, after).freed
        log.info(f"closed: {why}", conversation=sid, worker=before.worker)
        if _is_never_answered(before):
            log.warning("closed before any reply to the customer", conversation=sid)
        return freed

    return database.until_it_holds(step)


def _is_never_answered(conversation: Conversation) -> bool:
    is_awaited = conversation.awaiting_since is not None
    return is_awaited and conversation.first_answer_at is None


def _add(conversation: Conversation) -> Result:
    """Add the worker at Twilio; returns DONE with the participant, or without one if Twilio doesn't say which it is.

    A worker who is in it already, by an earlier try with a lost answer, or whom Twilio refuses, is looked up among the
    participants: only Twilio knows the participant SID. A group message may need the projected address, which no
    webhook may have brought yet.
    """
    result = twilio.add_worker(
        conversation, conversation.worker or "", conversation.projected_address
    )
    if result.body is not None or result.outcome not in _WORTH_A_LOOK:
        return result
    people = twilio.participants(conversation)
    if people.outcome is Outcome.RETRY and result.outcome is not Outcome.DONE:
        return people
    if people.outcome is not Outcome.DONE:
        return _believed(result)
    return _added_after_look(conversation, result, people.body)


def _added_after_look(
    conversation: Conversation, result: Result, people: Iterable[Any]
) -> Result:
    identity = conversation.worker or ""
    projected = next(filter(None, map(_projected_address, people)), None)
    if (
        result.outcome is Outcome.REFUSED
        and projected
        and projected != conversation.projected_address
    ):
        return twilio.add_worker(conversation, identity, projected)
    participant = _participant_of(identity, people)
    if participant is None:
        return _believed(result)
    return Result(Outcome.DONE, body=participant)


def _projected_address(participant: Any) -> str | None:
    return (participant.messaging_binding or {}).get("projected_address")


def _participant_of(identity: str | None, people: Iterable[Any]) -> Any:
    """Return the participant with this identity, None if there is none."""
    return next((person for person in people if person.identity == identity), None)


def _believed(result: Result) -> Result:
    """Turn a conflict with an unknown code into RETRY, because the worker was not seen in the conversation."""
    if result.is_unknown_conflict:
        return replace(result, outcome=Outcome.RETRY)
    return result


def _withdraw(conversation: Conversation, participant_sid: str | None) -> Outcome:
    """Remove the participant that was added for an outdated claim."""
    if participant_sid is not None:
        twilio.remove_participant(conversation, participant_sid)
    log.warning(
        "added too late, and out again",
        conversation=conversation.sid,
        worker=conversation.worker,
    )
    return Outcome.GONE


def _is_out(conversation: Conversation) -> bool:
    """Remove the leaving participant at Twilio; one that is no longer there is fine."""
    participant_sid = conversation.leaving_sid or ""
    result = twilio.remove_participant(conversation, participant_sid)
    if twilio.is_out(conversation, participant_sid, result):
        return True
    _leave_for_later(conversation, result)
    return False


def _has_left(conversation: Conversation) -> bool:
    """Remove the worker in `leaving`; without a known participant SID, look for them first."""
    if conversation.leaving is None or conversation.leaving_sid:
        return conversation.leaving_sid is None or _is_out(conversation)
    people = twilio.participants(conversation)
    if people.outcome in (Outcome.RETRY, Outcome.MISCONFIGURED):
        return False
    if people.outcome is not Outcome.DONE:
        return True
    participant = _participant_of(conversation.leaving, people.body)
    if participant is None:
        return True
    return _is_out(replace(conversation, leaving_sid=participant.sid))


def _put_back(conversation: Conversation, result: Result) -> None:
    """Free the slot of a worker that Twilio refuses.

    The conversation stays with the worker handing it over, who is still in it, or waits for another worker.
    """
    identity = conversation.worker or ""
    log.warning(
        f"Twilio does not add the worker: {result.why}",
        conversation=conversation.sid,
        worker=identity,
    )
    why = f"{identity} could not be added: {result.why}"

    def step() -> None:
        current = conversations.load(conversation.sid)
        if current.claim != conversation.claim:
            return
        if current.is_handed_on:
            ledger.move(current, transitions.stays(current, clock.now(), why))
        elif current.state == ASSIGNING:
            _queue_without(current, identity, why)

    database.until_it_holds(step)


def _queue_without(current: Conversation, identity: str, why: str) -> None:
    now = clock.now()
    after = transitions.without(replace(current, mode="pool"), identity, now)
    pool = pools.load(after.pool or settings.load().default_pool)
    ledger.move(current, transitions.queued(after, pool, now, why))


def _leave_for_later(conversation: Conversation, result: Result) -> None:
    """Keep the claim for the sweep, and note in the log why the worker is not in it yet."""
    level = log.warning if result.outcome is Outcome.RETRY else log.error
    level(
        f"The worker is not added yet: {result.why}",
        conversation=conversation.sid,
        worker=conversation.worker,
    )
    database.until_it_holds(lambda: _try_again_later(conversation, result))


def _try_again_later(claimed: Conversation, result: Result) -> None:
    """End the lease, so that the next caller may try; a record that has moved on is left alone."""
    before, now = conversations.load(claimed.sid), clock.now()
    if (before.state, before.claim) == (claimed.state, claimed.claim):
        noted = replace(before, lease_until=now).noted(
            now, "waiting", f"to be tried again: {result.why}"
        )
        ledger.move(before, noted)
