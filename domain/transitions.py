"""The steps of a conversation: each takes the record and returns the next one.

docs/decisions/0001-claims.md says which step follows which, and what each interleaving of two of them leads to.
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
    MOST_MISSED_BY,
    MOST_RETURNS,
    QUEUED,
    UNROUTED,
    Conversation,
    Heard,
)
from domain.opt_out import STOP
from domain.pool import Pool
from domain.worker import Worker

# Longer than any webhook runs, so that only a crash lets it run out:
LEASE = timedelta(seconds=30)
# After leaving a conversation, a worker is not asked to take it again for this long:
EXCLUDED_FOR = timedelta(minutes=5)
# Then Firestore's TTL on expires_at may delete the record:
KEPT_AFTER_CLOSING = timedelta(days=365)


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
    "returns",
    "missed_by",
    "no_fallback",
    "customer_missing_since",
)


def presumed(arrived: Conversation) -> Conversation:
    """Presume the first message of a new conversation, because no webhook may have reported it yet, or ever."""
    is_known = any(_shows_the_first(message) for message in arrived.heard)
    if is_known or arrived.awaiting_since is not None:
        return arrived
    wrote_at = arrived.customer_wrote_at or arrived.created_at
    return replace(
        arrived, awaiting_since=arrived.created_at, customer_wrote_at=wrote_at, unread=1
    )


def _shows_the_first(message: Heard) -> bool:
    """Return whether it is the first message, or one that counts without the first."""
    return message.index == 0 or message.word != STOP


def unrouted(
    conversation: Conversation,
    now: datetime,
    why: str,
    keep: timedelta = KEPT_AFTER_CLOSING,
) -> Conversation:
    """Record it without a worker and outside the queue; the record is kept as long as that of a closed one."""
    return replace(
        conversation,
        state=UNROUTED,
        for_worker=None,
        due_at=None,
        expires_at=now + keep,
    ).noted(now, UNROUTED, why)


def left_out(conversation: Conversation, now: datetime) -> Conversation:
    """Leave it unrouted because its customer has only opted out.

    Its worker, confirmed or not, leaves it: they are removed at Twilio before the lease is over, or by the sweep then.
    """
    leaving, leaving_sid = conversation.leaving, conversation.leaving_sid
    if conversation.worker:
        leaving, leaving_sid = conversation.worker, conversation.participant_sid
    after = replace(
        conversation,
        mode="none",
        left_out=True,
        worker=None,
        participant_sid=None,
        claim=None,
        leaving=leaving,
        leaving_sid=leaving_sid,
        lease_until=now + LEASE if leaving else None,
        queued_at=None,
        assigned_at=None,
        waited=None,
        open_to=(),
        excluded_workers=(),
        excluded_until=None,
        taken_from=None,
        went_back=0,
        returns=0,
        missed_by=(),
        starting=False,
    )
    return unrouted(after, now, "the customer has written nothing but an opt-out word")


def routed_again(conversation: Conversation) -> Conversation:
    """Route a left-out conversation after its customer wrote something else; it is as old as that message."""
    since = conversation.awaiting_since or conversation.created_at
    return replace(
        conversation, left_out=False, created_at=since, mode=None, expires_at=None
    )


def claimed(
    conversation: Conversation, worker: Worker, attempt: str, now: datetime, why: str
) -> Conversation:
    """Claim it for a worker. They have to be added at Twilio before the lease is over.

    `attempt`: identifies this claim. `why`: the reason for choosing this worker.
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
        no_fallback=False,
        mode="pool" if conversation.left_out else conversation.mode,
    ).noted(now, "assigning", f"to {worker.name}: {why}")


