"""The window: the 24 hours in which a customer may be written to freely.

WhatsApp and Messenger count them from the customer's last message to that number of ours:
https://www.twilio.com/docs/whatsapp/key-concepts, https://www.twilio.com/docs/api/errors/63016
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LENGTH = timedelta(hours=24)
WHATSAPP = "whatsapp"
CLOSED = 63016  # Twilio's error for a message that came after the window's end
_NAMES = {WHATSAPP: "WhatsApp", "messenger": "Messenger"}


@dataclass(frozen=True)
class Window:
    """One customer's window. `until`: its end; None if they never wrote, or Twilio said that it is closed."""

    channel: str
    until: datetime | None

    def is_open(self, now: datetime) -> bool:
        return self.until is not None and now < self.until

    @property
    def takes_templates(self) -> bool:
        """Whether an approved template reaches the customer while the window is closed."""
        return self.channel == WHATSAPP

    @property
    def why_closed(self) -> str:
        """The sentence for a worker while it is closed."""
        takes = "nothing until they write again"
        if self.takes_templates:
            takes = "approved templates only"
        return f"The customer has not written in the last 24 hours: {_NAMES[self.channel]} takes {takes}."


def of(channel: str, wrote_at: datetime | None) -> Window | None:
    """Return the window that a customer's last message opened; None for a channel without one, such as SMS."""
    if channel not in _NAMES:
        return None
    return Window(channel, wrote_at + LENGTH if wrote_at else None)


def is_closed(window: Window | None, now: datetime) -> bool:
    """Return whether only approved templates, or nothing, can be sent now."""
    return window is not None and not window.is_open(now)
