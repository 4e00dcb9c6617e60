"""What becomes of a conversation, step by step: each step takes the record and returns it as it is then.

Which step follows which, and what each interleaving of two of them leads to, is in docs/decisions/0001-claims.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from domain import rules
from domain.conversation import (
    ASSIGNED,
    ASSIGNING,
    CLOSED,
    INACTIVE,
    QUEUED,
    UNROUTED,
    Conversation,
)
from domain.opt_out import STOP
from domain.pool import Pool
from domain.worker import Worker

LEASE = timedelta(
    seconds=30
)  # longer than any webhook lives, so that only a crash lets it run out
EXCLUDED_FOR = timedelta(
    minutes=5
)  # how long one who left a conversation is not asked to take it again
KEPT_AFTER_CLOSING = timedelta(
    days=365
)  # then Firestore's TTL on expires_at may delete the record


_OF_ONE_WAIT = (
    "mode",
    "worker",
    "participant_sid",
    "claim",
    "lease_until",
    "attempts",
    "queued_at",
    "assigned_at",
    "closed_at",
    "expires_at",
    "awaiting_since",
    "for_worker",
    "open_to",
    "due_at",
    "leaving",
    "leaving_sid",
    "others",
    "excluded_workers",
    "excluded_until",
    "taken_from",
    "went_back",
    "customer_missing_since",
)


def presumed(arrived: Conversation) -> Conversation:
    """A conversation that a customer has just begun: its first message is told by another webhook, or by none."""
    if arrived.awaiting_since is not None or any(
        one.index == 0 or one.word != STOP for one in arrived.heard
    ):
        return arrived
    wrote_at = arrived.customer_wrote_at or arrived.created_at
    return replace(
        arrived, awaiting_since=arrived.created_at, customer_wrote_at=wrote_at, unread=1
    )


def unrouted(conversation: Conversation, now: datetime, why: str) -> Conversation:
    """Noted without a worker and without a queue; kept as long as one that was closed."""
    expires_at = now + KEPT_AFTER_CLOSING
    nobodys = replace(
        conversation,
        state=UNROUTED,
        for_worker=None,
        due_at=None,
        expires_at=expires_at,
    )
    return nobodys.noted(now, UNROUTED, why)


def left_out(conversation: Conversation, now: datetime) -> Conversation:
    """Unrouted because its customer has only opted out. A worker who has it, or is about to, is leaving it: they are
    taken out at Twilio before the lease is over, or by the sweep then."""
    worker, stay = conversation.worker, conversation.participant_sid
    leaving = worker or conversation.leaving
    after = replace(
        conversation,
        mode="none",
        left_out=True,
        worker=None,
        participant_sid=None,
        claim=None,
        leaving=leaving,
        leaving_sid=stay if worker else conversation.leaving_sid,
        lease_until=now + LEASE if leaving else None,
        queued_at=None,
        assigned_at=None,
        waited=None,
        open_to=(),
        excluded_workers=(),
        excluded_until=None,
        taken_from=None,
        went_back=0,
        starting=False,
    )
    return unrouted(after, now, "the customer has written nothing but an opt-out word")


def routed_again(conversation: Conversation) -> Conversation:
    """Left out until now, and its customer has written something else: it is as old as that message."""
    since = conversation.awaiting_since or conversation.created_at
    return replace(
        conversation, left_out=False, created_at=since, mode=None, expires_at=None
    )


def claimed(
    conversation: Conversation, worker: Worker, attempt: str, now: datetime, why: str
) -> Conversation:
    """Given to a worker who is not in it yet: somebody must tell Twilio before the lease is over.

    `attempt`: by what this claim, which also says whom it is for, is known again.
    """
    is_back = conversation.leaving == worker.identity
    return replace(
        conversation,
        leaving=None if is_back else conversation.leaving,
        leaving_sid=None if is_back else conversation.leaving_sid,
        state=ASSIGNING,
        worker=worker.identity,
        claim=f"{worker.identity} {attempt}",
        lease_until=now + LEASE,
        attempts=conversation.attempts + 1,
        participant_sid=None,
        for_worker=None,
        open_to=(),
        due_at=None,
        expires_at=None,
        starting=False,
        left_out=False,
        mode="pool" if conversation.left_out else conversation.mode,
    ).noted(now, "assigning", f"to {worker.name}: {why}")


def confirmed(
    conversation: Conversation, participant_sid: str | None, now: datetime
) -> Conversation:
    """The worker is in it."""
    since = conversation.created_at or now
    waited = (
        conversation.waited
        if conversation.waited is not None
        else max(0.0, (now - since).total_seconds())
    )
    return replace(
        conversation,
        state=ASSIGNED if conversation.state == ASSIGNING else conversation.state,
        lease_until=None,
        assigned_at=now,
        participant_sid=participant_sid or conversation.participant_sid,
        waited=round(waited, 3),
        for_worker=None,
        open_to=(),
        due_at=None,
        excluded_workers=(),
        excluded_until=None,
        taken_from=None,
    ).noted(now, "assigned", f"{conversation.worker} is in the conversation")


def queued(
    conversation: Conversation, pool: Pool, now: datetime, why: str
) -> Conversation:
    """Waiting for a worker of the pool, with the age of what nobody has answered. With a lease: somebody leaves it."""
    waiting = _waiting(replace(conversation, pool=pool.id, for_worker=None), now).noted(
        now, QUEUED, why
    )
    due = rules.overflows_at(pool, waiting.queued_at or now)
    if due is not None and due <= now and pool.overflow:
        return opened(waiting, pool.overflow)
    return replace(waiting, open_to=(), due_at=due)


def opened(conversation: Conversation, overflow: str) -> Conversation:
    """Workers of this pool may take it, too."""
    return replace(conversation, open_to=(overflow,), due_at=None)


def waiting_for(
    conversation: Conversation,
    worker: Worker,
    until: datetime | None,
    now: datetime,
    why: str,
) -> Conversation:
    """Waiting for this one worker, and from then on for whoever may take it otherwise."""
    alone = replace(conversation, for_worker=worker.identity, open_to=(), due_at=until)
    return _waiting(alone, now).noted(now, QUEUED, why)


def _waiting(conversation: Conversation, now: datetime) -> Conversation:
    return replace(
        conversation,
        state=QUEUED,
        worker=None,
        claim=None,
        lease_until=now + LEASE if conversation.leaving else None,
        participant_sid=None,
        queued_at=waiting_since(conversation, now),
        expires_at=None,
        starting=False,
        left_out=False,
    )


def handed_to(
    conversation: Conversation, heir: Worker, attempt: str, now: datetime, why: str
) -> Conversation:
    """On its way to another worker: theirs from now on, and whoever had it stays in it until the heir is."""
    rest = (
        one
        for one in (conversation.worker, *conversation.others)
        if one and one != heir.identity
    )
    after = replace(
        claimed(conversation, heir, attempt, now, why),
        others=tuple(dict.fromkeys(rest)),
        leaving=conversation.worker,
        leaving_sid=conversation.participant_sid,
    )
    return replace(after, state=INACTIVE) if conversation.state == INACTIVE else after


def stays(conversation: Conversation, now: datetime, why: str) -> Conversation:
    """The one to whom it was to be handed cannot be added: back with whom it was, who is in it still."""
    back = replace(
        conversation,
        state=INACTIVE if conversation.state == INACTIVE else ASSIGNED,
        worker=conversation.leaving,
        participant_sid=conversation.leaving_sid,
        claim=None,
        lease_until=None,
    )
    return out(back).noted(
        now, "not handed over", f"it stays with {conversation.leaving}: {why}"
    )


def let_go(conversation: Conversation, now: datetime) -> Conversation:
    """Its worker is to be taken out, and not asked again for a while; what becomes of it is the next step's to say."""
    gone = without(conversation, conversation.worker or "", now)
    return replace(
        gone, leaving=conversation.worker, leaving_sid=conversation.participant_sid
    )


