"""The 24-hour window of a customer. Reads other conversations only if this one does not settle it."""

from __future__ import annotations

from datetime import datetime

from domain import addresses, messages, window
from domain.conversation import Conversation
from domain.window import Window
from providers import clock, conversations


def of(conversation: Conversation, also: datetime | None = None) -> Window | None:
    """Return the window of this conversation's customer; None for a channel without one.

    `also`: the time of the customer's last message in Twilio's list.
    """
    channel = addresses.channel(conversation.address or "")
    own = messages.customer_wrote_at(conversation, also)
    here, now = window.of(channel, own), clock.now()
    if here is None or here.is_open(now) or not conversation.address:
        return here
    elsewhere = latest(conversation.address, conversation.proxy_address, now)
    if elsewhere is None or _is_closed_since(conversation, elsewhere):
        return here
    return window.of(channel, elsewhere)


def _is_closed_since(conversation: Conversation, wrote_at: datetime) -> bool:
    """Return whether Twilio has reported a closed window at this time or later."""
    closed_at = messages.closed_at_of(conversation)
    return closed_at is not None and wrote_at <= closed_at


def between(address: str, proxy_address: str) -> Window | None:
    """Return the window of a customer without an open conversation."""
    return of(Conversation("", address=address, proxy_address=proxy_address))


def is_closed(conversation: Conversation) -> bool:
    """Return whether a free text to the customer is not allowed now."""
    return window.is_closed(of(conversation), clock.now())


def latest(address: str, proxy_address: str | None, now: datetime) -> datetime | None:
    """Return when the customer last wrote from this address to our number, in any conversation, within 24 hours."""
    since = now - window.LENGTH
    recent = conversations.with_open_window(address, proxy_address, since)
    times = (conversation.customer_wrote_at for conversation in recent)
    return max(filter(None, times), default=None)
