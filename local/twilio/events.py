"""The webhooks' parameters, event by event, under Twilio's literal names; what has no value is absent."""

import json
from dataclasses import dataclass
from datetime import datetime

from local.twilio.records import (
    Conversation,
    Message,
    Participant,
    Receipt,
    User,
    address_type,
)

Params = dict[str, str]


@dataclass(frozen=True)
class Origin:
    """Who made a change: SDK (a person's app), API (REST), SMS or WHATSAPP; and whether webhooks go out."""

    source: str
    identity: str | None = None
    fires: bool = True


@dataclass(frozen=True)
class Event:
    """Something that happened, or is asked for before it may: a webhook's name and its own parameters."""

    name: str
    params: Params
    service_sid: str
    conversation: Conversation | None = None


def by_channel(address: str) -> Origin:
    """What comes by a channel, from a customer or from a carrier, names the channel: SMS, WHATSAPP, ..."""
    return Origin(address_type(address).upper())


def moment(when: datetime) -> str:
    """A time as webhooks carry it: ISO 8601, UTC, milliseconds."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def present(pairs: dict[str, str | None]) -> Params:
    return {name: value for name, value in pairs.items() if value is not None}


def binding(participant: Participant) -> dict[str, str | None]:
    return {
        "MessagingBinding.ProxyAddress": participant.proxy_address,
        "MessagingBinding.Address": participant.address,
        "MessagingBinding.ProjectedAddress": participant.projected_address,
    }


def conversation_binding(conversation: Conversation) -> dict[str, str | None]:
    """The addresses of an inbound conversation: of one customer, or of a whole group."""
    if conversation.is_group:
        return {
            "MessagingBinding.Address": conversation.receivers,
            "MessagingBinding.AuthorAddress": conversation.author_address,
        }
    customers = [one for one in conversation.participants.values() if one.address]
    return binding(customers[0]) if customers else {}


def conversation_add(
    conversation: Conversation, addresses: dict[str, str | None], body: str | None
) -> Event:
    """Before an inbound conversation exists: no ConversationSid, but the first message's text."""
    params = {
        "FriendlyName": conversation.friendly_name,
        "UniqueName": conversation.unique_name,
        "Attributes": conversation.attributes,
        "ChatServiceSid": conversation.service_sid,
        "MessagingServiceSid": conversation.messaging_service_sid,
        **addresses,
        "MessageBody": body,
        "State": conversation.state,
    }
    return Event("onConversationAdd", present(params), conversation.service_sid)


def conversation(
    name: str, record: Conversation, removed: datetime | None = None
) -> Event:
    """onConversationAdded, -Update, -Updated, -Remove and -Removed; only Added names addresses."""
    params = {
        "ConversationSid": record.sid,
        "DateCreated": moment(record.created),
        "DateUpdated": moment(record.updated),
        "DateRemoved": moment(removed) if removed else None,
        "FriendlyName": record.friendly_name,
        "UniqueName": record.unique_name,
        "Attributes": record.attributes,
        "ChatServiceSid": record.service_sid,
        "MessagingServiceSid": record.messaging_service_sid,
        **(conversation_binding(record) if name == "onConversationAdded" else {}),
        "State": record.state,
    }
    return Event(name, present(params), record.service_sid, record)


def state_updated(record: Conversation, before: str, reason: str) -> Event:
    params = {
        "ConversationSid": record.sid,
        "ChatServiceSid": record.service_sid,
        "MessagingServiceSid": record.messaging_service_sid,
        "StateUpdated": moment(record.updated),
        "StateFrom": before,
        "StateTo": record.state,
        "Reason": reason,
    }
    return Event("onConversationStateUpdated", params, record.service_sid, record)


def participant(
    name: str,
    record: Participant,
    conversation: Conversation,
    removed: datetime | None = None,
) -> Event:
    """onParticipantAdd(ed), -Update(d) and -Remove(d). ChatServiceSid is sent, though undocumented."""
    asked_for = name == "onParticipantAdd"
    changed = "Update" in name or "Remove" in name
    params = {
        "ConversationSid": record.conversation_sid,
        "ParticipantSid": None if asked_for else record.sid,
        "ChatServiceSid": conversation.service_sid,
        "DateCreated": None if asked_for else moment(record.created),
        "DateUpdated": moment(record.updated) if changed else None,
        "DateRemoved": moment(removed) if removed else None,
        "Identity": record.identity,
        "RoleSid": record.role_sid,
        "Attributes": record.attributes,
        **binding(record),
        "MessagingBinding.Type": record.type,
    }
    if name == "onParticipantUpdated" and record.last_read_index is not None:
        params["LastReadMessageIndex"] = str(record.last_read_index)
    return Event(name, present(params), conversation.service_sid, conversation)


def message(name: str, record: Message, conversation: Conversation) -> Event:
    """onMessageAdd (no SID, index or date yet), onMessageAdded, -Updated and -Removed."""
    asked_for = name == "onMessageAdd"
    is_change = name in ("onMessageUpdated", "onMessageRemoved")
    params = {
        "ConversationSid": record.conversation_sid,
        "MessageSid": None if asked_for else record.sid,
        "MessagingServiceSid": None
        if asked_for
        else conversation.messaging_service_sid,
        "Index": None if asked_for else str(record.index),
        "DateCreated": None if asked_for else moment(record.created),
        "DateUpdated": moment(record.updated) if is_change else None,
        "Body": record.body,
        "Author": record.author,
        "ParticipantSid": record.participant_sid,
        "Attributes": record.attributes,
        "Media": json.dumps(record.media) if record.media else None,
    }
    return Event(name, present(params), conversation.service_sid, conversation)


def delivery_updated(record: Receipt, conversation: Conversation) -> Event:
    params = {
        "ConversationSid": record.conversation_sid,
        "ChatServiceSid": conversation.service_sid,
        "MessageSid": record.message_sid,
        "DeliveryReceiptSid": record.sid,
        "ChannelMessageSid": record.channel_message_sid,
        "ParticipantSid": record.participant_sid,
        "Status": record.status,
        "ErrorCode": str(record.error_code),
        "DateCreated": moment(record.created),
        "DateUpdated": moment(record.updated),
    }
    return Event("onDeliveryUpdated", params, conversation.service_sid, conversation)


def user_added(record: User) -> Event:
    params = {
        "ChatServiceSid": record.service_sid,
        "UserSid": record.sid,
        "DateCreated": moment(record.created),
        "Identity": record.identity,
        "RoleSid": record.role_sid,
        "Attributes": record.attributes,
        "FriendlyName": record.friendly_name,
    }
    return Event("onUserAdded", present(params), record.service_sid)


def user_updated(record: User) -> Event:
    params = {
        **user_added(record).params,
        "DateUpdated": moment(record.updated),
        "isOnline": "false",
        "isNotifiable": "false",
    }
    return Event("onUserUpdated", params, record.service_sid)


def route(record: Conversation) -> Event:
    """Frontline's routing callback: ConversationServiceSid for ChatServiceSid, no projected address."""
    addresses = conversation_binding(record)
    addresses.pop("MessagingBinding.ProjectedAddress", None)
    params = {
        "ConversationSid": record.sid,
        "FriendlyName": record.friendly_name,
        "UniqueName": record.unique_name,
        "Attributes": record.attributes,
        "ConversationServiceSid": record.service_sid,
        **addresses,
        "State": record.state,
        "DateCreated": moment(record.created),
        "DateUpdated": moment(record.updated),
    }
    return Event("onConversationRoute", present(params), record.service_sid, record)
