"""Until when a customer may be written to freely: reads other conversations only if this one does not settle it."""

from __future__ import annotations

from datetime import datetime

from domain import addresses, messages, window
from domain.conversation import Conversation
from domain.window import Window
from providers import clock, conversations


def of(conversation: Conversation, also: datetime | None = None) -> Window | None:
    """The window of this conversation's customer; None for a channel without one.

    `also`: when the customer wrote last, as far as Twilio's list of messages says.
    """
    channel = addresses.channel(conversation.address or "")
    own = messages.customer_wrote_at(conversation, also)
    found, now = window.of(channel, own), clock.now()
    if found is None or found.is_open(now) or not conversation.address:
        return found
    elsewhere = latest(conversation.address, conversation.proxy_address, now)
    closed_at = messages.closed_at_of(conversation)
    if elsewhere is None or (closed_at is not None and elsewhere <= closed_at):
        return found
    return window.of(channel, elsewhere)


def between(address: str, proxy_address: str) -> Window | None:
    """The window of a customer with whom no conversation is open."""
    return of(Conversation("", address=address, proxy_address=proxy_address))


def is_closed(conversation: Conversation) -> bool:
    """Whether the customer may not be sent a free text now."""
    return window.is_closed(of(conversation), clock.now())


def latest(address: str, proxy_address: str | None, now: datetime) -> datetime | None:
    """When the customer last wrote from this address to that number of ours, in any conversation, within 24 hours."""
    found = conversations.with_open_window(address, proxy_address, now - window.LENGTH)
    return max(
        (one.customer_wrote_at for one in found if one.customer_wrote_at), default=None
    )
