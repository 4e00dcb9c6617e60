"""The account's own addresses: which kinds Twilio's Addresses resource takes, and what a message to each one starts."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

# In the order in which they are tried. https://www.twilio.com/docs/conversations/api/address-configuration-resource
_FORMS = (
    ("whatsapp", r"whatsapp:\+[1-9]\d{3,14}"),
    ("sms", r"\+[1-9]\d{3,14}"),
    ("sms", r"[1-9]\d{2,7}(?P<country>:[A-Za-z]{2})?"),  # a short code, and its country
    ("messenger", r"messenger:[\w.-]+"),
    ("rcs", r"rcs:[\w.-]+"),
    ("gbm", r"gbm:\S+"),
    ("apple", r"urn:mbid:[\w-]+"),
    ("email", r"[^@\s:]+@[^@\s:]+\.[^@\s:]+"),
)
_EXAMPLES = (
    "+12025550123, whatsapp:+12025550123, 12345 or 12345:US (a short code), messenger:PAGE-ID, rcs:AGENT, "
    "urn:mbid:ID or an e-mail address"
)
BY_HAND = "in the Twilio Console under Conversations > Manage > Addresses"


class UnknownForm(Exception):
    """Not an address that can be set up here; the message says what to do."""


@dataclass(frozen=True)
class Address:
    """An address of the account as its owner names it; `country` only for a short code."""

    kind: str
    address: str
    country: str | None = None


@dataclass(frozen=True)
class Configured:
    """An address as Twilio has it; `starts`: None where a message to it starts nothing, else through what."""

    sid: str
    kind: str
    address: str
    starts: str | None
    service_sid: str | None


def parse(text: str) -> Address:
    """Return what the person typed as an address; raises UnknownForm."""
    for kind, form in _FORMS:
        if (found := re.fullmatch(form, text)) is None:
            continue
        country = found.groupdict().get("country")
        return Address(
            kind,
            text.removesuffix(country or ""),
            country[1:].upper() if country else None,
        )
    if re.fullmatch(r"[\w .-]*[A-Za-z][\w .-]*", text):
        raise UnknownForm(
            f"--number {text} is a sender's name, which receives no messages: leave it out."
        )
    raise UnknownForm(
        f"--number {text} must look like {_EXAMPLES}; set up any other address by hand {BY_HAND}: --check "
        "without --number looks at every address."
    )


def configured(twilio: Any) -> list[Configured]:
    """Return every address that the account has configured, of all kinds."""
    return [
        _as_configured(one)
        for one in twilio.conversations.v1.address_configurations.list()
    ]


def _as_configured(one: Any) -> Configured:
    starting: dict[str, Any] = one.auto_creation or {}
    starts = str(starting.get("type") or "default") if starting.get("enabled") else None
    service_sid = starting.get("conversation_service_sid")
    return Configured(
        one.sid or one.address, str(one.type), one.address, starts, service_sid
    )


def find(wanted: Address, all_configured: Collection[Configured]) -> Configured | None:
    """Return the configuration of this address, which Twilio may list without its channel."""
    for one in all_configured:
        is_bare = one.kind == "whatsapp" and f"whatsapp:{one.address}" == wanted.address
        if one.address == wanted.address or is_bare:
            return one
    return None
