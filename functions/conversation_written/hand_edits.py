"""A person edits a conversation's record in the console: another worker is a hand-over, another pool a move.

Most writes are the service's own, which add a line to the log: they are recognized without reading anything.
"""

from __future__ import annotations

from functools import partial

from assignment import hand_over, membership
from domain import edits
from functions.conversation_written.receiver import Written
from functions.http.answers import Again
from providers import database


def follow(written: Written) -> None:
    """Do what the edit asks for, if the record still says it. Raises Again while Twilio doesn't respond."""
    before, after = written.before, written.after
    edited = edits.by_hand(before, after)
    # With a lease a worker is being added: the sweep sees which one.
    if "worker" in edited and after.lease_until is None:
        try:
            hand_over.edited(
                written.sid, after.participant_sid, after.worker, before.worker
            )
        except hand_over.Refused as refused:
            raise Again(str(refused)) from refused
    if edited & {"pool", "priority"}:
        moved = partial(
            membership.moved_by_hand, written.sid, after.pool, after.priority
        )
        database.until_it_holds(moved)
