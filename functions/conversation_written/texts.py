"""Decides which of a pool's texts a write of a conversation may call for, by the event alone.

Only a customer in the queue, or with a new worker, gets a text; most writes call for none, and cost no read.
"""

from __future__ import annotations

from domain.conversation import ASSIGNED, INACTIVE, QUEUED, Conversation
from domain.pool_texts import ASSIGNED_TEXT, AWAY_TEXT, QUEUED_TEXT
from functions import texts
from functions.conversation_written.receiver import Written

_ROUTED = ("custom", "pool")


def tell(written: Written) -> None:
    """Send the text that this write calls for. Raises Again while it is not known whether a text has arrived."""
    if kinds := kinds_for(written):
        texts.send(written.after, kinds)


def kinds_for(written: Written) -> tuple[str, ...]:
    """Return the texts that this write may call for, by the event alone; the first that applies is sent."""
    before, after = written.before, written.after
    if after.mode not in _ROUTED:
        return ()
    if after.state == ASSIGNED:
        return (AWAY_TEXT, ASSIGNED_TEXT) if _is_newly_assigned(before, after) else ()
    if after.state != QUEUED or after.awaiting_since is None:
        return ()
    if _begins_to_wait(before, after):
        return (AWAY_TEXT, QUEUED_TEXT)
    return (AWAY_TEXT,) if written.has_customers_message else ()


def _is_newly_assigned(before: Conversation, after: Conversation) -> bool:
    """Return whether a worker was assigned; one who is there again after a pause was assigned before."""
    if before.state == INACTIVE:
        return before.worker != after.worker
    return before.state != ASSIGNED or before.assigned_at != after.assigned_at


def _begins_to_wait(before: Conversation, after: Conversation) -> bool:
    """Return whether the customer waits in the queue of a pool, and did not before this write."""
    is_first_in_queue = before.state != QUEUED or before.awaiting_since is None
    had_waited_for_one_worker = bool(before.for_worker) and not after.for_worker
    return is_first_in_queue or had_waited_for_one_worker
