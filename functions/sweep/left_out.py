"""A conversation that is unrouted because its customer has only opted out: a message without a webhook routes it."""

from __future__ import annotations

from assignment import matching
from domain import rules
from domain.conversation import Conversation
from functions.sweep import unheard
from providers import conversations, twilio
from providers.twilio import Outcome, Result


def look(conversation: Conversation) -> bool:
    """Compare it with Twilio; return whether it was routed, or closed because Twilio has closed it."""
    state = twilio.state(conversation)
    if has_ended(conversation, state):
        matching.close(conversation.sid, "Twilio has closed it")
        return True
    if not unheard.hear(conversation):
        return False
    return not rules.is_left_out(conversations.load(conversation.sid))


def has_ended(conversation: Conversation, result: Result) -> bool:
    """Return whether the conversation is closed or deleted at Twilio; `result`: Twilio's answer about its state."""
    if result.outcome is Outcome.DONE:
        return bool(result.body.state == "closed")
    return result.outcome is Outcome.MISSING and twilio.is_gone(conversation)
