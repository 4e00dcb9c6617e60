"""onConversationStateUpdated: slots come back on inactive and closed; active again goes to the same worker."""

from __future__ import annotations

from functions import activity, arrival, assignment
from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import ConversationStateUpdated, parse
from functions.webhook import Form
from providers import conversations, database
from providers.conversations import UNROUTED

_REASONS = {"TIMER": "its timer ran out", "API": "somebody closed it", "EVENT": "Twilio closed it"}


def handle(form: Form) -> Answer:
    event = parse(ConversationStateUpdated, form)
    if event.state_to == "closed":
        assignment.close(event.sid, _REASONS.get((event.reason or "").upper(), "it was closed"))
    elif event.state_to == "inactive":
        asleep = database.until_it_holds(
            lambda: activity.fell_asleep(conversations.load(event.sid), event.at)
        )
        for worker in asleep:
            assignment.take_next(worker, "has a free slot")
    elif event.state_to == "active":
        database.until_it_holds(lambda: _woke_up(event))
    return NOTHING_TO_DO


def _woke_up(event: ConversationStateUpdated) -> None:
    before = conversations.load(event.sid)
    if before.exists and before.state != UNROUTED:
        activity.woke_up(before, event.at)
    elif event.state_from == "initializing":
        arrival.activated(event.sid)
