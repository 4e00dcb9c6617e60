"""Twilio's post-event webhook: a table from EventType to the module that handles it."""

from __future__ import annotations

from collections.abc import Callable

from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import Parameters, parse
from functions.post_event import (
    conversation_added,
    conversation_removed,
    conversation_state_updated,
    participant_added,
    participant_removed,
    user_added,
)
from functions.webhook import Form

EVENTS: dict[str, Callable[[Form], Answer]] = {
    "onConversationAdded": conversation_added.handle,
    "onConversationRemoved": conversation_removed.handle,
    "onConversationStateUpdated": conversation_state_updated.handle,
    "onParticipantAdded": participant_added.handle,
    "onParticipantRemoved": participant_removed.handle,
    "onUserAdded": user_added.handle,
}


def handle(form: Form) -> Answer:
    event = EVENTS.get(parse(Parameters, form).event_type)
    return event(form) if event else NOTHING_TO_DO