def confirmed(
    conversation: Conversation, participant_sid: str | None, now: datetime
) -> Conversation:
    """Record that the worker is a participant. The customer's wait ends with the first worker."""
    waited = conversation.waited
    if waited is None:
        since = conversation.created_at or now
        waited = max(0.0, (now - since).total_seconds())
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
    """Queue it for the pool's workers, since its oldest unanswered message.

    A lease means that the previous worker still has to be removed at Twilio. One that came back too often in this wait
    stays queued until a person or its customer acts.
    """
    if conversation.returns >= MOST_RETURNS:
        why += (
            f"; it came back {conversation.returns} times, so a person has to assign it"
        )
    waiting = _waiting(replace(conversation, pool=pool.id, for_worker=None), now).noted(
        now, QUEUED, why
    )
    if waiting.needs_person:
        return replace(waiting, open_to=(), due_at=None)
    due = rules.overflows_at(pool, waiting.queued_at or now)
    if due is not None and due <= now and pool.overflow:
        return opened(waiting, pool.overflow)
    return replace(waiting, open_to=(), due_at=due)


def opened(conversation: Conversation, overflow: str) -> Conversation:
    """Let workers of this overflow pool take it as well."""
    return replace(conversation, open_to=(overflow,), due_at=None)


def waiting_for(
    conversation: Conversation,
    worker: Worker,
    until: datetime | None,
    now: datetime,
    why: str,
) -> Conversation:
    """Queue it for this one worker `until` then (None: without end), and afterwards for their pool's workers."""
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
        no_fallback=False,
    )


def handed_to(
    conversation: Conversation, heir: Worker, attempt: str, now: datetime, why: str
) -> Conversation:
    """Claim it for the next worker (`heir`); the current one stays in it until the next one is added."""
    inside = dict.fromkeys((conversation.worker, *conversation.others))
    inside.pop(heir.identity, None)
    after = replace(
        claimed(conversation, heir, attempt, now, why),
        others=tuple(filter(None, inside)),
        leaving=conversation.worker,
        leaving_sid=conversation.participant_sid,
    )
    return replace(after, state=INACTIVE) if conversation.state == INACTIVE else after


def stays(conversation: Conversation, now: datetime, why: str) -> Conversation:
    """Return it to the current worker, because the next one cannot be added."""
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
    """Mark its worker as leaving, not to be asked again for a while; another step decides what comes next."""
    gone = without(conversation, conversation.worker or "", now)
    return replace(
        gone, leaving=conversation.worker, leaving_sid=conversation.participant_sid
    )


def out(conversation: Conversation) -> Conversation:
    """Record that the leaving worker is no participant any more."""
    others = tuple(
        other for other in conversation.others if other != conversation.leaving
    )
    after = replace(conversation, others=others, leaving=None, leaving_sid=None)
    if conversation.state in (QUEUED, UNROUTED):
        return replace(after, lease_until=None)
    return after


def added_again(conversation: Conversation, now: datetime) -> Conversation:
    """Claim it again for its worker: they were removed at Twilio while it was assigned to them again."""
    return replace(conversation, state=ASSIGNING, claim=None, lease_until=now + LEASE)


def waiting_since(conversation: Conversation, now: datetime) -> datetime:
    """Return since when the customer waits: since the arrival until the first answer, then since the oldest
    unanswered message."""
    unanswered = conversation.awaiting_since or now
    if conversation.first_answer_at:
        return unanswered
    return conversation.queued_at or unanswered


def taken_back(conversation: Conversation, now: datetime) -> Conversation:
    """Take it from its worker because of a missed answer deadline."""
    taken = replace(
        let_go(conversation, now), mode="pool", taken_from=conversation.worker
    )
    return replace(
        taken,
        went_back=conversation.went_back + 1,
        returns=conversation.returns + 1,
    )


def missed_by(conversation: Conversation, identity: str) -> Conversation:
    """Note that this wait counts as a miss of the worker, so that it counts once."""
    noted = dict.fromkeys((*conversation.missed_by, identity))
    return replace(conversation, missed_by=tuple(noted)[-MOST_MISSED_BY:])


