"""One claim from its beginning to its end: take a slot, tell Twilio, write down what came of it.

Each step can be repeated by whoever comes next: a claim that nobody finished is found by its lease. Which
conversation is claimed for whom is decided in assignment/matching.py; docs/decisions/0001-claims.md has the states.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from assignment import ledger
from assignment.ledger import Moved
from domain import transitions
from domain.conversation import ASSIGNED, ASSIGNING, CLOSED, INACTIVE, Conversation
from domain.pool import Pool
from domain.worker import Worker
from providers import clock, conversations, database, log, pools, settings, twilio
from providers.twilio import Outcome, Result

_MARGIN = 0.5  # seconds that must be left to try again


def take(
    conversation: Conversation,
    worker: Worker,
    why: str,
    known: Mapping[str, Pool] = ledger.NO_POOLS,
) -> Moved | None:
    """Claims the conversation for this worker; None: somebody else changed the worker's record first.

    Raises database.LostRace if somebody has decided about the conversation meanwhile.
    """
    after = transitions.claimed(
        conversation, worker, uuid.uuid4().hex, clock.now(), why
    )
    moved: Moved | None
    try:
        moved = ledger.move(conversation, after, worker, known)
    except database.LostRace:
        if (moved := _won_after_all(conversation, after)) is None:
            return None
    log.info(
        f"assigning: {why}",
        conversation=after.sid,
        worker=worker.identity,
        pool=after.pool,
    )
    return moved


def _won_after_all(before: Conversation, after: Conversation) -> Moved | None:
    """After a lost race: our own claim, if only the answer to its commit was lost."""
    current = conversations.load(before.sid)
    if current.claim == after.claim:
        return Moved(current)
    if current.version != before.version or clock.is_time_over(_MARGIN):
        raise database.LostRace(before.sid)
    return None


def finish(conversation: Conversation) -> Outcome:
    """Adds the claimed worker at Twilio, takes out whoever hands it on, writes down what came of it. Safe to repeat.

    What has to be done next about whom is said in matching.finish.
    """
    result = _add(conversation)
    if (
        result.outcome is Outcome.DONE
        and conversation.leaving_sid
        and not _is_out(conversation)
    ):
        return Outcome.RETRY
    if result.outcome is Outcome.DONE:
        return confirm(conversation, getattr(result.body, "sid", None))
    if result.outcome is Outcome.GONE:
        end(conversation.sid, "Twilio has closed it or does not know it")
    elif result.outcome is Outcome.NEXT_WORKER or (
        conversation.is_handed_on and result.outcome is Outcome.REFUSED
    ):
        _put_back(conversation, result)
        return Outcome.NEXT_WORKER
    else:
        _leave_for_later(conversation, result)
    return result.outcome


def let_out(conversation: Conversation) -> Outcome:
    """Takes whoever is leaving it out at Twilio, and writes that down. Safe to repeat; else the sweep tries again.

    One to whom it was given back meanwhile (assignment/answers.py) may just have been taken out, and is added again.
    """
    if not _has_left(conversation):
        return Outcome.RETRY

    def step() -> Conversation:
        current = conversations.load(conversation.sid)
        if (current.leaving, current.leaving_sid) == (
            conversation.leaving,
            conversation.leaving_sid,
        ):
            return ledger.move(current, transitions.out(current)).conversation
        is_theirs_again = (
            current.state == ASSIGNED and current.worker == conversation.leaving
        )
        if is_theirs_again and current.participant_sid in (
            None,
            conversation.leaving_sid,
        ):
            return ledger.move(
                current, transitions.added_again(current, clock.now())
            ).conversation
        return current

    current = database.until_it_holds(step)
    if current.state == ASSIGNING and current.worker == conversation.leaving:
        return finish(current)
    return Outcome.DONE


def confirm(conversation: Conversation, participant_sid: str | None) -> Outcome:
    """Writes down that the worker is in it. GONE: it has moved on since this claim, and they are out again."""

    def there(claimed: Conversation) -> Conversation:
        alone = transitions.out(claimed) if claimed.leaving else claimed
        return transitions.confirmed(alone, participant_sid, clock.now())

    def again() -> bool:
        current = conversations.load(conversation.sid)
        in_flight = (
            current.state in (ASSIGNING, INACTIVE) and current.lease_until is not None
        )
        if in_flight and current.claim == conversation.claim:
            # A person may have written another worker into it meanwhile: that is still to be done, by the sweep.
            ours = there(replace(current, worker=conversation.worker))
            ledger.move(current, replace(ours, worker=current.worker))
            return True
        return current.worker == conversation.worker or current.state == CLOSED

    try:
        ledger.move(conversation, there(conversation))
    except database.LostRace:
        if not database.until_it_holds(again):
            return _withdraw(conversation, participant_sid)
    log.info("assigned", conversation=conversation.sid, worker=conversation.worker)
    return Outcome.DONE


def end(sid: str, why: str) -> Worker | None:
    """Notes a conversation as closed; returns the worker who has a free slot now. One that is unknown is noted
    too: its other events may be on their way still."""

    def step() -> Worker | None:
        before = conversations.load(sid)
        if before.state == CLOSED:
            return None
        after = transitions.closed(before, clock.now(), why, settings.kept_for())
        freed = ledger.move(before, after).freed
        log.info(f"closed: {why}", conversation=sid, worker=before.worker)
        return freed

    return database.until_it_holds(step)


def _add(conversation: Conversation) -> Result:
    """One who is in it already, by an earlier try whose answer was lost, is looked for there: only Twilio knows what
    their stay is called; so is one whom Twilio refuses. And a group message may want the projected address, which no
    webhook may have told yet."""
    identity = conversation.worker or ""
    result = twilio.add_worker(conversation, identity, conversation.projected_address)
    is_in_it = result.outcome is Outcome.DONE
    if result.body is not None or not (
        is_in_it or result.outcome in (Outcome.NEXT_WORKER, Outcome.REFUSED)
    ):
        return result
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        return (
            people
            if people.outcome is Outcome.RETRY and not is_in_it
            else _believed(result)
        )
    bindings = [person.messaging_binding or {} for person in people.body]
    projected = next(
        (b["projected_address"] for b in bindings if b.get("projected_address")), None
    )
    if (
        result.outcome is Outcome.REFUSED
        and projected
        and projected != conversation.projected_address
    ):
        return twilio.add_worker(conversation, identity, projected)
    inside = next(
        (person for person in people.body if person.identity == identity), None
    )
    return Result(Outcome.DONE, body=inside) if inside else _believed(result)


def _believed(result: Result) -> Result:
    """A conflict with an unknown code is no success unless the worker was seen in the conversation."""
    return (
        replace(result, outcome=Outcome.RETRY) if result.is_unknown_conflict else result
    )


def _withdraw(conversation: Conversation, participant_sid: str | None) -> Outcome:
    """It is not this worker's any more: they left while we were adding them. What we added, we take out again."""
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
    """Take out the worker who is leaving; without a known participant SID, look for them first."""
    if conversation.leaving is None or conversation.leaving_sid:
        return conversation.leaving_sid is None or _is_out(conversation)
    people = twilio.participants(conversation)
    if people.outcome in (Outcome.RETRY, Outcome.MISCONFIGURED):
        return False
    inside = people.body if people.outcome is Outcome.DONE else ()
    stay = next(
        (one.sid for one in inside if one.identity == conversation.leaving), None
    )
    return stay is None or _is_out(replace(conversation, leaving_sid=stay))


