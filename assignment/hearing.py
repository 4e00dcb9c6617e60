"""Messages that a record does not have yet: their senders, and what a customer's single word means. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from domain import messages, opt_out, wordless
from domain.conversation import CUSTOMER, SERVICE, Conversation
from domain.messages import Message
from providers import messages as at_twilio
from providers import settings, workers


def word_of(message: Message) -> str | None:
    """Return the meaning of a customer's message that is only one word, else None. Reads the settings at most every ten
    seconds."""
    also_stop = settings.opt_out_words() if opt_out.may_be_a_word(message.text) else ()
    return opt_out.word_in(message.text, also_stop)


def heard(before: Conversation, told: Iterable[Message]) -> Conversation:
    """Return the record with those of these messages that it does not have yet; nothing is written.

    `told`: messages in any order. Reads the worker's record of an author that the conversation does not name, and
    asks Twilio for the kind of a customer's message without text.
    """
    after = before
    noted = {message.index for message in before.heard}
    sender_unnamed = cache(_sender_unnamed)
    for message in sorted(told, key=lambda message: message.index):
        if message.index in noted:
            continue
        sender = messages.sender_of(message, before) or sender_unnamed(message.author)
        word = word_of(message) if sender == CUSTOMER else None
        if not message.text:
            message = replace(message, text=_words_for(message, sender, before))
        after = messages.noted(after, message, sender, word)
    return after


def _words_for(message: Message, sender: str, conversation: Conversation) -> str:
    """Return words for a message without text and file; one call to Twilio for a customer's."""
    if sender != CUSTOMER:
        return wordless.TEMPLATE
    return at_twilio.what_it_is(conversation, message.sid) or wordless.UNKNOWN


def _sender_unnamed(author: str) -> str:
    """Return the sender of a message by an author unknown to the record: only a confirmed worker answers customers."""
    is_worker = bool(workers.confirmed([author]))
    return messages.stranger(author, settings.load().bots) if is_worker else SERVICE
