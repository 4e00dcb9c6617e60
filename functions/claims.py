"""One claim from its beginning to its end: take a slot, tell Twilio, write down what came of it.

Each step can be repeated by whoever comes next: a claim that nobody finished is found by its lease. Which
conversation is claimed for whom is decided in functions/assignment.py; docs/decisions/0001-claims.md has the states.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from functions import decisions, worker_records
from providers import clock, conversations, database, deadline, log, twilio, workers
from providers.conversations import ASSIGNING, CLOSED, INACTIVE, KEPT_AFTER_CLOSING, Conversation, Load
from providers.twilio import Answer, Outcome, Place
from providers.workers import Worker

_MARGIN = 0.5  # seconds that must be left to try again


def claim(
    conversation: Conversation, worker: Worker, capacity: float, why: str, token: str
) -> tuple[Conversation, Worker]:
    now = clock.now()
    after = decisions.claimed(conversation, worker, token, now, why)
    moved, changed = conversations.move(conversation, after, [Load(worker, capacity, assigned_at=now)])
    log.info(f"assigning: {why}", conversation=moved.sid, worker=worker.identity, pool=moved.pool)
    return moved, changed[0]


def won_after_all(conversation: Conversation, token: str) -> Conversation | None:
    """After a lost race: our own claim, if only the answer to its commit was lost.

    Raises database.LostRace if somebody else has decided about this conversation meanwhile.
    """
    current = conversations.load(conversation.sid)
    if current.claim == token:
        return current
    if current.version != conversation.version or deadline.is_over(_MARGIN):
        raise database.LostRace(conversation.sid)
    return None


def finish(conversation: Conversation) -> Outcome:
    """Adds the claimed worker at Twilio and writes down what came of it. Safe to repeat."""
    answer = _add(conversation)
    if answer.outcome is Outcome.DONE:
        return confirm(conversation, getattr(answer.body, "sid", None))
    if answer.outcome is Outcome.GONE:
        end(conversation.sid, "Twilio has closed it or does not know it")
    elif answer.outcome is Outcome.NEXT_WORKER:
        _put_back(conversation, answer)
    else:
        _leave_for_later(conversation, answer)
    return answer.outcome


def confirm(conversation: Conversation, participant_sid: str | None) -> Outcome:
    """Writes down that the worker is in it. GONE: it has moved on since this claim, and they are out again."""

    def again() -> bool:
        current = conversations.load(conversation.sid)
        in_flight = current.state in (ASSIGNING, INACTIVE) and current.lease_until is not None
        if in_flight and current.claim == conversation.claim:
            conversations.move(current, decisions.confirmed(current, participant_sid, clock.now()))
        return current.worker == conversation.worker or current.state == CLOSED

    try:
        conversations.move(conversation, decisions.confirmed(conversation, participant_sid, clock.now()))
    except database.LostRace:
        if not database.until_it_holds(again):
            return _withdraw(conversation, participant_sid)
    log.info("assigned", conversation=conversation.sid, worker=conversation.worker)
    return Outcome.DONE


def end(sid: str, why: str) -> list[Worker]:
    """Notes a conversation as closed; returns the worker who has a free slot now. One that is unknown is noted
    too: its other events may be on their way still."""

    def step() -> list[Worker]:
        before = conversations.load(sid)
        if before.state == CLOSED:
            return []
        after = decisions.closed(before, clock.now(), KEPT_AFTER_CLOSING, why)
        _, freed = conversations.move(before, after, loads(before.holder))
        log.info(f"closed: {why}", conversation=sid, worker=before.worker)
        return freed

    return database.until_it_holds(step)


def loads(*holders: str | None) -> list[Load]:
    """The records of those workers who have one, for a move that changes their count."""
    found = [workers.load(holder) for holder in holders if holder]
    return [
        Load(worker, worker_records.capacity_of(worker)) for worker in found if worker.version is not None
    ]


def new_token() -> str:
    return uuid.uuid4().hex


def _add(conversation: Conversation) -> Answer:
    """A worker whom Twilio refuses may be in it already, by an earlier try whose answer was lost: look. And a group
    message may want the projected address, which no webhook may have told yet."""
    place, identity = _place(conversation), conversation.worker or ""
    answer = twilio.add_worker(place, identity, conversation.projected_address)
    if answer.outcome not in (Outcome.NEXT_WORKER, Outcome.REFUSED):
        return answer
    people = twilio.participants(place)
    if people.outcome is not Outcome.DONE:
        return people if people.outcome is Outcome.RETRY else answer
    bindings = [person.messaging_binding or {} for person in people.body]
    projected = next((b["projected_address"] for b in bindings if b.get("projected_address")), None)
    if answer.outcome is Outcome.REFUSED and projected and projected != conversation.projected_address:
        return twilio.add_worker(place, identity, projected)
    inside = next((person for person in people.body if person.identity == identity), None)
    return Answer(Outcome.DONE, body=inside) if inside else answer


def _withdraw(conversation: Conversation, participant_sid: str | None) -> Outcome:
    """It is not this worker's any more: they left while we were adding them. What we added, we take out again."""
    if participant_sid is not None:
        twilio.remove_participant(_place(conversation), participant_sid)
    log.warning("added too late, and out again", conversation=conversation.sid, worker=conversation.worker)
    return Outcome.GONE


def _put_back(conversation: Conversation, answer: Answer) -> None:
    """Twilio does not take this worker: the slot comes back, and the conversation waits for another one."""
    identity = conversation.worker or ""
    log.warning(
        f"Twilio does not add this worker: {answer.why}", conversation=conversation.sid, worker=identity
    )

    def step() -> None:
        current = conversations.load(conversation.sid)
        if current.claim != conversation.claim or current.state != ASSIGNING:
            return
        now = clock.now()
        after = decisions.without(replace(current, mode="pool"), identity, now)
        waiting = decisions.queued(
            after, after.pool or "", now, f"{identity} could not be added: {answer.why}"
        )
        conversations.move(current, waiting, loads(identity))

    database.until_it_holds(step)


def _leave_for_later(conversation: Conversation, answer: Answer) -> None:
    """The claim stands, and the sweep tries again. The story says why the worker is not in it yet."""
    level = log.warning if answer.outcome is Outcome.RETRY else log.error
    level(
        f"The worker is not added yet: {answer.why}",
        conversation=conversation.sid,
        worker=conversation.worker,
    )
    now = clock.now()
    noted = replace(conversation, lease_until=now).noted(now, "waiting", f"to be tried again: {answer.why}")
    try:
        conversations.move(conversation, noted)
    except database.LostRace:
        return  # it has moved on by itself


def _place(conversation: Conversation) -> Place:
    return Place(conversation.service_sid, conversation.sid)
