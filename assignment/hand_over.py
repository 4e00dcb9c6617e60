"""A worker who is in a conversation hands it over to the queue, another pool or a named worker, or closes it.

    to_queue(sid, actor)              back to the pool that it came by; the worker is not tried again for 5 minutes
    to_pool(sid, actor, pool_id)      to another pool's queue
    to_worker(sid, actor, identity)   to this very worker, whatever their status and load
    close(sid, actor)                 ends it at Twilio and here
    edited(sid, stay, new, old)       follows a person's edit of the record's `worker`

`sid` is the conversation's, `actor` the identity of the requesting worker: the one that it counts for, or one of its
`others` (the caller has authenticated them). All return None when it is done, or written down and finished by the
sweep if Twilio doesn't respond. All raise Refused with one sentence for the worker when it cannot be done, and then
the conversation stays as it was; and database.LostRace only when the caller's time is over.

Nothing is lost in between: the intent is written first, in one commit with the queue and both counts; then Twilio is
called, adding the new worker before the old one is removed; then the outcome is written. A crash on the way leaves a
lease that expires, and the sweep finishes it (docs/decisions/0006-handing-over.md).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from assignment import claim, ledger, matching, membership, worker_care
from assignment.ledger import Moved
from assignment.worker_care import Meant
from domain import transitions
from domain.conversation import (
    ASSIGNED,
    ASSIGNING,
    CLOSED,
    INACTIVE,
    QUEUED,
    UNROUTED,
    WORD,
    Conversation,
)
from domain.pool import Pool
from domain.worker import Worker, is_away
from providers import (
    clock,
    conversations,
    database,
    log,
    pools,
    settings,
    twilio,
    workers,
)
from providers.twilio import Outcome, Result

_NO_RESPONSE = "Twilio doesn't respond; try again."
_WITH_WORKER = (ASSIGNED, ASSIGNING, INACTIVE)


class Refused(Exception):
    """It cannot be done; the text is one sentence for the worker who asked."""


def to_queue(sid: str, actor: str, word: str = "") -> None:
    """Queue it in the pool that it was routed by; its worker is not tried again for a while."""
    _queue(sid, actor, membership.pool_for, word)


def to_pool(sid: str, actor: str, pool_id: str, word: str = "") -> None:
    """Queue it in another pool."""
    pool = pools.load(pool_id)
    _queue(sid, actor, lambda conversation: pool, word)


def to_worker(sid: str, actor: str, identity: str, word: str = "") -> None:
    """Hand it over to a confirmed worker, whatever their status and load; `identity` may be in any spelling."""
    worker = next_worker(identity)
    attempt = uuid.uuid4().hex
    moved = database.until_it_holds(
        lambda: _promised(sid, actor, worker.identity, attempt, word)
    )
    if moved is not None:
        finish(moved, f"{worker.name} cannot be added at Twilio; it stays with you.")


def next_worker(identity: str) -> Worker:
    """Return the confirmed worker with this name, in any spelling. Raises Refused."""
    worker = workers.called(identity)
    if worker is None or not worker.can_sign_in:
        raise Refused(f"No worker is called {identity}.")
    if not worker.confirmed:
        raise Refused(
            f"{worker.name} waits for confirmation and cannot take a conversation yet."
        )
    return worker


def finish(moved: Moved, not_added: str) -> None:
    """Add the next worker at Twilio, and let the worker who leaves take what waits.

    Raises Refused with the sentence `not_added` if Twilio does not take the next worker, and if it has closed the
    conversation.
    """
    outcome = matching.finish(moved.conversation)
    matching.freed(moved.freed)
    if outcome is Outcome.NEXT_WORKER:
        raise Refused(not_added)
    if outcome is Outcome.GONE:
        raise Refused("This conversation is closed.")


def send_away(identity: str, at: datetime | None) -> None:
    """Make a worker who is away today Unavailable, and hand over what they hold: to the deputy, else to the queue.

    `at`: when `away_until` was written. A worker who has turned Available since then keeps the status and the
    conversations. Repeated, it goes on with what is left. A conversation that Twilio does not let go now stays, and
    its answer deadline counts.
    """
    rule, worker = settings.load(), workers.load(identity)
    if not is_away(worker, clock.now(), rule.zone):
        return
    if worker.available and at and (worker.status_since or at) > at:
        return
    if worker.available:
        ledger.set_status(identity, "Unavailable", "service")
    deputy = worker_care.deputy_of(worker, rule)
    for conversation in conversations.held_by(identity):
        try:
            if deputy is None:
                to_queue(conversation.sid, identity)
            else:
                to_worker(conversation.sid, identity, deputy.identity)
        except Refused as refusal:
            why = f"not handed over for the time away: {refusal}"
            log.warning(why, conversation=conversation.sid, worker=identity)


def close(sid: str, actor: str) -> None:
    """End it at Twilio first, then here, where a closed conversation is final."""
    if conversations.load(sid).state == CLOSED:
        return
    before = _theirs(sid, actor)
    result = twilio.close(before)
    if has_ended(before, result):
        matching.close(sid, f"{actor} closed it")
        return
    log.error(f"It could not be closed: {result.why}", conversation=sid, worker=actor)
    raise Refused("Twilio didn't close it; try again.")


def has_ended(conversation: Conversation, result: Result) -> bool:
    """Return whether Twilio's answer to the request means that it is closed or deleted there."""
    if result.outcome is Outcome.MISSING:
        return twilio.is_gone(conversation)
    return result.outcome in (Outcome.DONE, Outcome.GONE)


