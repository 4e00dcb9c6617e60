"""The consequences of a failed delivery, beyond the note in its conversation's record.

Twilio's 63016 means that the 24-hour window is closed, whatever other conversations with this customer say. An error
of a channel may also concern the template that was sent: WhatsApp may have paused or disabled it in the meantime, and
Twilio has no webhook for that.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from assignment import ledger
from domain import messages, window
from domain.conversation import Conversation
from functions.post_event.events import DeliveryUpdated
from providers import clock, contents, conversations, database

_OF_CHANNELS = range(63000, 64000)  # https://www.twilio.com/docs/api/errors


def follow(conversation: Conversation, event: DeliveryUpdated) -> None:
    """Follow a failure; safe to repeat. `conversation`: the record as it was before the failure."""
    if event.code == window.CLOSED and conversation.address:
        _close_window(conversation, event)
    if event.code in _OF_CHANNELS and conversation.exists:
        contents.refresh_of_message(conversation, event.message_sid)


def _close_window(conversation: Conversation, event: DeliveryUpdated) -> None:
    """Record the closed window in the customer's other conversations, too."""
    now = clock.now()
    at = min(event.at or now, now)
    since = at - window.LENGTH
    address = conversation.address or ""
    for other in conversations.with_open_window(
        address, conversation.proxy_address, since
    ):
        if other.sid != conversation.sid:
            database.until_it_holds(partial(_record_closing, other.sid, at))


def _record_closing(sid: str, at: datetime) -> None:
    """Record that the window was closed at this time. Raises database.LostRace."""
    before = conversations.load(sid)
    if before.exists:
        ledger.note(before, messages.window_closed(before, at))
