"""What may happen to a conversation, and the events each change makes. The caller holds the lock."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.twilio import checks, events, members
from local.twilio.account import Account
from local.twilio.errors import ApiError
from local.twilio.events import Event
from local.twilio.records import Conversation, Message, User

STATES = ("active", "inactive", "closed")


@dataclass(frozen=True)
class NewConversation:
    """What a conversation can be made with; everything has a default."""

    friendly_name: str | None = None
    unique_name: str | None = None
    attributes: str | None = None
    state: str = "active"
    messaging_service_sid: str | None = None
    inactive_timer: str | None = None
    closed_timer: str | None = None


def draft_conversation(account: Account, service_sid: str) -> Conversation:
    """A conversation as its pre-event describes it, which names no SID."""
    sender = account.default_messaging_service_sid
    return account.make(
        Conversation,
        service_sid=service_sid,
        messaging_service_sid=sender,
        active_at=account.now(),
    )


def create_conversation(
    account: Account, service_sid: str, wanted: NewConversation
) -> Conversation:
    if wanted.state not in ("active", "inactive"):
        raise ApiError(50384 if wanted.state == "closed" else 50378, wanted.state)
    conversation = account.make(
        Conversation,
        service_sid=service_sid,
        messaging_service_sid=wanted.messaging_service_sid
        or account.default_messaging_service_sid,
        active_at=account.now(),
        friendly_name=checks.friendly_name(wanted.friendly_name),
        attributes=checks.attributes(wanted.attributes, checks.CONVERSATION_ATTRIBUTES),
        state=wanted.state,
        inactive_after=checks.inactive_timer(
            wanted.inactive_timer, account.default_inactive_after
        ),
        closed_after=checks.closed_timer(
            wanted.closed_timer, account.default_closed_after
        ),
    )
    rename(account, conversation, wanted.unique_name)
    account.conversations[conversation.sid] = conversation
    return conversation


def rename(
    account: Account, conversation: Conversation, unique_name: str | None
) -> None:
    """Gives a conversation its unique name, or takes it away."""
    if unique_name and re.fullmatch(r"CH[0-9a-fA-F]{32}", unique_name):
        raise ApiError(50390, unique_name)
    key = (conversation.service_sid, unique_name or "")
    if (
        unique_name
        and account.unique_names.get(key, conversation.sid) != conversation.sid
    ):
        raise ApiError(50353, unique_name)
    account.unique_names.pop(
        (conversation.service_sid, conversation.unique_name or ""), None
    )
    conversation.unique_name = unique_name or None
    if unique_name:
        account.unique_names[key] = conversation.sid


def set_state(
    account: Account, conversation: Conversation, state: str, reason: str
) -> list[Event]:
    """Reason is API, TIMER or EVENT. Closing is final and frees the addresses."""
    if state not in STATES:
        raise ApiError(50378, state)
    before = conversation.state
    if before == state:
        return []
    conversation.state = state
    conversation.updated = account.now()
    if state == "active":
        conversation.active_at = conversation.updated
    if state == "closed":
        account.free_addresses(conversation)
    return [events.state_updated(conversation, before, reason)]


def describe(
    account: Account,
    conversation: Conversation,
    friendly_name: str | None,
    attributes: str | None,
) -> list[Event]:
    """Changes what is given of the name and the attributes."""
    before = (conversation.friendly_name, conversation.attributes)
    if friendly_name is not None:
        conversation.friendly_name = checks.friendly_name(friendly_name)
    if attributes is not None:
        conversation.attributes = checks.attributes(
            attributes, checks.CONVERSATION_ATTRIBUTES
        )
    if before == (conversation.friendly_name, conversation.attributes):
        return []
    conversation.updated = account.now()
    return [events.conversation("onConversationUpdated", conversation)]


def remove_conversation(account: Account, conversation: Conversation) -> list[Event]:
    event = events.conversation(
        "onConversationRemoved", conversation, removed=account.now()
    )
    account.free_addresses(conversation)
    for participant in list(conversation.participants.values()):
        account.forget_participant(conversation, participant)
    rename(account, conversation, None)
    del account.conversations[conversation.sid]
    return [event]


@dataclass(frozen=True)
class NewMessage:
    """A message as it is sent."""

    body: str | None = None
    author: str = "system"
    attributes: str | None = None
    media: Sequence[dict[str, Any]] | None = None
    content_sid: str | None = None
    channel_metadata: dict[str, Any] | None = None
    is_inbound: bool = False


def draft_message(
    account: Account, conversation: Conversation, wanted: NewMessage
) -> Message:
    """The message as it would be published; nothing is changed yet.

    A customer's message may have neither text nor media: a location, for instance.
    """
    if not (wanted.is_inbound or wanted.body or wanted.media or wanted.content_sid):
        raise ApiError(50503)
    checks.body(wanted.body)
    senders = (
        one for one in conversation.participants.values() if wanted.author in one.names
    )
    sender = next(senders, None)
    if conversation.is_group and sender is None:
        raise ApiError(50513, wanted.author)
    return account.make(
        Message,
        conversation_sid=conversation.sid,
        index=conversation.next_index,
        author=wanted.author,
        body=wanted.body,
        attributes=checks.attributes(wanted.attributes, checks.OTHER_ATTRIBUTES),
        participant_sid=sender.sid if sender else None,
        media=list(wanted.media) if wanted.media else None,
        content_sid=wanted.content_sid,
        channel_metadata=wanted.channel_metadata,
    )


def publish_message(
    account: Account, conversation: Conversation, message: Message
) -> list[Event]:
    """Publishes a draft; an inactive conversation comes back to life by it."""
    message.index = conversation.next_index
    conversation.next_index += 1
    conversation.messages.append(message)
    conversation.active_at = message.created
    made = [events.message("onMessageAdded", message, conversation)]
    if conversation.state == "inactive":
        made += set_state(account, conversation, "active", "EVENT")
    return made


def add_message(
    account: Account, conversation: Conversation, wanted: NewMessage
) -> tuple[Message, list[Event]]:
    members.refuse_unless_open(conversation)
    message = draft_message(account, conversation, wanted)
    return message, publish_message(account, conversation, message)


def edit_message(
    account: Account, conversation: Conversation, message: Message, body: str | None
) -> list[Event]:
    """Changes the text of a message."""
    checks.body(body)
    message.body, message.updated = body, account.now()
    return [events.message("onMessageUpdated", message, conversation)]


def remove_message(
    account: Account, conversation: Conversation, message: Message
) -> list[Event]:
    conversation.messages.remove(message)
    message.updated = account.now()
    return [events.message("onMessageRemoved", message, conversation)]


def add_user(
    account: Account, service_sid: str, identity: str
) -> tuple[User, list[Event]]:
    """The user of that identity, made on the fly when there is none."""
    user = account.identities.get((service_sid, identity))
    if user is not None:
        return user, []
    checks.identity(identity)
    role = account.service(service_sid).service_role
    user = account.make(User, service_sid=service_sid, identity=identity, role_sid=role)
    account.users[user.sid] = user
    account.identities[service_sid, identity] = user
    return user, [events.user_added(user)]


def run_timers(account: Account) -> list[Event]:
    """Moves every conversation whose timer has run out; both timers count from the last message."""
    made: list[Event] = []
    now = account.now()
    for conversation in account.conversations.values():
        quiet = (now - conversation.active_at).total_seconds()
        inactive, closed = conversation.inactive_after, conversation.closed_after
        if (
            conversation.state == "active"
            and inactive is not None
            and quiet >= inactive
        ):
            made += set_state(account, conversation, "inactive", "TIMER")
        if (
            conversation.state in ("active", "inactive")
            and closed is not None
            and quiet >= closed
        ):
            made += set_state(account, conversation, "closed", "TIMER")
    return made
