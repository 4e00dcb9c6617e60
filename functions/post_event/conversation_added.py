"""onConversationAdded: routes what a customer began, for accounts without Frontline's routing callback."""

from __future__ import annotations

from functions import arrival
from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import InboundConversation, parse
from functions.webhook import Form


def handle(form: Form) -> Answer:
    conversation = parse(InboundConversation, form)
    if conversation.customer_address is not None:
        arrival.route(conversation)  # without an address a worker or a program began it: left alone
    return NOTHING_TO_DO
