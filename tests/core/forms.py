"""Webhooks as Twilio sends them, for tests that need one without a whole conversation at the stand-in."""

from __future__ import annotations

import secrets

PROXY = "+15550009999"
SERVICE = "IS" + "0" * 32


def sid(prefix: str = "CH") -> str:
    return prefix + secrets.token_hex(16)


def conversation_add(
    address: str | None = "+15550000001", **more: str
) -> dict[str, str]:
    form = {
        "EventType": "onConversationAdd",
        "Source": "SMS",
        "Attributes": "{}",
        "State": "active",
    }
    return form | _binding(address) | more


def conversation_added(
    conversation: str, address: str | None = "+15550000001", **more: str
) -> dict[str, str]:
    form = {
        "EventType": "onConversationAdded",
        "ConversationSid": conversation,
        "ChatServiceSid": SERVICE,
        "State": "active",
        "Attributes": "{}",
        "Source": "SMS",
    }
    return form | _binding(address) | more


def routed(
    conversation: str, address: str = "+15550000001", **more: str
) -> dict[str, str]:
    """Frontline's callback: it names the service another way."""
    form = conversation_added(conversation, address) | {
        "EventType": "onConversationRoute"
    }
    form["ConversationServiceSid"] = form.pop("ChatServiceSid")
    return form | more


def participant(
    event: str, conversation: str, identity: str | None = None, **more: str
) -> dict[str, str]:
    form = {
        "EventType": event,
        "ConversationSid": conversation,
        "ChatServiceSid": SERVICE,
        "ParticipantSid": sid("MB"),
        "Attributes": "{}",
    }
    who = (
        {"Identity": identity}
        if identity
        else _binding("+15550000001") | {"MessagingBinding.Type": "sms"}
    )
    return form | who | more


def state(
    conversation: str, before: str, after: str, at: str = "2026-11-23T10:00:00.000Z"
) -> dict[str, str]:
    return {
        "EventType": "onConversationStateUpdated",
        "ConversationSid": conversation,
        "ChatServiceSid": SERVICE,
        "StateFrom": before,
        "StateTo": after,
        "StateUpdated": at,
        "Reason": "API",
    }


def message(conversation: str, index: int, author: str, **more: str) -> dict[str, str]:
    form = {
        "EventType": "onMessageAdded",
        "ConversationSid": conversation,
        "MessageSid": sid("IM"),
        "Index": str(index),
        "Author": author,
        "Body": "Hello",
        "Attributes": "{}",
        "Source": "SMS" if author.startswith("+") else "SDK",
    }
    return form | more


def delivery(
    conversation: str, message_sid: str, status: str, code: str = "0"
) -> dict[str, str]:
    return {
        "EventType": "onDeliveryUpdated",
        "ConversationSid": conversation,
        "ChatServiceSid": SERVICE,
        "MessageSid": message_sid,
        "DeliveryReceiptSid": sid("DY"),
        "ChannelMessageSid": sid("SM"),
        "ParticipantSid": sid("MB"),
        "Status": status,
        "ErrorCode": code,
    }


def _binding(address: str | None) -> dict[str, str]:
    if address is None:
        return {}
    proxy = f"whatsapp:{PROXY}" if address.startswith("whatsapp:") else PROXY
    return {"MessagingBinding.Address": address, "MessagingBinding.ProxyAddress": proxy}
