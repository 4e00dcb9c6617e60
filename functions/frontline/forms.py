"""The requests of Frontline's app, as typed values: https://www.twilio.com/docs/frontline/frontline-integration"""

from __future__ import annotations

from pydantic import Field

from domain import outgoing
from functions.http.forms import Address, Channel, Identity, Parameters


class Location(Parameters):
    location: str = Field("", alias="Location")


class FrontlineCallback(Parameters):
    """The common fields of the CRM, outgoing-conversation and templates callbacks."""

    worker: Identity = Field(alias="Worker")
    needs = frozenset({"PageSize"})


class CustomersList(FrontlineCallback):
    """GetCustomersList. Older apps page with the last customer of the page before, newer ones with our token."""

    page_size: int = Field(30, alias="PageSize", ge=1)
    anchor: str | None = Field(None, alias="Anchor")
    next_page_token: str | None = Field(None, alias="NextPageToken")
    query: str | None = Field(None, alias="Query")


class OfCustomer(FrontlineCallback):
    """GetCustomerDetailsByCustomerId and GetTemplatesByCustomerId."""

    customer_id: str = Field(alias="CustomerId")


class ProxyAddressWanted(OfCustomer):
    """GetProxyAddress."""

    channel: Channel = Field(alias="ChannelType")
    value: Address = Field(alias="ChannelValue")

    @property
    def customer_address(self) -> str:
        """The address as Twilio writes it; the app sends a WhatsApp number with or without its prefix."""
        return outgoing.on_channel(self.channel, self.value)
