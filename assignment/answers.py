"""Who reads and answers a customer, and what becomes of a conversation that nobody answers.

Taking it back from a worker who lets it wait has two writers, the sweep and the worker's own answer, and a crash may
come between Firestore and Twilio. In order:

    1 ask       the sweep reads the newest messages from Twilio: an answer whose webhook was lost counts
    2 decide    ONE commit: queued, `taken_from` and `leaving` name the worker, their slot is free, `missed` + 1
    3 out       Twilio takes the worker out of it
    4 told      `leaving` goes (claim.let_out does 3 and 4; the sweep repeats it once the lease of step 2 is over)
    5 use       once all that is due is back, the sweep looks at the queue: others first, the same worker not for
                5 minutes

| the worker's answer is told | then |
|---|---|
| before 2 commits | the commit fails, is decided anew, and nothing is due: the worker keeps it |
| after 2, nobody has claimed it yet | given back to them in the commit that notes the message; Twilio adds them again |
| after 2, between 3 and 4 | the same; whoever does 4 finds them with it, and adds them again: 3 may have come last |
| after somebody else has claimed it | that one keeps it; the customer was answered |

A crash after 2 leaves a worker in it who has no business there any more: `leaving` says so, and nobody takes their
being there for a person's doing (docs/decisions/0006-handing-over.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from assignment import (
    claim,
    hand_over,
    hearing,
    ledger,
    matching,
    opting_out,
    worker_care,
)
from domain import messages, opt_out, patience, transitions
from domain.conversation import QUEUED, WORKER, Conversation
from domain.messages import Message
from domain.pool import Pool
from domain.worker import Worker
from providers import clock, conversations, database, log, workers


def hear(before: Conversation, told: Iterable[Message]) -> bool:
    """Notes messages in the record, whoever tells of them; whether they were news. Raises database.LostRace.

    Of a conversation without a record only an opt-out word is noted, for the arrival to see.
    """
    listed = sorted(told, key=lambda one: one.index)
    after = hearing.heard(before, listed)
    if after == before:
        return False
    after = opting_out.stored(before, after, listed)
    if not before.exists:
        opting_out.note_early(before, after)
    elif opting_out.must_be_left_out(before, after):
        opting_out.leave_out(before, after)
    elif opting_out.must_be_routed(before, after):
        opting_out.route(after)
    elif not (_answered_while_it_was_taken(before, after) and _give_back(after)):
        ledger.note(before, after)
    return True


def has_read(sid: str, index: int) -> bool:
    """The worker has looked at everything up to this message; what came later stays unread. Whether that was news.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    after = messages.read(before, index)
    ledger.note(before, after)
    return after != before


def take_back(sid: str, pool: Pool, told: Iterable[Message]) -> ledger.Moved | None:
    """Back to the queue, if its worker has not answered in time; `told`: the newest messages as Twilio has them.

    One in which another worker is, too, goes to that one. Returns what has moved, None if nothing was taken; the caller
    looks for workers for it, and for work for the worker who was freed.
    """
    try:
        moved = database.until_it_holds(partial(_decide, sid, pool, tuple(told)))
    except hand_over.Refused:  # Twilio does not describe it now
        return None
    except database.Unwritable as error:
        log.error(f"It cannot be taken from anybody: {error}", conversation=sid)
        return None
    if moved is not None:
        claim.let_out(moved.conversation)
    return moved


def _decide(sid: str, pool: Pool, told: tuple[Message, ...]) -> ledger.Moved | None:
    now, stored = clock.now(), conversations.load(sid)
    before = hearing.heard(stored, told)
    if before.heard != stored.heard and _has_words(stored, before):
        hear(stored, told)
        return None  # the customer has opted out meanwhile, or in again: the next run decides
    if (
        before.worker is None
        or before.leaving is not None
        or not patience.is_overdue(before, pool, now)
    ):
        ledger.note(stored, before)
        return None
    why = patience.why_back(before, now)
    after = transitions.taken_back(hand_over.with_stay(before), now)
    if (holder := worker_care.first_confirmed(before.others)) is not None:
        after = transitions.handed_over(after, holder, now)
    else:
        after = transitions.queued(after, pool, now, why)
    moved = ledger.move(
        before, after, holder, {pool.id: pool}, marked=partial(_missed, pool=pool)
    )
    log.warning(
        f"back to the queue: {why}",
        conversation=sid,
        worker=before.worker,
        pool=pool.id,
    )
    if moved.freed and moved.freed.unavailable_because:
        log.warning(
            f"Unavailable: {moved.freed.unavailable_because}",
            worker=moved.freed.identity,
        )
    return moved


def _has_words(before: Conversation, after: Conversation) -> bool:
    """Whether there is a new message that is only an opt-out word, or one that lifts it."""
    return any(
        one.word in (opt_out.STOP, opt_out.START)
        for one in set(after.heard) - set(before.heard)
    )


def _missed(worker: Worker, pool: Pool) -> Worker:
    since = worker.missed_at if worker.missed else None
    answered = since is not None and conversations.has_answered(worker.identity, since)
    return patience.missed(worker, pool, clock.now(), answered)


def _answered_while_it_was_taken(before: Conversation, after: Conversation) -> bool:
    """Whether the worker from whom it was taken had answered by then, and nobody else has it yet."""
    known = {one.index for one in before.heard}
    answers = any(
        one.sender == WORKER and one.index not in known for one in after.heard
    )
    return (
        answers
        and before.state == QUEUED
        and after.answered_by == before.taken_from is not None
    )


def _give_back(after: Conversation) -> bool:
    """Whether they may have it; a worker whose record was deleted meanwhile may not."""
    worker = workers.load(after.taken_from or "")
    if not worker.confirmed:
        return False
    matching.give_to(after, worker, "they answered while it was being taken from them")
    worker_care.answers_again(workers.load(worker.identity))
    return True
