"""Facts for reports outside this service: flat values without a text, a number or a name (docs/facts.md)."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from domain import addresses
from domain.conversation import Conversation
from domain.status_change import Seen

SCHEMA = 1
CLOSED, STATUS = "conversation_closed", "status_changed"
_LONGEST_HASH = 32
_ROUTED = ("pool", "custom")


def of_closed(
    conversation: Conversation, version: datetime | None, secret: bytes
) -> dict[str, Any]:
    """Return the fact about a closed conversation. `secret`: the installation's key of the hashes."""
    is_routed = conversation.mode in _ROUTED
    return {
        "schema": SCHEMA,
        "kind": CLOSED,
        "sid": conversation.sid,
        "version": _time(version),
        "mode": conversation.mode,
        "pool": conversation.pool,
        "channel": addresses.channel(conversation.address or ""),
        "worker": hashed("worker", conversation.worker, secret),
        "answered_by": hashed("worker", conversation.answered_by, secret),
        "customer": hashed("customer", conversation.customer_id, secret),
        "created_at": _time(conversation.created_at),
        "queued_at": _time(conversation.queued_at),
        "assigned_at": _time(conversation.assigned_at),
        "first_answer_at": _time(conversation.first_answer_at),
        "closed_at": _time(conversation.closed_at),
        "waited": conversation.waited,
        "answered_in": conversation.answered_in,
        "priority": conversation.priority,
        "went_back": conversation.went_back,
        "undelivered": len(conversation.undelivered),
        "abandoned": is_routed and conversation.waited is None,
        "opted_out": conversation.opted_out_at is not None,
        "outside_hours": conversation.outside_hours,
    }


def of_status_change(seen: Seen, secret: bytes) -> dict[str, Any]:
    """Return the fact about a change of a worker's status. `secret`: as above."""
    change = seen.change
    return {
        "schema": SCHEMA,
        "kind": STATUS,
        "id": seen.name,
        "worker": hashed("worker", change.worker, secret),
        "from": change.before,
        "to": change.after,
        "at": _time(change.at),
        "outside": not seen.is_stored,
    }


def hashed(kind: str, value: str | None, secret: bytes) -> str | None:
    """Return the hash that stands for a worker or a customer in every fact; None for None."""
    if not value:
        return None
    text = f"fact {kind} {value}".encode(errors="surrogatepass")
    return hmac.digest(secret, text, "sha256").hex()[:_LONGEST_HASH]


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
