"""Twilio's post-event webhook: a table from EventType to its handler."""

from __future__ import annotations

from collections.abc import Callable

from assignment import activity, arrival, matching, membership, worker_care
from domain.conversation import UNROUTED
from functions.http.answers import NOTHING_TO_DO, Answer
from functions.http.forms import Form, InboundConversation, Parameters, parse
from functions.post_event import corrections, introduction, messages
from functions.post_event.events import (
    ConversationRemoved,
    ConversationStateUpdated,
    ParticipantEvent,
    UserAdded,
)
from providers import conversations, database, log

_REASONS = {
    "TIMER": "its timer ran out",
    "API": "somebody closed it",
    "EVENT": "Twilio closed it",
}


def handle(form: Form) -> Answer:
    """Follow the event; an unknown EventType is ignored."""
    follow = EVENTS.get(parse(Parameters, form).event_type)
    if follow is not None:
        follow(form)
    return NOTHING_TO_DO


def conversation_added(form: Form) -> None:
    """Route a conversation that a customer began, for accounts without Frontline's routing callback."""
    event = parse(InboundConversation, form)
    inbound = event.arrival()
    if inbound is not None:
        arrival.route(inbound)
    else:
        log.info("not routed: it has no messaging address", conversation=event.sid)


def conversation_removed(form: Form) -> None:
    """Close the record of a deleted conversation, which frees its slot."""
    matching.close(parse(ConversationRemoved, form).sid, "it was deleted")


def conversation_state_updated(form: Form) -> None:
    """Free the slot on inactive and closed; on active, give the conversation back to the same worker."""
    event = parse(ConversationStateUpdated, form)
    if event.state_to == "closed":
        reason = _REASONS.get((event.reason or "").upper(), "it was closed")
        matching.close(event.sid, reason)
    elif event.state_to == "inactive":
        database.until_it_holds(
            lambda: activity.fell_asleep(conversations.load(event.sid), event.at)
        )
    elif event.state_to == "active":
        database.until_it_holds(lambda: _woke_up(event))


def participant_added(form: Form) -> None:
    """Introduce a customer to the conversation; record a worker that a person added by hand."""
    event = parse(ParticipantEvent, form)
    identity, projected = event.identity, event.projected_address
    if projected and identity is None:
        database.until_it_holds(
            lambda: membership.learn_projected(event.sid, projected)
        )
    if event.is_customer:
        introduction.introduce(event)
    elif identity:
        database.until_it_holds(
            lambda: membership.joined(
                event.sid, event.service_sid, identity, event.participant_sid
            )
        )


def participant_removed(form: Form) -> None:
    """After a worker has left: give the conversation to another participant, or return it to the queue."""
    event = parse(ParticipantEvent, form)
    identity = event.identity
    if identity is not None:
        database.until_it_holds(
            lambda: membership.left(event.sid, identity, event.participant_sid)
        )
    elif event.address:
        membership.customer_left(event.sid, event.address)


def user_added(form: Form) -> None:
    """Make a worker's record for a new user of the Conversations service; a person confirms it, or Frontline."""
    event = parse(UserAdded, form)
    worker_care.admit(event.identity, event.friendly_name)


def _woke_up(event: ConversationStateUpdated) -> None:
    """Follow a conversation that turned active: again, or for the first time after Twilio has set it up."""
    before = conversations.load(event.sid)
    if before.exists and before.state != UNROUTED:
        activity.woke_up(before, event.at)
    elif event.state_from == "initializing":
        arrival.activated(event.sid)


EVENTS: dict[str, Callable[[Form], None]] = {
    "onConversationAdded": conversation_added,
    "onConversationRemoved": conversation_removed,
    "onConversationStateUpdated": conversation_state_updated,
    "onParticipantAdded": participant_added,
    "onParticipantRemoved": participant_removed,
    "onUserAdded": user_added,
    "onMessageAdded": messages.added,
    "onDeliveryUpdated": messages.delivery_updated,
    "onMessageUpdated": corrections.edited,
    "onMessageRemoved": corrections.removed,
}
