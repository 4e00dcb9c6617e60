"""onConversationStateUpdated: slots come back on inactive and closed; active again goes to the same worker."""

from __future__ import annotations

from dataclasses import replace

from functions import arrival, assignment, decisions
from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import ConversationStateUpdated, parse
from functions.webhook import Form
from providers import clock, conversations, database
from providers.conversations import HELD, INACTIVE, UNROUTED, Conversation
from providers.workers import Worker

_REASONS = {"TIMER": "its timer ran out", "API": "somebody closed it", "EVENT": "Twilio closed it"}


def handle(form: Form) -> Answer:
    event = parse(ConversationStateUpdated, form)
    if event.state_to == "closed":
        assignment.close(event.sid, _REASONS.get((event.reason or "").upper(), "it was closed"))
    elif event.state_to == "inactive":
        for worker in database.until_it_holds(lambda: _fell_asleep(event)):
            assignment.take_next(worker, "has a free slot")
    elif event.state_to == "active":
        database.until_it_holds(lambda: _woke_up(event))
    return NOTHING_TO_DO


def _fell_asleep(event: ConversationStateUpdated) -> list[Worker]:
    before = conversations.load(event.sid)
    if not before.exists or _is_stale(event, before):
        return []
    if before.state not in HELD:
        return []  # a queued one stays queued, the others have no slot to give back
    after = replace(decisions.inactive(before, clock.now()), state_changed_at=event.at)
    return conversations.move(before, after, assignment.loads(before.holder))[1]


def _woke_up(event: ConversationStateUpdated) -> None:
    before = conversations.load(event.sid)
    if not before.exists or before.state == UNROUTED:
        if event.state_from == "initializing":
            arrival.activated(event.sid)
        return
    if before.state != INACTIVE or _is_stale(event, before):
        _remember_when(before, event)
        return
    if before.worker is None:
        arrival.route_known(before)
        return
    after = decisions.active_again(replace(before, state_changed_at=event.at), clock.now())
    moved, _ = conversations.move(before, after, assignment.loads(before.worker))
    if moved.state == conversations.ASSIGNING:
        assignment.finish(moved)


def _is_stale(event: ConversationStateUpdated, before: Conversation) -> bool:
    """Whether a later change is known already: Twilio's events may overtake each other."""
    return bool(event.at and before.state_changed_at and event.at < before.state_changed_at)


def _remember_when(before: Conversation, event: ConversationStateUpdated) -> None:
    """So that an older "inactive", still on its way, does not take the slot from an active conversation."""
    if before.state in HELD and event.at and not _is_stale(event, before):
        conversations.move(before, replace(before, state_changed_at=event.at))
