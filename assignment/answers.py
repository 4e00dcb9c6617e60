"""Messages and read receipts are noted, and a conversation that its worker does not answer goes back to the queue.

Taking it back has two writers, the sweep and the worker's own answer, and a crash may come between Firestore and
Twilio. In order:

    1 ask       the sweep reads the newest messages from Twilio: an answer whose webhook was lost counts
    2 decide    ONE commit: queued, `taken_from` and `leaving` name the worker, their slot is free, `missed` + 1
    3 out       Twilio removes the worker's participant
    4 noted     `leaving` is cleared (claim.let_out does 3 and 4; the sweep repeats it once the lease of step 2 is over)
    5 use       once all that is overdue is back, the sweep looks at the queue: other workers first, the same worker
                not for 5 minutes

| the worker's answer arrives | then |
|---|---|
| before 2 commits | the commit fails, is decided again, and nothing is overdue: the worker keeps it |
| after 2, before another worker has claimed it | the commit that notes it gives it back; they are added again |
| after 2, between 3 and 4 | the same; step 4 sees that it is theirs, and adds them again: 3 may have come last |
| after another worker has claimed it | that worker keeps it; the customer was answered |

A crash after 2 leaves a participant who should not be there any more: `leaving` names them, so their presence is not
taken for a person's action (docs/decisions/0006-handing-over.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from assignment import (
    arrival,
    claim,
    hand_over,
    hearing,
    ledger,
    matching,
    membership,
    opting_out,
    worker_care,
)
from domain import messages, opt_out, patience, rules, transitions
from domain.conversation import QUEUED, WORKER, Conversation
from domain.messages import Message
from domain.pool import Pool
from domain.worker import Worker
from providers import clock, conversations, database, log, workers


def hear(before: Conversation, told: Iterable[Message]) -> bool:
    """Note messages in the record; return whether any of them was new.

    `before`: the record as it is stored. `told`: messages from a webhook or from Twilio's list, in any order. Of a
    conversation without a record only an opt-out word is noted, for the arrival to see. Raises database.LostRace.
    """
    listed = sorted(told, key=lambda message: message.index)
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
    elif rules.may_be_routed_again(before, after):
        if not arrival.route_if_possible(after):
            ledger.note(before, after)
    elif before.needs_person and not after.needs_person:
        _queue_again(before, after)
    elif not (_answered_too_late(before, after) and _give_back(after)):
        ledger.note(before, after)
    return True


def _queue_again(before: Conversation, after: Conversation) -> None:
    """Let workers take a conversation again that needed a person: its customer has written, or a worker has."""
    pool = membership.pool_for(after)
    matching.queue(before, after, pool, "there is a new message in it")


def has_read(sid: str, index: int) -> bool:
    """Note that the worker has read all messages up to this index; return whether that was new.

    Later messages stay unread. Raises database.LostRace.
    """
    before = conversations.load(sid)
    after = messages.read(before, index)
    ledger.note(before, after)
    return after != before


def mark_unread(sid: str) -> None:
    """Note that the worker wants to come back to the customer's last message. Raises database.LostRace."""
    before = conversations.load(sid)
    ledger.note(before, messages.marked_unread(before))


def take_back(sid: str, pool: Pool, told: Iterable[Message]) -> ledger.Moved | None:
    """Return a conversation to the queue if its worker has not answered in time.

    `told`: the newest messages as Twilio has them. If another worker is in the conversation too, it goes to that one.
    Returns what has moved, None if nothing was taken; the caller then looks for workers for the conversation, and for
    work for the freed worker.
    """
    try:
        moved = database.until_it_holds(partial(_decide, sid, pool, tuple(told)))
    except hand_over.Refused:  # Twilio does not respond
        return None
    except database.Unwritable as error:
        log.error(f"It cannot be taken back: {error}", conversation=sid)
        return None
    if moved is not None:
        claim.let_out(moved.conversation)
    return moved


def _decide(sid: str, pool: Pool, listed: tuple[Message, ...]) -> ledger.Moved | None:
    now, stored = clock.now(), conversations.load(sid)
    before = hearing.heard(stored, listed)
    if _has_new_words(stored, before):
        hear(stored, listed)
        return None  # the customer has opted out meanwhile, or in again: the next run decides
    if not _is_to_be_taken(before, pool, now):
        hear(stored, listed)
        return None
    why = patience.why_back(before, pool, now)
    after = transitions.taken_back(hand_over.with_stay(before), now)
    is_miss = patience.is_miss(before, workers.load(before.worker or ""), pool, now)
    if is_miss:
        after = transitions.missed_by(after, before.worker or "")
    holder = worker_care.first_confirmed(before.others)
    if holder is not None:
        after = transitions.handed_over(after, holder, now)
    else:
        after = transitions.queued(after, pool, now, why)
    marked = partial(_missed, pool=pool) if is_miss else None
    moved = ledger.move(before, after, holder, {pool.id: pool}, marked=marked)
    _log_return(before, moved.freed, pool, why)
    return moved


def _is_to_be_taken(conversation: Conversation, pool: Pool, now: datetime) -> bool:
    if conversation.worker is None or conversation.leaving is not None:
        return False
    return patience.is_overdue(conversation, pool, now)


def _log_return(
    before: Conversation, freed: Worker | None, pool: Pool, why: str
) -> None:
    log.warning(
        f"back to the queue: {why}",
        conversation=before.sid,
        worker=before.worker,
        pool=pool.id,
    )
    if freed and freed.unavailable_because:
        log.warning(f"Unavailable: {freed.unavailable_because}", worker=freed.identity)


def _has_new_words(before: Conversation, after: Conversation) -> bool:
    """Return whether there is a new message that is only an opt-out word, or one that lifts it."""
    new = set(after.heard) - set(before.heard)
    return any(message.word in (opt_out.STOP, opt_out.START) for message in new)


def _missed(worker: Worker, pool: Pool) -> Worker:
    since = worker.missed_at if worker.missed else None
    answered = since is not None and conversations.has_answered(worker.identity, since)
    return patience.missed(worker, pool, clock.now(), answered)


def _answered_too_late(before: Conversation, after: Conversation) -> bool:
    """Return whether a new answer is by the worker from whom it was taken, while no other worker has it yet."""
    if before.state != QUEUED or before.taken_from is None:
        return False
    if after.answered_by != before.taken_from:
        return False
    noted = {message.index for message in before.heard}
    new = [message for message in after.heard if message.index not in noted]
    return any(message.sender == WORKER for message in new)


def _give_back(after: Conversation) -> bool:
    """Give it back to the worker from whom it was taken; False if they are no longer a confirmed worker."""
    worker = workers.load(after.taken_from or "")
    if not worker.confirmed:
        return False
    matching.give_to(after, worker, "they answered while it was being taken from them")
    worker_care.answers_again(workers.load(worker.identity))
    return True
