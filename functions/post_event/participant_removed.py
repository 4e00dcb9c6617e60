"""onParticipantRemoved: a worker left; the conversation goes to who else is in it, or back into the queue."""

from __future__ import annotations

from functions import membership
from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import ParticipantEvent, parse
from functions.webhook import Form
from providers import database


def handle(form: Form) -> Answer:
    event = parse(ParticipantEvent, form)
    if identity := event.identity:
        database.until_it_holds(lambda: membership.left(event.sid, identity, event.participant_sid))
    return NOTHING_TO_DO
