"""The Firestore trigger on conversations/{sid}: tells people what became of a conversation, and follows what a person
has edited in its record. Nothing waits for it: what it does not come to, the sweep does.

Every write of a conversation wakes it, so each receiver decides from the event alone whether it has anything to do,
and reads nothing for most. Receivers are shielded from each other; what failed comes again with the event, and then
comes to all of them, so each one keeps a mark of its own by which it does nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.conversation import parse
from functions.conversation_written import hand_edits, notifications, texts
from functions.conversation_written.receiver import Again, Receiver, Written
from functions.http.trigger import Change
from providers import database, log

RECEIVERS: tuple[Receiver, ...] = (texts.tell, notifications.tell, hand_edits.follow)


def handle(change: Change, receivers: Sequence[Receiver] = RECEIVERS) -> None:
    """Raises Again when one of the receivers is to be called once more."""
    written = Written(
        parse(change.name, change.before), parse(change.name, change.after)
    )
    if failed := [
        name
        for name in (_shielded(receiver, written) for receiver in receivers)
        if name
    ]:
        raise Again(", ".join(failed))


def _shielded(receiver: Receiver, written: Written) -> str | None:
    """None, or which receiver has to be called again; it is logged here why."""
    name = receiver.__module__.rpartition(".")[2]
    try:
        receiver(written)
    except Again as later:
        log.warning(f"To be tried again ({name}): {later}", conversation=written.sid)
        return name
    except database.Unwritable as error:  # again would be no better
        log.error(f"Not done ({name}): {error}", conversation=written.sid)
    except Exception:  # noqa: BLE001 - one receiver's failure must not keep the others from being called
        log.crash(f"Failed ({name}); it is tried again.", conversation=written.sid)
        return name
    return None
