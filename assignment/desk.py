"""What a worker says of themselves and of what they have before them: their status, how far they have read, their
devices. It gives and takes nobody a conversation."""

from __future__ import annotations

from collections.abc import Mapping

from assignment import ledger
from domain import messages
from domain.device import Device
from providers import conversations


def set_status(identity: str, status: str) -> None:
    """The worker's word, Available or Unavailable. Raises database.LostRace where their record is gone."""
    ledger.state(identity, status)


def has_read(sid: str, index: int) -> bool:
    """The worker has looked at everything up to this message; what came later stays unread. Whether that was news.

    Raises database.LostRace.
    """
    before = conversations.load(sid)
    after = messages.read(before, index)
    ledger.note(before, after)
    return after != before


def keep_devices(identity: str, changes: Mapping[str, Device | None]) -> None:
    """Devices by their names, None for one to forget. Raises database.LostRace where the worker's record is gone."""
    ledger.keep_devices(identity, changes)