def back_to_queue(
    before: Conversation, pool: Pool, why: str, actor: str = "", word: str = ""
) -> None:
    """Queue it in the pool; its worker is removed at Twilio and not tried again for a while.

    Raises database.LostRace, and Refused while Twilio doesn't say which participant they are.
    """
    with_word = _with_word(with_stay(before), actor, word)
    after = replace(transitions.let_go(with_word, clock.now()), returns=0)
    matching.queue(before, replace(after, mode="pool"), pool, why)


def edited(sid: str, stay: str | None, new: str | None, old: str | None = None) -> None:
    """Follow a person's edit of `worker` in a conversation's record, which is a hand-over.

    `stay`: the participant SID in the record, `new`: the worker that the record names now, None: no worker. If either
    has changed meanwhile, nothing happens. `old`: the worker that it named before the edit; their count is taken again,
    even if they never had the conversation, because a person may have edited it twice. Raises Refused while Twilio
    doesn't say who the participants are.
    """
    worker, why_not = Meant(None)
    if new:
        worker, why_not = worker_care.meant_by(new, conversations.load(sid).service_sid)
    if worker is not None and worker.version is None:
        worker_care.create(worker)
        worker = workers.load(worker.identity)
    moved = database.until_it_holds(lambda: _followed(sid, stay, new, worker, why_not))
    if moved is None:
        return
    after = moved.conversation
    names = sorted(set(filter(None, (old, new, after.worker, after.leaving))))
    recounted = [database.until_it_holds(partial(_recounted, name)) for name in names]
    if after.state == QUEUED:
        claim.let_out(after)
        matching.look_again(after)
    elif after.lease_until:
        matching.finish(after)
    for worker_with_room in recounted:
        matching.freed(worker_with_room)


def _followed(
    sid: str, stay: str | None, new: str | None, worker: Worker | None, why_not: str
) -> Moved | None:
    """Write the record as the edit wants it; returns None if the record has moved on.

    The counts are left out and taken again afterwards: they may already be those of the edited record.
    """
    current = conversations.load(sid)
    if (current.worker, current.participant_sid) != (new, stay):
        return None
    if not (_is_settled(current) or current.is_claim_edited):
        return None
    actual = _as_twilio_has_it(current)
    if actual.worker and current.leaving:
        # Only one worker can be leaving: one who was being added is removed at once.
        actual = _without_incoming_worker(actual)
    if new and (worker is None or not worker.can_sign_in):
        after = _kept(current, actual, why_not or f"{new} is no name for signing in")
    else:
        after = _handed(actual, worker)
    log.info("edited by hand", conversation=sid, worker=after.worker)
    return ledger.move(replace(current, worker=after.worker), after)


def _is_settled(conversation: Conversation) -> bool:
    """Return whether no worker is being added to it or removed from it."""
    if conversation.leaving is not None:
        return False
    return conversation.state in (ASSIGNED, INACTIVE, QUEUED, UNROUTED)


def _kept(current: Conversation, actual: Conversation, why: str) -> Conversation:
    """Undo an edit that names no worker: the record names the actual one again."""
    worker = actual.worker
    if worker is None and current.state == ASSIGNING:
        worker = current.claimed_for
    if worker:
        why += f": it stays with {worker}"
    return replace(actual, worker=worker).noted(clock.now(), "not handed over", why)


def _handed(actual: Conversation, worker: Worker | None) -> Conversation:
    """Hand it over to the worker named by the edit, or to the queue."""
    now = clock.now()
    if worker is None:
        gone = transitions.let_go(actual, now) if actual.worker else actual
        pool = membership.pool_for(actual)
        why = f"{actual.worker or 'its worker'} was taken out of the record by hand"
        waiting = replace(gone, mode="pool", returns=0)
        return transitions.queued(waiting, pool, now, why)
    if worker.identity == actual.worker:
        return actual
    hand = transitions.handed_to if actual.worker else transitions.claimed
    why = "written into the record by hand"
    return hand(actual, worker, uuid.uuid4().hex, now, why)


