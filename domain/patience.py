"""The answer deadline: how long a customer waits for a worker's answer, and what a missed one means for the worker.

The time starts with the latest of three: the oldest unanswered message, the assignment, and the last time that the
conversation turned active again. It counts only while the pool is open, and also while the conversation is inactive.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain import opening
from domain.conversation import ASSIGNED, INACTIVE, Conversation
from domain.pool import Pool
from domain.rules import in_words
from domain.worker import Worker


def latest_due(pool: Pool, now: datetime) -> datetime | None:
    """Return the time since when a customer has to have waited to be overdue; None if no customer can be."""
    if pool.answer_within is None:
        return None
    return opening.before(pool.opening, now, pool.answer_within)


def is_overdue(conversation: Conversation, pool: Pool, now: datetime) -> bool:
    """Return whether its worker has missed the pool's answer deadline, and it can go back to this pool's queue."""
    due, since = latest_due(pool, now), waits_on_worker_since(conversation)
    if due is None or since is None:
        return False
    return since <= due and _can_return_to(pool, conversation)


def _can_return_to(pool: Pool, conversation: Conversation) -> bool:
    is_routed = conversation.mode != "none" and conversation.pool == pool.id
    return is_routed and conversation.address is not None


def waits_on_worker_since(conversation: Conversation) -> datetime | None:
    """Return since when the customer has waited for the current worker's answer; None if they do not wait for one."""
    asked = conversation.awaiting_since
    has_worker = conversation.state in (ASSIGNED, INACTIVE) and conversation.worker
    if asked is None or not has_worker:
        return None
    return max(asked, conversation.assigned_at or asked)


def is_miss(
    conversation: Conversation, worker: Worker, pool: Pool, now: datetime
) -> bool:
    """Return whether the return of an overdue conversation counts as a missed deadline of its worker.

    It counts once per conversation and wait, while the pool is open and the worker is Available. A worker whose answer
    did not reach the customer has not missed it.
    """
    if not worker.available or worker.identity in conversation.missed_by:
        return False
    if not opening.is_open(pool.opening, now):
        return False
    return not _has_written_since_asked(conversation)


def _has_written_since_asked(conversation: Conversation) -> bool:
    asked, answered = conversation.awaiting_since, conversation.answered_at
    if asked is None or answered is None:
        return False
    return conversation.answered_by == conversation.worker and answered > asked


def missed(worker: Worker, pool: Pool, now: datetime, answered: bool) -> Worker:
    """Return the worker after a missed answer deadline; they turn Unavailable at the pool's `unavailable_after`.

    `answered`: whether they have answered a customer since the deadline that they missed before this one; then
    counting the misses in a row starts again, as it does when they turn Available.
    """
    starts_again = answered or _has_turned_since_missed(worker)
    in_a_row = 1 if starts_again else worker.missed + 1
    after = replace(worker, missed=in_a_row, missed_at=now)
    is_limit_reached = in_a_row >= (pool.unavailable_after or float("inf"))
    if not is_limit_reached or not worker.available:
        return after
    what = "a conversation" if in_a_row == 1 else f"{in_a_row} conversations in a row"
    because = f"{what} went back to the queue for want of an answer"
    return replace(
        after, available=False, status_since=now, unavailable_because=because
    )


def _has_turned_since_missed(worker: Worker) -> bool:
    if worker.missed_at is None or worker.status_since is None:
        return False
    return worker.available and worker.missed_at < worker.status_since


def why_back(conversation: Conversation, pool: Pool, now: datetime) -> str:
    """Return the log's reason for the return of an overdue conversation to the queue."""
    since = waits_on_worker_since(conversation) or now
    waited = in_words(opening.seconds(pool.opening, since, now))
    return f"{conversation.worker} did not answer for {waited}"
