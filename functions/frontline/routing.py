"""onConversationRoute, Frontline's custom routing callback: brings a worker into an inbound conversation.

How it is routed is decided in assignment/arrival.py and domain/rules.py, as for accounts without Frontline.
"""

from __future__ import annotations

from assignment import arrival
from functions.http.answers import NOTHING_TO_DO, Answer
from functions.http.forms import Form, InboundConversation, Parameters, parse


def handle(form: Form) -> Answer:
    if parse(Parameters, form).event_type in ("onConversationRoute", ""):
        arrived = parse(InboundConversation, form).arrival()
        if arrived is not None:
            arrival.route(arrived)
    return NOTHING_TO_DO
