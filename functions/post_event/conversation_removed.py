"""onConversationRemoved: a deleted conversation is over; its slot comes back."""

from __future__ import annotations

from functions import assignment
from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import ConversationRemoved, parse
from functions.webhook import Form


def handle(form: Form) -> Answer:
    event = parse(ConversationRemoved, form)
    assignment.close(event.sid, "it was deleted")
    return NOTHING_TO_DO
