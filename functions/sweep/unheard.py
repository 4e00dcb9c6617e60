"""Messages whose webhook never came: what Twilio has of a conversation that waits or is in hand."""

from __future__ import annotations

from typing import Any

from assignment import answers
from domain import messages
from domain.conversation import MOST_HEARD, Conversation
from domain.messages import Message
from providers import clock, conversations, database, twilio
from providers.twilio import Outcome


def hear(conversation: Conversation) -> bool:
    """Notes what is news in it; one call to Twilio, which limits writing and not reading:
    https://www.twilio.com/docs/conversations/conversations-limits"""
    told = newest(conversation)
    if told is None or answers.heard(conversation, told) == conversation:
        return False
    return database.until_it_holds(lambda: answers.hear(conversations.load(conversation.sid), told))


def newest(conversation: Conversation) -> list[Message] | None:
    """The newest messages as Twilio has them; None where it does not tell just now."""
    result = twilio.messages(conversation, MOST_HEARD)
    return list(map(_message, result.body)) if result.outcome is Outcome.DONE else None


def _message(one: Any) -> Message:
    text = messages.text_of(one.body, bool(one.media))
    at = one.date_created or clock.now()
    return Message(one.index, at, one.author or "system", text, messages.attributes(one.attributes))
