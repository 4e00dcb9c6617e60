"""Messages whose webhook was lost, and those that were not delivered: what Twilio lists of a conversation in hand.

Twilio limits writing, not reading: https://www.twilio.com/docs/conversations/conversations-limits
"""

from __future__ import annotations

from typing import Any

from assignment import answers, hearing, receipts
from domain import delivery
from domain.conversation import MOST_HEARD, MOST_UNDELIVERED, Conversation
from domain.messages import Message
from providers import conversations, database, twilio
from providers import messages as at_twilio
from providers.twilio import Outcome


def hear(conversation: Conversation) -> bool:
    """Note new messages and failures; return whether there were any.

    One call to Twilio, and one more for each undelivered message that is new.
    """
    listed = _listed(conversation) or []
    newest = list(map(at_twilio.of_twilio, listed))
    was_new = False
    if hearing.heard(conversation, newest) != conversation:
        was_new = database.until_it_holds(
            lambda: answers.hear(conversations.load(conversation.sid), newest)
        )
    return _note_deliveries(conversation, listed) or was_new


def newest(conversation: Conversation) -> list[Message] | None:
    """Return the newest messages as Twilio has them; None if it doesn't respond."""
    listed = _listed(conversation)
    return None if listed is None else list(map(at_twilio.of_twilio, listed))


def _listed(conversation: Conversation) -> list[Any] | None:
    result = twilio.messages(conversation, MOST_HEARD)
    return result.body if result.outcome is Outcome.DONE else None


def _note_deliveries(conversation: Conversation, listed: list[Any]) -> bool:
    """Note which of the newest few were not delivered, with their receipts' codes, and which arrived after all.

    Returns whether there were any.
    """
    noted = {failure.message_sid for failure in conversation.undelivered}
    failed = [m for m in listed if delivery.state_of(m.delivery) in delivery.LOST]
    new = [m for m in failed[:MOST_UNDELIVERED] if m.sid not in noted]
    for message in reversed(new):
        receipts.look_up(conversation, message.sid)
    arrived = [
        m for m in listed if m.sid in noted and delivery.has_reached_all(m.delivery)
    ]
    for message in arrived:
        receipts.arrived(conversation.sid, message.sid)
    return bool(new or arrived)
