"""The addresses at which the Twilio account receives conversations.

https://www.twilio.com/docs/conversations/api/address-configuration-resource
"""

from __future__ import annotations

from typing import Any

from providers import twilio
from providers.twilio import Result

_MOST = 500


def listed() -> Result:
    """Return the addresses, 500 at most; the result's body is a list of texts such as
    "+12025550100" and "whatsapp:+12025550100"."""

    def fetch() -> list[str]:
        api: Any = twilio.client().conversations.v1
        found = api.address_configurations.stream(limit=_MOST, page_size=50)
        return sorted(_address(one) for one in found)

    return twilio.persistently(fetch)


def _address(one: Any) -> str:
    """Return the address with its channel, which Twilio may leave out for WhatsApp."""
    address = str(one.address)
    is_bare = str(one.type) == "whatsapp" and address.startswith("+")
    return f"whatsapp:{address}" if is_bare else address
