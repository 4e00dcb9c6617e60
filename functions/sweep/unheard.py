"""Messages whose webhook never came, and those that never arrived: what Twilio has of a conversation in hand.

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
    """Notes what is news in it: one call to Twilio, and one more for each message that did not arrive."""
    listed = _listed(conversation) or []
    told = list(map(at_twilio.of_twilio, listed))
    was_news = hearing.heard(
        conversation, told
    ) != conversation and database.until_it_holds(
        lambda: answers.hear(conversations.load(conversation.sid), told)
    )
    return _not_delivered(conversation, listed) or was_news


def newest(conversation: Conversation) -> list[Message] | None:
    """The newest messages as Twilio has them; None where it does not tell just now."""
    listed = _listed(conversation)
    return None if listed is None else list(map(at_twilio.of_twilio, listed))


def _listed(conversation: Conversation) -> list[Any] | None:
    result = twilio.messages(conversation, MOST_HEARD)
    return result.body if result.outcome is Outcome.DONE else None


def _not_delivered(conversation: Conversation, listed: list[Any]) -> bool:
    """Notes which of them did not arrive, the newest few, with the code of its receipt; and which did after all."""
    known = {one.message_sid for one in conversation.undelivered}
    bad = [m for m in listed if delivery.state_of(m.delivery) in delivery.LOST]
    news = [message for message in bad[:MOST_UNDELIVERED] if message.sid not in known]
    for message in reversed(news):
        receipts.look_up(conversation, message.sid)
    arrived = [
        m for m in listed if m.sid in known and delivery.has_reached_all(m.delivery)
    ]
    for message in arrived:
        receipts.arrived(conversation.sid, message.sid)
    return bool(news or arrived)
