"""onConversationRoute, Frontline's custom routing callback: brings a worker into an inbound conversation."""

from __future__ import annotations

from functions import arrival
from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import InboundConversation, Parameters, parse
from functions.webhook import Form


def handle(form: Form) -> Answer:
    if parse(Parameters, form).event_type not in ("onConversationRoute", ""):
        return NOTHING_TO_DO
    conversation = parse(InboundConversation, form)
    if conversation.customer_address is not None:
        arrival.route(conversation)
    return NOTHING_TO_DO
