"""The answer deadline: how long a customer waits for a worker's answer, and what a missed one means for the worker.

The time starts with the oldest unanswered message. If the worker was assigned later than that, it starts with the
assignment.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from domain.conversation import ASSIGNED, Conversation
from domain.pool import Pool
from domain.rules import in_words
from domain.worker import Worker


def latest_due(pool: Pool, now: datetime) -> datetime | None:
    """Return the time since when a customer has to have waited to be overdue; None if the pool has no deadline."""
    if pool.answer_within is None:
        return None
    return now - timedelta(seconds=pool.answer_within)


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
    if asked is None or conversation.state != ASSIGNED:
        return None
    return max(asked, conversation.assigned_at or asked)


def missed(worker: Worker, pool: Pool, now: datetime, answered: bool) -> Worker:
    """Return the worker after a missed answer deadline; they turn Unavailable at the pool's `unavailable_after`.

    `answered`: whether they have answered a customer since the deadline that they missed before this one; then
    counting the misses in a row starts again.
    """
    in_a_row = 1 if answered else worker.missed + 1
    after = replace(worker, missed=in_a_row, missed_at=now)
    is_limit_reached = in_a_row >= (pool.unavailable_after or float("inf"))
    if not is_limit_reached or not worker.available:
        return after
    what = "a conversation" if in_a_row == 1 else f"{in_a_row} conversations in a row"
    because = f"{what} went back to the queue for want of an answer"
    return replace(
        after, available=False, status_since=now, unavailable_because=because
    )


def why_back(conversation: Conversation, now: datetime) -> str:
    """Return the log's reason for the return of an overdue conversation to the queue."""
    since = waits_on_worker_since(conversation) or now
    waited = in_words((now - since).total_seconds())
    return f"{conversation.worker} did not answer for {waited}"
