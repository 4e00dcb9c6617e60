"""Conversations at Twilio that a worker begins. Every call may be repeated: nothing is created twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import limits
from providers import twilio
from providers.twilio import Outcome, Result, Somewhere


def create(
    unique_name: str, name: str, attributes: Mapping[str, Any], service_sid: str | None
) -> Result:
    """Create a conversation without participants, or return the existing one of this unique name.

    The result's body is the conversation.
    """
    conversations: Any = twilio.root(service_sid).conversations
    created = twilio.persistently(
        lambda: conversations.create(
            unique_name=unique_name,
            friendly_name=name[: limits.NAME],
            attributes=limits.as_json(attributes),
        )
    )
    if created.outcome is Outcome.DONE and created.body is not None:
        return created
    existing = twilio.persistently(conversations(unique_name).fetch)
    return existing if existing.outcome is Outcome.DONE else created


def add_customer(
    place: Somewhere, address: str, proxy_address: str, attributes: Mapping[str, Any]
) -> Result:
    """Add the customer under this address, with our number `proxy_address`.

    DONE, too, for a customer who already takes part.
    """
    return twilio.persistently(
        lambda: twilio.at(place).participants.create(
            messaging_binding_address=address,
            messaging_binding_proxy_address=proxy_address,
            attributes=limits.as_json(attributes),
        )
    )
