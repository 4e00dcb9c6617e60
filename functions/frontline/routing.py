"""onConversationRoute, Frontline's custom routing callback: assigns an inbound conversation.

The rules of routing are in assignment/arrival.py and domain/rules.py, as for accounts without Frontline.
"""

from __future__ import annotations

from assignment import arrival
from functions.http.answers import NOTHING_TO_DO, Answer
from functions.http.forms import Form, InboundConversation, Parameters, parse


def handle(form: Form) -> Answer:
    """Route the conversation; the answer is empty whatever comes of it."""
    if parse(Parameters, form).event_type in ("onConversationRoute", ""):
        inbound = parse(InboundConversation, form).arrival()
        if inbound is not None:
            arrival.route(inbound)
    return NOTHING_TO_DO
