"""A conversation is handed on, or closed, by a worker who is in it: to the queue, to another pool, to a named worker.

    to_queue(sid, actor)              back into the pool it came by; the holder is not asked first again (5 minutes)
    to_pool(sid, actor, pool_id)      into another pool's queue
    to_worker(sid, actor, identity)   to this very worker, whatever their status and load
    close(sid, actor)                 ends it at Twilio and here
    edited(sid, stay, new, old)       what a person has written into the record's `worker`

`sid` is the conversation's, `actor` the identity of the worker who wants it: the one for whom it counts, or one of its
`others` (whoever calls has to know that they are who they say). All return None when it is done, or written down and
finished by the sweep where Twilio does not answer. All raise Refused with one sentence for the worker when it cannot be
done, and then it is with whom it was; and database.LostRace only when the caller's time is over.

Nothing is lost in between: what is to become of it is written first, in one commit with the queue and both counts; then
Twilio is told, the new worker before the old one is taken out; then that is written. Whoever dies on the way leaves a
lease that runs out, and the sweep finishes it (docs/decisions/0006-handing-over.md).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial

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
    Conversation,
)
from domain.pool import Pool
from domain.worker import Worker
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


class Refused(Exception):
    """It cannot be done; the text is one sentence for the worker who asked."""


def to_queue(sid: str, actor: str) -> None:
    """Back into the pool it was routed by; whoever held it is not asked again for a while."""
    _queue(sid, actor, membership.pool_for)


def to_pool(sid: str, actor: str, pool_id: str) -> None:
    """Into the queue of another pool."""
    pool = pools.load(pool_id)
    _queue(sid, actor, lambda conversation: pool)


def to_worker(sid: str, actor: str, identity: str) -> None:
    """To a named, confirmed worker, in any spelling, whatever their status and load."""
    heir = workers.called(identity)
    if heir is None or not heir.can_sign_in:
        raise Refused(f"No worker is called {identity}.")
    if not heir.confirmed:
        raise Refused(
            f"{heir.name} waits for confirmation and cannot take a conversation yet."
        )
    attempt = uuid.uuid4().hex
    moved = database.until_it_holds(
        lambda: _promised(sid, actor, heir.identity, attempt)
    )
    if moved is None:
        return
    outcome = matching.finish(moved.conversation)
    matching.freed(moved.freed)
    if outcome is Outcome.NEXT_WORKER:
        raise Refused(f"{heir.name} cannot be added at Twilio; it stays with you.")
    if outcome is Outcome.GONE:
        raise Refused("It is over: Twilio has closed it.")


def close(sid: str, actor: str) -> None:
    """Ends it for good: at Twilio first, for what is closed here never comes back."""
    if conversations.load(sid).state == CLOSED:
        return
    before = _theirs(sid, actor)
    result = twilio.close(before)
    if _has_ended(before, result):
        matching.close(sid, f"{actor} closed it")
        return
    log.error(f"It could not be closed: {result.why}", conversation=sid, worker=actor)
    raise Refused("Twilio does not close it just now; try again.")


def _has_ended(conversation: Conversation, result: Result) -> bool:
    """Whether Twilio has closed it, after this answer to our request: only a closed or deleted one ends here."""
    if result.outcome in (Outcome.DONE, Outcome.GONE):
        return True
    return result.outcome is Outcome.MISSING and twilio.is_gone(conversation)


def back_to_queue(before: Conversation, pool: Pool, why: str) -> None:
    """Takes it from its worker, who is taken out at Twilio and not asked again for a while.

    Raises database.LostRace; Refused while Twilio does not tell which participant they are.
    """
    now = clock.now()
    after = replace(transitions.let_go(with_stay(before), now), mode="pool")
    matching.queue(before, after, pool, why)


def edited(sid: str, stay: str | None, new: str | None, old: str | None = None) -> None:
    """A person has written another worker, or nobody, into the record of a conversation: a hand-over.

    `stay` is the participant's SID of whoever has it and `new` what the record says now; if either is something else
    meanwhile, nothing happens. `old` is what it said before: counted afresh, but perhaps never in it, for somebody may
    have edited it twice. Raises Refused while Twilio does not tell who is in it.
    """
    heir, why_not = Meant(None)
    if new:
        heir, why_not = worker_care.meant_by(new, conversations.load(sid).service_sid)
    if heir is not None and heir.version is None:
        worker_care.create(heir)
        heir = workers.load(heir.identity)
    moved = database.until_it_holds(lambda: _followed(sid, stay, new, heir, why_not))
    if moved is None:
        return
    now = moved.conversation
    names = sorted({name for name in (old, new, now.worker, now.leaving) if name})
    freed = [database.until_it_holds(partial(_recounted, name)) for name in names]
    if now.state == QUEUED:
        claim.let_out(now)
        matching.look_again(now)
    elif now.lease_until:
        matching.finish(now)
    for worker in freed:
        matching.freed(worker)


def _followed(
    sid: str, stay: str | None, new: str | None, heir: Worker | None, why_not: str
) -> Moved | None:
    """The record as the edit wants it, without the counts, which are counted afresh afterwards: they may have been
    mended by the edited record already. None: it has moved on."""
    current = conversations.load(sid)
    at_rest = (
        current.state in (ASSIGNED, INACTIVE, QUEUED, UNROUTED)
        and current.leaving is None
    )
    if not (at_rest or current.is_claim_edited) or (
        current.worker,
        current.participant_sid,
    ) != (new, stay):
        return None
    now, held = clock.now(), _as_twilio_has_it(current)
    if (
        held.worker and current.leaving
    ):  # one can be leaving it: whoever was on the way to it is out at once
        held = _without_who_was_coming(held)
    old = held.worker
    if new and (heir is None or not heir.can_sign_in):
        theirs = old or (current.claimed_for if current.state == ASSIGNING else None)
        why = (why_not or f"nobody can sign in as {new}") + (
            f": it stays with {theirs}" if theirs else ""
        )
        after = replace(held, worker=theirs).noted(now, "not handed over", why)
    elif heir is None:
        gone = replace(transitions.let_go(held, now) if old else held, mode="pool")
        why = f"{old or 'whoever had it'} was taken out of the record by hand"
        after = transitions.queued(gone, membership.pool_for(held), now, why)
    elif heir.identity == old:
        after = held
    elif old is None:
        after = transitions.claimed(
            held, heir, uuid.uuid4().hex, now, "written into the record by hand"
        )
    else:
        why = "written into the record by hand"
        after = transitions.handed_to(held, heir, uuid.uuid4().hex, now, why)
    log.info("edited by hand", conversation=sid, worker=after.worker)
    return ledger.move(replace(current, worker=after.worker), after)


def _as_twilio_has_it(edited: Conversation) -> Conversation:
    """With whoever has it there instead of whom a person has written into the record: by their stay; where nobody knows
    that, whoever is in it besides. Raises Refused while Twilio does not tell."""
    if edited.state not in (ASSIGNED, ASSIGNING, INACTIVE):
        return replace(edited, worker=None)
    people = twilio.participants(edited)
    if people.outcome is not Outcome.DONE:
        raise Refused("Twilio does not answer just now; try again.")
    inside = {one.sid: one.identity for one in people.body if one.identity}
    known = {edited.worker, *edited.others, *settings.load().bots}
    ours = workers.confirmed(
        identity for identity in inside.values() if identity not in known
    )
    besides = (sid for sid, identity in inside.items() if identity in ours)
    stay = edited.participant_sid or min(besides, default="")
    return replace(
        edited,
        worker=inside.get(stay),
        participant_sid=stay if stay in inside else None,
    )


def _without_who_was_coming(held: Conversation) -> Conversation:
    """Raises Refused while Twilio does not take them out."""
    participant_sid = held.participant_sid or ""
    if not twilio.is_out(
        held, participant_sid, twilio.remove_participant(held, participant_sid)
    ):
        raise Refused("Twilio does not answer just now; try again.")
    return replace(held, worker=None, participant_sid=None)


def _recounted(identity: str) -> Worker | None:
    worker = workers.load(identity)
    if worker.version is None:
        return None
    return worker_care.put_right(worker, held=conversations.how_many_held(identity))


def _queue(sid: str, actor: str, pool_of: Callable[[Conversation], Pool]) -> None:
    def step() -> None:
        before = conversations.load(sid)
        if (
            before.state == QUEUED and before.leaving == actor
        ):  # our own commit, or the same wish once more
            claim.let_out(before)
            return
        before = _theirs(sid, actor)
        _is_at_rest(before)
        pool = pool_of(before)
        back_to_queue(before, pool, f"{actor} handed it over to {pool.display_name}")

    database.until_it_holds(step)


def _promised(sid: str, actor: str, identity: str, attempt: str) -> Moved | None:
    """It counts for the heir from now on, and whoever had it is still in it. None: it is theirs already."""
    before = conversations.load(sid)
    if attempt in (before.claim or ""):
        return Moved(before)  # our own commit, whose answer was lost
    before = _theirs(sid, actor)
    if before.worker == identity:
        return None
    _is_at_rest(before)
    heir = workers.load(identity)
    if not heir.confirmed:  # deleted since it was looked up
        raise Refused(f"No worker is called {identity}.")
    why = f"{actor} handed it over"
    after = transitions.handed_to(with_stay(before), heir, attempt, clock.now(), why)
    log.info(f"handed over by {actor}", conversation=sid, worker=identity)
    return ledger.move(before, after, heir)


def _theirs(sid: str, actor: str) -> Conversation:
    conversation = conversations.load(sid)
    if actor not in (conversation.worker, *conversation.others):
        raise Refused("It is not yours any more.")
    if conversation.state not in (ASSIGNED, ASSIGNING, INACTIVE):
        raise Refused("It is over." if conversation.closed_at else "It has no worker.")
    return conversation


def _is_at_rest(conversation: Conversation) -> None:
    """One that is on its way to somebody can be handed on when it has arrived."""
    if (
        conversation.state == ASSIGNING
        or conversation.lease_until is not None
        or conversation.leaving
    ):
        raise Refused("It is on its way to somebody just now; try again in a moment.")


def with_stay(conversation: Conversation) -> Conversation:
    """With the participant's SID of its worker, who is to be taken out: looked up where no event has told it.

    Raises Refused while Twilio does not tell.
    """
    if conversation.participant_sid or conversation.worker is None:
        return conversation
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        raise Refused("Twilio does not answer just now; try again.")
    stay = next(
        (one.sid for one in people.body if one.identity == conversation.worker), None
    )
    return replace(conversation, participant_sid=stay)
