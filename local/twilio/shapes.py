"""The JSON of conversations, who and what is in them, as Twilio's OpenAPI description names the fields."""

from datetime import datetime, timedelta
from typing import Any

from local.twilio import receipts
from local.twilio.account import Account
from local.twilio.records import (
    Conversation,
    Message,
    Participant,
    Receipt,
    User,
    address_type,
)

HOST = "https://conversations.twilio.com"
ROOT = f"{HOST}/v1"
Shape = dict[str, Any]


def stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def dates(record: Any) -> Shape:
    return {
        "date_created": stamp(record.created),
        "date_updated": stamp(record.updated),
    }


def base(service_sid: str | None) -> str:
    """Where a resource lives: under its service, when it was asked for there."""
    return f"{ROOT}/Services/{service_sid}" if service_sid else ROOT


def timers(record: Conversation) -> Shape:
    found = {}
    if record.inactive_after is not None and record.state == "active":
        found["date_inactive"] = stamp(
            record.active_at + timedelta(seconds=record.inactive_after)
        )
    if record.closed_after is not None and record.state != "closed":
        found["date_closed"] = stamp(
            record.active_at + timedelta(seconds=record.closed_after)
        )
    return found


def conversation(
    account: Account, record: Conversation, scope: str | None = None
) -> Shape:
    url = f"{base(scope)}/Conversations/{record.sid}"
    return {
        "sid": record.sid,
        "account_sid": account.sid,
        "chat_service_sid": record.service_sid,
        "messaging_service_sid": record.messaging_service_sid,
        "friendly_name": record.friendly_name,
        "unique_name": record.unique_name,
        "attributes": record.attributes,
        "state": record.state,
        "timers": timers(record),
        "bindings": {},
        **dates(record),
        "url": url,
        "links": {
            name.lower(): f"{url}/{name}"
            for name in ("Participants", "Messages", "Webhooks", "Export")
        },
    }


def binding(record: Participant) -> Shape | None:
    if record.type == "chat":
        return None
    found = {
        "address": record.address,
        "proxy_address": record.proxy_address,
        "projected_address": record.projected_address,
    }
    return {
        "type": record.type,
        **{name: value for name, value in found.items() if value is not None},
    }


def service_field(scope: str | None) -> Shape:
    return {"chat_service_sid": scope} if scope else {}


def participant(
    account: Account, record: Participant, scope: str | None = None
) -> Shape:
    return {
        "account_sid": account.sid,
        **service_field(scope),
        "conversation_sid": record.conversation_sid,
        "sid": record.sid,
        "identity": record.identity,
        "attributes": record.attributes,
        "messaging_binding": binding(record),
        "role_sid": record.role_sid,
        **dates(record),
        "url": f"{base(scope)}/Conversations/{record.conversation_sid}/Participants/{record.sid}",
        "last_read_message_index": record.last_read_index,
        "last_read_timestamp": record.last_read_at,
    }


def message(account: Account, record: Message, scope: str | None = None) -> Shape:
    url = f"{base(scope)}/Conversations/{record.conversation_sid}/Messages/{record.sid}"
    return {
        "sid": record.sid,
        "account_sid": account.sid,
        **service_field(scope),
        "conversation_sid": record.conversation_sid,
        "index": record.index,
        "author": record.author,
        "body": record.body,
        "media": record.media,
        "attributes": record.attributes,
        "participant_sid": record.participant_sid,
        **dates(record),
        "delivery": receipts.summary(record),
        "content_sid": record.content_sid,
        "url": url,
        "links": {
            "delivery_receipts": f"{url}/Receipts",
            "channel_metadata": f"{url}/ChannelMetadata",
        },
    }


def channel_metadata(
    account: Account, record: Message, scope: str | None = None
) -> Shape:
    """The form of `data` is the channel's own."""
    message = (
        f"{base(scope)}/Conversations/{record.conversation_sid}/Messages/{record.sid}"
    )
    return {
        "account_sid": account.sid,
        **service_field(scope),
        "conversation_sid": record.conversation_sid,
        "message_sid": record.sid,
        "type": address_type(record.author),
        "data": record.channel_metadata,
        "url": f"{message}/ChannelMetadata",
    }


def receipt(account: Account, record: Receipt, scope: str | None = None) -> Shape:
    message = f"{base(scope)}/Conversations/{record.conversation_sid}/Messages/{record.message_sid}"
    return {
        "account_sid": account.sid,
        **service_field(scope),
        "conversation_sid": record.conversation_sid,
        "sid": record.sid,
        "message_sid": record.message_sid,
        "channel_message_sid": record.channel_message_sid,
        "participant_sid": record.participant_sid,
        "status": record.status,
        "error_code": record.error_code,
        **dates(record),
        "url": f"{message}/Receipts/{record.sid}",
    }


def user(account: Account, record: User, scope: str | None = None) -> Shape:
    url = f"{base(scope)}/Users/{record.sid}"
    return {
        "sid": record.sid,
        "account_sid": account.sid,
        "chat_service_sid": record.service_sid,
        "role_sid": record.role_sid,
        "identity": record.identity,
        "friendly_name": record.friendly_name,
        "attributes": record.attributes,
        "is_online": False,
        "is_notifiable": None,
        **dates(record),
        "url": url,
        "links": {"user_conversations": f"{url}/Conversations"},
    }
