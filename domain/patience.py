"""How long a customer waits for a worker's answer, and what it means for one who gives none.

The time begins with the oldest message that nobody answered, and for a worker who has been given the conversation
since then, with that.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from domain.conversation import ASSIGNED, Conversation
from domain.pool import Pool
from domain.rules import in_words
from domain.worker import Worker


def latest_due(pool: Pool, now: datetime) -> datetime | None:
    """Who has waited for an answer since then, or longer, goes back to the queue; None: nobody in this pool."""
    return (
        None
        if pool.answer_within is None
        else now - timedelta(seconds=pool.answer_within)
    )


def is_overdue(conversation: Conversation, pool: Pool, now: datetime) -> bool:
    """Whether its worker has had as long as the pool allows. Nobody takes it back who could not queue it."""
    due, since = latest_due(pool, now), waits_on_worker_since(conversation)
    can_queue = conversation.address is not None and conversation.mode != "none"
    return (
        due is not None
        and since is not None
        and since <= due
        and can_queue
        and conversation.pool == pool.id
    )


def waits_on_worker_since(conversation: Conversation) -> datetime | None:
    """Since when its customer has waited for an answer of the worker who has it now; None: for none."""
    asked, given = conversation.awaiting_since, conversation.assigned_at
    return (
        None
        if asked is None or conversation.state != ASSIGNED
        else max(asked, given or asked)
    )


def missed(worker: Worker, pool: Pool, now: datetime, answered: bool) -> Worker:
    """The worker once a conversation went back from them; `answered`: they have answered one since the last that did.

    Turns Unavailable with so many in a row as the pool allows.
    """
    in_a_row = 1 if answered else worker.missed + 1
    after = replace(worker, missed=in_a_row, missed_at=now)
    if (
        pool.unavailable_after is None
        or in_a_row < pool.unavailable_after
        or not worker.available
    ):
        return after
    several = (
        "a conversation" if in_a_row == 1 else f"{in_a_row} conversations in a row"
    )
    because = f"{several} went back to the queue for want of an answer"
    return replace(
        after, available=False, status_since=now, unavailable_because=because
    )


def why_back(conversation: Conversation, now: datetime) -> str:
    """In a supervisor's words."""
    since = waits_on_worker_since(conversation) or now
    return f"{conversation.worker} did not answer for {in_words((now - since).total_seconds())}"
