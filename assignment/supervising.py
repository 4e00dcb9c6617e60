"""What a supervisor does to any conversation: give it to a worker or a pool, set its priority, close it.

    to_worker(act, identity)    to this very worker, whatever their status and load
    to_pool(act, pool_id)       to this pool's queue; None: to the pool that it came by
    set_priority(act, number)
    close(act)                  ends it at Twilio and here

All write a line with `by` into the conversation's log and an entry into the audit, in the commit of the change itself.
All return None when it is done, or written and finished by the sweep if Twilio doesn't respond. All raise Refused with
one sentence when it cannot be done, and then the conversation stays as it was; and database.LostRace only when the
caller's time is over. docs/decisions/0006-handing-over.md has the interleavings.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from assignment import claim, hand_over, ledger, matching, membership
from assignment.hand_over import Refused, has_ended, refuse_if_unsettled, with_stay
from assignment.ledger import Moved
from domain import transitions
from domain.conversation import CLOSED, QUEUED, WORD, Conversation
from domain.fields import cut
from domain.worker import Worker
from providers import clock, conversations, database, log, pools, twilio, workers
from providers.audit import Entry

LONGEST_WORD = 500  # characters
_OVER = "This conversation is closed."
_UNSEEN = "-"


@dataclass(frozen=True)
class Act:
    """One request of a supervisor. `word`: for the next worker. `seen`: the worker that the page showed ("" for none);
    if another one has the conversation by now, the act is refused. `at` and `by` identify the act in the log."""

    sid: str
    by: str
    word: str = ""
    seen: str = _UNSEEN
    at: datetime = field(default_factory=clock.now)

    def entry(self, did: str, *fields: str) -> Entry:
        return Entry(self.by, did, f"conversations/{self.sid}", fields, self.at)

    def noted(self, before: Conversation, what: str, why: str) -> Conversation:
        """Return it with the word and what was done in its log, in the order of the inbox's hand-overs."""
        after = before
        if self.word:
            after = before.noted(self.at, WORD, cut(self.word, LONGEST_WORD), self.by)
        return after.noted(self.at, what, why, self.by)

    def is_in(self, conversation: Conversation) -> bool:
        """Return whether this act is written already, although its answer was lost."""
        return any(
            (line["at"], line.get("by")) == (self.at, self.by)
            for line in conversation.log
        )


def to_worker(act: Act, identity: str) -> None:
    """Give it to a confirmed worker; `identity` may be in any spelling."""
    worker = hand_over.next_worker(identity)
    attempt = uuid.uuid4().hex
    moved = database.until_it_holds(
        partial(_promised, act, worker.identity, f"{worker.identity} {attempt}")
    )
    if moved is not None:
        hand_over.finish(moved, f"{worker.name} cannot be added at Twilio.")


def _promised(act: Act, identity: str, claimed: str) -> Moved | None:
    """Claim it for the worker. Returns None if it is theirs already."""
    before = conversations.load(act.sid)
    if before.claim == claimed:
        return Moved(before)
    if act.is_in(before):
        return None
    _refuse(act, before)
    worker = workers.load(identity)
    if not worker.confirmed or worker.version is None:
        raise Refused(
            f"{worker.name} waits for confirmation and cannot take a conversation yet."
        )
    if before.worker == worker.identity:
        return None
    after = _claimed(act, before, worker, claimed.rpartition(" ")[2])
    log.info("given by a supervisor", conversation=act.sid, worker=worker.identity)
    return ledger.move(
        before, after, worker, audited=act.entry("handed over", "worker")
    )


def _claimed(
    act: Act, before: Conversation, worker: Worker, attempt: str
) -> Conversation:
    noted = act.noted(before, "handed over", f"to {worker.name}")
    why = f"{act.by} gave it to them"
    if before.worker is None:
        return transitions.claimed(noted, worker, attempt, clock.now(), why)
    refuse_if_unsettled(before)
    return transitions.handed_to(with_stay(noted), worker, attempt, clock.now(), why)


def to_pool(act: Act, pool_id: str | None) -> None:
    """Queue it in this pool, or for None in the pool that it came by; its worker is not tried again for a while."""

    def step() -> None:
        before = conversations.load(act.sid)
        if act.is_in(before):
            _go_on(before)
            return
        _refuse(act, before)
        pool = pools.load(pool_id) if pool_id else membership.pool_for(before)
        waits_there = before.state == QUEUED and before.pool == pool.id
        if waits_there and before.for_worker is None:
            return
        why = f"to {pool.display_name}"
        after = _without_worker(act.noted(before, "handed over", why))
        reason = f"{act.by} moved it {why}"
        audited = act.entry("handed over", "pool")
        matching.queue(before, replace(after, mode="pool"), pool, reason, audited)

    database.until_it_holds(step)


def _go_on(queued: Conversation) -> None:
    """Do what follows a commit whose answer was lost: the worker leaves, and free workers are looked for."""
    if queued.state != QUEUED:
        return
    if queued.leaving:
        claim.let_out(queued)
        matching.freed(workers.load(queued.leaving))
    matching.look_again(queued)


def _without_worker(before: Conversation) -> Conversation:
    """Return it without its worker, and with its returns counted again: a person has decided."""
    if before.worker is None:
        return replace(before, returns=0)
    refuse_if_unsettled(before)
    return replace(transitions.let_go(with_stay(before), clock.now()), returns=0)


def set_priority(act: Act, priority: int) -> None:
    """Set the conversation's priority, also in the queue."""

    def step() -> None:
        before = conversations.load(act.sid)
        if act.is_in(before) or before.priority == priority:
            return
        _refuse(act, before)
        why = f"{before.priority} is now {priority}"
        after = replace(act.noted(before, "priority", why), priority=priority)
        ledger.move(before, after, audited=act.entry("changed", "priority"))

    database.until_it_holds(step)


def close(act: Act) -> None:
    """End it: write who does so, then close it at Twilio, then here, where a closed conversation is final."""
    if conversations.load(act.sid).state == CLOSED:
        return
    before = database.until_it_holds(partial(_closing, act))
    result = twilio.close(before)
    if has_ended(before, result):
        matching.close(act.sid, f"{act.by} closed it")
        return
    log.error(f"It could not be closed: {result.why}", conversation=act.sid)
    raise Refused("Twilio didn't close it; try again.")


def _closing(act: Act) -> Conversation:
    """Write that it is to be closed, before Twilio's webhooks report that it is."""
    before = conversations.load(act.sid)
    if act.is_in(before):
        return before
    _refuse(act, before)
    after = act.noted(before, "closing", "asked for at the desk")
    return ledger.move(before, after, audited=act.entry("closed")).conversation


def _refuse(act: Act, current: Conversation) -> None:
    """Raise Refused for a closed conversation, and for one that another worker has by now."""
    if current.state == CLOSED:
        raise Refused(_OVER)
    if act.seen not in (_UNSEEN, current.worker or ""):
        has_it = f"{current.worker} has it" if current.worker else "It has no worker"
        raise Refused(f"{has_it} by now. Look again before you decide.")
