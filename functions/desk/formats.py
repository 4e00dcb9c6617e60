"""Values as the desk's page takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain import addresses
from domain.conversation import Conversation
from domain.worker import Worker


def iso(moment: datetime | None) -> str | None:
    """Return the time as ISO 8601; None stays None."""
    return moment.isoformat() if moment else None


def name_of(conversation: Conversation) -> str:
    """Return the customer's name; without one, the readable part of the address."""
    if conversation.display_name:
        return conversation.display_name
    return addresses.called(conversation.address or "Unknown customer")


def status_of(worker: Worker) -> str:
    """Return the status as the contract spells it."""
    return "Available" if worker.available else "Unavailable"


def reason_of(conversation: Conversation) -> str:
    """Return the last line of the log that says why it waits."""
    reasons = [
        line["why"]
        for line in conversation.log
        if line["what"] in ("queued", "overflow", "waiting")
    ]
    return str(reasons[-1]) if reasons else ""


def log_of(conversation: Conversation) -> list[dict[str, Any]]:
    """Return the lines of the log, the oldest first."""
    return [
        {
            "at": iso(line["at"]),
            "what": line["what"],
            "why": line["why"],
            "by": line.get("by"),
        }
        for line in conversation.log
    ]
