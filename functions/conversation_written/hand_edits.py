"""A person edits a conversation's record in the console: another worker is a hand-over, another pool a move.

Most writes are the service's own, which note what they do in the story: they are told apart without reading anything.
"""

from __future__ import annotations

from functools import partial

from assignment import hand_over, membership
from domain import edits
from functions.conversation_written.receiver import Again, Written
from providers import database


def follow(written: Written) -> None:
    """Does what the edit asks for, if the record still says it. Raises Again while Twilio does not answer."""
    before, after = written.before, written.after
    edited = edits.by_hand(before, after)
    if (
        "worker" in edited and after.lease_until is None
    ):  # else somebody is just being added: the sweep sees whom
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