def _as_twilio_has_it(edited: Conversation) -> Conversation:
    """Return the conversation with its worker at Twilio instead of the one that a person has typed.

    That is the participant with the known SID; if none is known, any other confirmed worker in it. Raises Refused while
    Twilio doesn't say.
    """
    if edited.state not in _WITH_WORKER:
        return replace(edited, worker=None)
    people = _participants(edited)
    inside = {person.sid: person.identity for person in people if person.identity}
    participant_sid = edited.participant_sid or _unnamed_worker(edited, inside)
    return replace(
        edited,
        worker=inside.get(participant_sid),
        participant_sid=participant_sid if participant_sid in inside else None,
    )


def _unnamed_worker(edited: Conversation, inside: Mapping[str, str]) -> str:
    """Return the participant SID of a confirmed worker that the record does not name, "" if there is none."""
    named = {edited.worker, *edited.others, *settings.load().bots}
    unnamed = {sid: name for sid, name in inside.items() if name not in named}
    confirmed = workers.confirmed(unnamed.values())
    return min((sid for sid, name in unnamed.items() if name in confirmed), default="")


def _participants(conversation: Conversation) -> Sequence[Any]:
    """Return the participants at Twilio. Raises Refused if it doesn't respond."""
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        raise Refused(_NO_RESPONSE)
    participants: Sequence[Any] = people.body
    return participants


def _without_incoming_worker(actual: Conversation) -> Conversation:
    """Remove a worker who was being added. Raises Refused if Twilio doesn't respond."""
    participant_sid = actual.participant_sid or ""
    result = twilio.remove_participant(actual, participant_sid)
    if not twilio.is_out(actual, participant_sid, result):
        raise Refused(_NO_RESPONSE)
    return replace(actual, worker=None, participant_sid=None)


def _recounted(identity: str) -> Worker | None:
    worker = workers.load(identity)
    if worker.version is None:
        return None
    return worker_care.put_right(worker, held=conversations.how_many_held(identity))


def _queue(
    sid: str, actor: str, pool_of: Callable[[Conversation], Pool], word: str
) -> None:
    def step() -> None:
        before = conversations.load(sid)
        if before.state == QUEUED and before.leaving == actor:
            # This request's own commit, or the same request again.
            claim.let_out(before)
            return
        before = _theirs(sid, actor)
        refuse_if_unsettled(before)
        pool = pool_of(before)
        why = f"{actor} handed it over to {pool.display_name}"
        back_to_queue(before, pool, why, actor, word)

    database.until_it_holds(step)


def _promised(
    sid: str, actor: str, identity: str, attempt: str, word: str
) -> Moved | None:
    """Count it for the next worker, while the one before is still in it. Returns None if it is theirs already."""
    before = conversations.load(sid)
    if attempt in (before.claim or ""):
        return Moved(before)  # this request's own commit, if its answer was lost
    before = _theirs(sid, actor)
    if before.worker == identity:
        return None
    refuse_if_unsettled(before)
    worker = workers.load(identity)
    if not worker.confirmed:  # deleted since it was looked up
        raise Refused(f"No worker is called {identity}.")
    why = f"{actor} handed it over"
    current = _with_word(with_stay(before), actor, word)
    after = transitions.handed_to(current, worker, attempt, clock.now(), why)
    log.info(f"handed over by {actor}", conversation=sid, worker=identity)
    return ledger.move(before, after, worker)


def _with_word(conversation: Conversation, actor: str, word: str) -> Conversation:
    """Put the word to the next worker into the log, before the line that says what happened."""
    if not word:
        return conversation
    return conversation.noted(clock.now(), WORD, word, by=actor)


def _theirs(sid: str, actor: str) -> Conversation:
    conversation = conversations.load(sid)
    if actor not in (conversation.worker, *conversation.others):
        raise Refused("It is not yours any more.")
    if conversation.state not in _WITH_WORKER:
        raise Refused("It is over." if conversation.closed_at else "It has no worker.")
    return conversation


def refuse_if_unsettled(conversation: Conversation) -> None:
    """Raise Refused while a worker is being added or removed: it can be handed over after that."""
    unfinished = (conversation.lease_until, conversation.leaving)
    if conversation.state == ASSIGNING or any(unfinished):
        raise Refused("It is being assigned to a worker; try again in a moment.")


def with_stay(conversation: Conversation) -> Conversation:
    """Return the conversation with the participant SID of its worker, looked up at Twilio if no event has brought it.

    Raises Refused if Twilio doesn't respond.
    """
    if conversation.participant_sid or conversation.worker is None:
        return conversation
    people = _participants(conversation)
    sids = (person.sid for person in people if person.identity == conversation.worker)
    return replace(conversation, participant_sid=next(sids, None))
