"""The Firestore trigger on conversations/{sid}: texts to the customer, notifications to the worker, edits by hand.

Nothing waits for it: what it misses, the sweep does. Every write of a conversation calls it, so each receiver decides
from the event alone whether it has anything to do, and reads nothing for most. Receivers are shielded from each other;
a failure makes the event come again to all of them, so each one keeps a mark of its own by which it does nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.conversation import parse
from functions.conversation_written import closing, hand_edits, notifications, texts
from functions.conversation_written.receiver import Receiver, Written
from functions.http.answers import Again
from functions.http.trigger import Change
from providers import database, log

RECEIVERS: tuple[Receiver, ...] = (
    texts.tell,
    notifications.tell,
    hand_edits.follow,
    closing.log_fact,
)


def handle(change: Change, receivers: Sequence[Receiver] = RECEIVERS) -> None:
    """Call the receivers. Raises Again when one of them has to be called again."""
    written = Written(
        parse(change.name, change.before),
        parse(change.name, change.after),
        change.at,
    )
    outcomes = [_shielded(receiver, written) for receiver in receivers]
    failed = list(filter(None, outcomes))
    if failed:
        raise Again(", ".join(failed))


def _shielded(receiver: Receiver, written: Written) -> str | None:
    """Call one receiver; return its name if it has to be called again, after logging why, else None."""
    name = receiver.__module__.rpartition(".")[2]
    try:
        receiver(written)
    except Again as later:
        log.warning(f"To be tried again ({name}): {later}", conversation=written.sid)
        return name
    except database.Unwritable as error:  # another call would fail too
        log.error(f"Not done ({name}): {error}", conversation=written.sid)
    except Exception:  # noqa: BLE001 - one receiver's failure must not keep the others from being called
        log.crash(f"Failed ({name}); it is tried again.", conversation=written.sid)
        return name
    return None