def out(conversation: Conversation) -> Conversation:
    """Whoever was leaving it is not in it any more."""
    others = tuple(
        other for other in conversation.others if other != conversation.leaving
    )
    lease = (
        None if conversation.state in (QUEUED, UNROUTED) else conversation.lease_until
    )
    return replace(
        conversation, others=others, leaving=None, leaving_sid=None, lease_until=lease
    )


def added_again(conversation: Conversation, now: datetime) -> Conversation:
    """Taken out of it while it became theirs again."""
    return replace(conversation, state=ASSIGNING, claim=None, lease_until=now + LEASE)


def waiting_since(conversation: Conversation, now: datetime) -> datetime:
    """Before anybody answered the arrival, and afterwards the oldest message since then that nobody answered."""
    unanswered = conversation.awaiting_since or now
    return (
        unanswered
        if conversation.first_answer_at
        else conversation.queued_at or unanswered
    )


def taken_back(conversation: Conversation, now: datetime) -> Conversation:
    """From a worker who let its customer wait too long."""
    taken = replace(
        let_go(conversation, now), mode="pool", taken_from=conversation.worker
    )
    return replace(taken, went_back=conversation.went_back + 1)


def without(conversation: Conversation, identity: str, now: datetime) -> Conversation:
    """The same, with this worker not asked again for a while."""
    excluded = tuple(dict.fromkeys((*conversation.excluded_workers, identity)))
    return replace(
        conversation, excluded_workers=excluded, excluded_until=now + EXCLUDED_FOR
    )