def _put_back(conversation: Conversation, result: Result) -> None:
    """Twilio does not take this worker: the slot comes back. The conversation stays with whoever wanted to hand it on
    and is in it still, or waits for another one."""
    identity = conversation.worker or ""
    log.warning(
        f"Twilio does not add them: {result.why}",
        conversation=conversation.sid,
        worker=identity,
    )

    def step() -> None:
        current = conversations.load(conversation.sid)
        now = clock.now()
        if current.claim == conversation.claim and current.is_handed_on:
            ledger.move(
                current,
                transitions.stays(
                    current, now, f"{identity} could not be added: {result.why}"
                ),
            )
            return
        if current.claim != conversation.claim or current.state != ASSIGNING:
            return
        after = transitions.without(replace(current, mode="pool"), identity, now)
        why = f"{identity} could not be added: {result.why}"
        pool = after.pool or settings.load().default_pool
        ledger.move(current, transitions.queued(after, pools.load(pool), now, why))

    database.until_it_holds(step)


def _leave_for_later(conversation: Conversation, result: Result) -> None:
    """The claim stands, and the sweep tries again. The story says why the worker is not in it yet."""
    level = log.warning if result.outcome is Outcome.RETRY else log.error
    level(
        f"The worker is not added yet: {result.why}",
        conversation=conversation.sid,
        worker=conversation.worker,
    )
    database.until_it_holds(lambda: _try_again_later(conversation, result))


def _try_again_later(claimed: Conversation, result: Result) -> None:
    """Whoever comes next may try; what has moved on by itself is left alone."""
    before, now = conversations.load(claimed.sid), clock.now()
    if (before.state, before.claim) == (claimed.state, claimed.claim):
        noted = replace(before, lease_until=now).noted(
            now, "waiting", f"to be tried again: {result.why}"
        )
        ledger.move(before, noted)
