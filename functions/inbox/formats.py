"""Formats values as the page takes them."""

from __future__ import annotations

from datetime import datetime

from domain import addresses, window
from domain.conversation import Conversation
from domain.window import Window
from domain.worker import Worker
from providers import clock


def iso(moment: datetime | None) -> str | None:
    """Return the time as ISO 8601; None stays None."""
    return moment.isoformat() if moment else None


def channel_of(conversation: Conversation) -> str:
    """Return the channel of the customer's address, such as sms; empty if there is no address."""
    return addresses.channel(conversation.address or "")


def status_of(worker: Worker) -> str:
    """Return the status as the contract spells it."""
    return "Available" if worker.available else "Unavailable"


def closed(found: Window | None) -> Window | None:
    """Return the window if it is closed now, else None. A channel without a window has none that could close."""
    is_closed = found is not None and window.is_closed(found, clock.now())
    return found if is_closed else None
