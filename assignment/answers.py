"""Who reads and answers a customer, and what becomes of a conversation that nobody answers.

Taking it back from a worker who lets it wait has two writers, the sweep and the worker's own answer, and a crash may
come between Firestore and Twilio. In order:

    1 ask       the sweep reads the newest messages from Twilio: an answer whose webhook was lost counts
    2 decide    ONE commit: queued, `taken_from` and `leaving` name the worker, their slot is free, `missed` + 1
    3 out       Twilio takes the worker out of it
    4 told      `leaving` goes (claim.let_out does 3 and 4; the sweep repeats it once the lease of step 2 is over)
    5 use       the queue is looked at: others first, the same worker not for 5 minutes

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
from dataclasses import replace
from functools import partial

from assignment import claim, hand_over, ledger, matching, worker_care
from domain import messages, patience, transitions, wordless
from domain.conversation import CUSTOMER, QUEUED, SERVICE, WORKER, Conversation
from domain.messages import Message
from domain.pool import Pool
from domain.worker import Worker
from providers import clock, conversations, database, log, settings, workers
from providers import messages as at_twilio


def hear(before: Conversation, told: Iterable[Message]) -> bool:
    """Notes messages in the record, whoever tells of them; whether they were news. Raises database.LostRace."""
    after = heard(before, told)
    if after == before:
        return False
    if _answered_while_it_was_taken(before, after):
        _give_back(after)
    else:
        ledger.note(before, after)
    return True


def heard(before: Conversation, told: Iterable[Message]) -> Conversation:
    """The record with these messages; nothing is written."""
    after = before
    for message in sorted(told, key=lambda one: one.index):
        sender = messages.sender_of(message, before)
        is_news = message.index not in {one.index for one in before.heard}
        if sender is None and is_news:
            sender = messages.stranger(message.author, settings.load().bots)
        if not message.text and is_news:
            message = replace(message, text=_words_for(message, sender, before))
        after = messages.noted(after, message, sender or SERVICE)
    return after


def _words_for(message: Message, sender: str | None, conversation: Conversation) -> str:
    if sender != CUSTOMER:
        return wordless.TEMPLATE
    return at_twilio.what_it_is(conversation, message.sid) or wordless.UNKNOWN


def has_read(sid: str, index: int) -> bool:
    """The worker has looked at everything up to this message; what came later stays unread. Whether that was news.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    after = messages.read(before, index)
    ledger.note(before, after)
    return after != before


def take_back(sid: str, pool: Pool, told: Iterable[Message]) -> bool:
    """Back to the queue, if its worker has not answered in time; `told`: the newest messages as Twilio has them.

    One in which another worker is, too, goes to that one. Returns whether it was taken.
    """
    try:
        moved = database.until_it_holds(partial(_decide, sid, pool, tuple(told)))
    except hand_over.Refused:  # Twilio does not tell just now
        return False
    except database.Unwritable as error:
        log.error(f"It cannot be taken from anybody: {error}", conversation=sid)
        return False
    if moved is None:
        return False
    claim.let_out(moved.conversation)
    if moved.conversation.state == QUEUED:
        matching.look_again(moved.conversation)
    matching.freed(moved.freed)
    return True


def _decide(sid: str, pool: Pool, told: tuple[Message, ...]) -> ledger.Moved | None:
    now, stored = clock.now(), conversations.load(sid)
    before = heard(stored, told)
    if before.worker is None or before.leaving is not None or not patience.is_overdue(before, pool, now):
        ledger.note(stored, before)
        return None
    why = patience.why_back(before, now)
    after, holder = transitions.taken_back(hand_over.with_stay(before), now), None
    if before.others:
        holder = ledger.record_of(before.others[0])
        after = transitions.handed_over(after, holder, now)
    else:
        after = transitions.queued(after, pool, now, why)
    moved = ledger.move(before, after, holder, {pool.id: pool}, marked=partial(_missed, pool=pool))
    log.warning(f"back to the queue: {why}", conversation=sid, worker=before.worker, pool=pool.id)
    if moved.freed and moved.freed.unavailable_because:
        log.warning(f"Unavailable: {moved.freed.unavailable_because}", worker=moved.freed.identity)
    return moved


def _missed(worker: Worker, pool: Pool) -> Worker:
    since = worker.missed_at if worker.missed else None
    answered = since is not None and conversations.has_answered(worker.identity, since)
    return patience.missed(worker, pool, clock.now(), answered)


def _answered_while_it_was_taken(before: Conversation, after: Conversation) -> bool:
    """Whether the worker from whom it was taken had answered by then, and nobody else has it yet."""
    known = {one.index for one in before.heard}
    answers = any(one.sender == WORKER and one.index not in known for one in after.heard)
    return answers and before.state == QUEUED and after.answered_by == before.taken_from is not None


def _give_back(after: Conversation) -> None:
    worker = workers.load(after.taken_from or "")
    matching.give_to(after, worker, "they answered while it was being taken from them")
    worker_care.answers_again(workers.load(worker.identity))