def closed(conversation: Conversation, now: datetime, why: str) -> Conversation:
    return replace(
        conversation,
        state=CLOSED,
        closed_at=now,
        lease_until=None,
        claim=None,
        expires_at=now + KEPT_AFTER_CLOSING,
        starting=False,
        left_out=False,
    ).noted(now, "closed", why)


def open_again(conversation: Conversation, now: datetime) -> Conversation:
    """A closed conversation that Twilio has open, as if it had just arrived: what follows begins a new wait."""
    fresh = Conversation(conversation.sid)
    begun_again = {name: getattr(fresh, name) for name in _OF_ONE_WAIT}
    again = replace(conversation, state=UNROUTED, **begun_again)
    return again.noted(
        now, "open again", "its customer has written, and Twilio has it open"
    )


def inactive(conversation: Conversation, now: datetime) -> Conversation:
    """Given its slot back, keeping the worker's name. A lease that is still set says: perhaps not in it yet."""
    return replace(conversation, state=INACTIVE).noted(
        now, "inactive", "nobody has written for a while"
    )


def active_again(conversation: Conversation, now: datetime) -> Conversation:
    """Back with the worker who is in it anyway; with a lease still set they were never confirmed: to be finished."""
    if conversation.lease_until is not None:
        again = replace(conversation, state=ASSIGNING, lease_until=now + LEASE)
    else:
        again = replace(conversation, state=ASSIGNED)
    return again.noted(now, again.state, f"active again, with {conversation.worker}")


def joined_by_hand(
    conversation: Conversation, worker: Worker, participant_sid: str, now: datetime
) -> Conversation:
    """Taken by a worker whom a person added: nobody needs to tell Twilio."""
    state = INACTIVE if conversation.state == INACTIVE else ASSIGNED
    taken = replace(
        conversation,
        state=state,
        worker=worker.identity,
        lease_until=None,
        starting=False,
    )
    taken = replace(taken, created_at=taken.created_at or now, expires_at=None)
    if taken.left_out:  # from now on a conversation like any other
        taken = replace(taken, left_out=False, mode="pool")
    return replace(confirmed(taken, participant_sid, now), state=state).noted(
        now, "by hand", f"{worker.name} was added"
    )


def handed_over(
    conversation: Conversation, heir: Worker, now: datetime
) -> Conversation:
    """The one it counted for has left, and the heir is in it."""
    rest = tuple(other for other in conversation.others if other != heir.identity)
    kept = replace(
        conversation,
        worker=heir.identity,
        others=rest,
        participant_sid=None,
        lease_until=None,
    )
    kept = replace(kept, assigned_at=now)
    if conversation.state == ASSIGNING:
        kept = replace(kept, state=ASSIGNED)
    return kept.noted(
        now, "handed over", f"{conversation.worker} left it, {heir.name} is in it"
    )


def nobodys(
    conversation: Conversation, now: datetime, why: str = "left it"
) -> Conversation:
    """Its worker has left: an inactive one waits for its customer; one that was never to be routed stays so."""
    state = INACTIVE if conversation.state == INACTIVE else UNROUTED
    expires_at = now + KEPT_AFTER_CLOSING if state == UNROUTED else None
    alone = replace(
        conversation, state=state, worker=None, participant_sid=None, lease_until=None
    )
    alone = replace(alone, expires_at=expires_at)
    return alone.noted(now, "left", f"{conversation.worker} {why}")
