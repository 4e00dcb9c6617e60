"""A conversation that a worker begins, at Twilio. Each call may be repeated: nothing is made twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import limits
from providers import twilio
from providers.twilio import Outcome, Result, Somewhere


def create(
    unique_name: str, name: str, attributes: Mapping[str, Any], service_sid: str | None
) -> Result:
    """A conversation without anybody in it, or the one that has this unique name already; the body is it."""
    root: Any = twilio.client().conversations.v1
    all_of_them = (
        root.services(service_sid).conversations if service_sid else root.conversations
    )
    made = twilio.persistently(
        lambda: all_of_them.create(
            unique_name=unique_name,
            friendly_name=name[: limits.NAME],
            attributes=limits.as_json(attributes),
        )
    )
    if made.outcome is Outcome.DONE and made.body is not None:
        return made
    there = twilio.persistently(all_of_them(unique_name).fetch)
    return there if there.outcome is Outcome.DONE else made


def add_customer(
    place: Somewhere, address: str, proxy_address: str, attributes: Mapping[str, Any]
) -> Result:
    """The customer, at this address of theirs and that number of ours; one who is in it already is DONE."""
    return twilio.persistently(
        lambda: twilio.at(place).participants.create(
            messaging_binding_address=address,
            messaging_binding_proxy_address=proxy_address,
            attributes=limits.as_json(attributes),
        )
    )