def without(conversation: Conversation, identity: str, now: datetime) -> Conversation:
    """Exclude this worker from it for EXCLUDED_FOR."""
    excluded = tuple(dict.fromkeys((*conversation.excluded_workers, identity)))
    return replace(
        conversation, excluded_workers=excluded, excluded_until=now + EXCLUDED_FOR
    )


def closed(
    conversation: Conversation,
    now: datetime,
    why: str,
    keep: timedelta = KEPT_AFTER_CLOSING,
) -> Conversation:
    """Close it, and give up a claim that is under way."""
    return replace(
        conversation,
        state=CLOSED,
        closed_at=now,
        lease_until=None,
        claim=None,
        expires_at=now + keep,
        starting=False,
        left_out=False,
    ).noted(now, "closed", why)


def open_again(conversation: Conversation, now: datetime) -> Conversation:
    """Treat a closed conversation that is open at Twilio as a new arrival, with a new wait."""
    new = Conversation(conversation.sid)
    defaults = {name: getattr(new, name) for name in _OF_ONE_WAIT}
    again = replace(conversation, state=UNROUTED, **defaults)
    return again.noted(
        now, "open again", "its customer has written, and Twilio has it open"
    )


def inactive(conversation: Conversation, now: datetime) -> Conversation:
    """Free its worker's slot, keeping the worker's name. A lease that is set means that they were never confirmed.

    From then on the answer deadline counts for such a worker, too.
    """
    assigned_at = conversation.assigned_at or now
    return replace(conversation, state=INACTIVE, assigned_at=assigned_at).noted(
        now, "inactive", "no message has come for a while"
    )


def active_again(conversation: Conversation, now: datetime) -> Conversation:
    """Give it back to its worker. If a lease says that they were never confirmed, they have to be added first.

    The answer deadline starts again.
    """
    again = replace(conversation, state=ASSIGNED, assigned_at=now)
    if conversation.lease_until is not None:
        again = replace(conversation, state=ASSIGNING, lease_until=now + LEASE)
    return again.noted(now, again.state, f"active again, with {conversation.worker}")


def joined_by_hand(
    conversation: Conversation, worker: Worker, participant_sid: str, now: datetime
) -> Conversation:
    """Assign it to a worker after a person added them at Twilio."""
    state = INACTIVE if conversation.state == INACTIVE else ASSIGNED
    taken = replace(
        conversation,
        no_fallback=False,
        state=state,
        worker=worker.identity,
        created_at=conversation.created_at or now,
        lease_until=None,
        expires_at=None,
        starting=False,
    )
    if taken.left_out:  # from now on a conversation like any other
        taken = replace(taken, left_out=False, mode="pool")
    return replace(confirmed(taken, participant_sid, now), state=state).noted(
        now, "by hand", f"{worker.name} was added"
    )


def handed_over(
    conversation: Conversation, heir: Worker, now: datetime
) -> Conversation:
    """Assign it to the next worker (`heir`), already a participant; the current one has left."""
    rest = tuple(other for other in conversation.others if other != heir.identity)
    after = replace(
        conversation,
        worker=heir.identity,
        others=rest,
        participant_sid=None,
        lease_until=None,
        assigned_at=now,
    )
    if conversation.state == ASSIGNING:
        after = replace(after, state=ASSIGNED)
    return after.noted(
        now, "handed over", f"{conversation.worker} left it, {heir.name} is in it"
    )


def nobodys(
    conversation: Conversation,
    now: datetime,
    why: str = "left it",
    keep: timedelta = KEPT_AFTER_CLOSING,
) -> Conversation:
    """Leave it without a worker, because they left. An inactive one waits for its customer, any other is unrouted."""
    is_inactive = conversation.state == INACTIVE
    return replace(
        conversation,
        state=INACTIVE if is_inactive else UNROUTED,
        worker=None,
        participant_sid=None,
        lease_until=None,
        expires_at=None if is_inactive else now + keep,
    ).noted(now, "left", f"{conversation.worker} {why}")
