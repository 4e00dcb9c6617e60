"""A conversation that is unrouted because its customer has only opted out: an unheard message routes it."""

from __future__ import annotations

from assignment import matching
from domain import rules
from domain.conversation import Conversation
from functions.sweep import unheard
from providers import conversations, twilio
from providers.twilio import Outcome


def look(conversation: Conversation) -> bool:
    """Return whether it is routed now, or has ended: Twilio has closed it."""
    state = twilio.state(conversation)
    is_over = state.outcome is Outcome.DONE and state.body.state == "closed"
    if is_over or (state.outcome is Outcome.MISSING and twilio.is_gone(conversation)):
        matching.close(conversation.sid, "Twilio has closed it")
        return True
    return unheard.hear(conversation) and not rules.is_left_out(
        conversations.load(conversation.sid)
    )
