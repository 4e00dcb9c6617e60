"""Webhooks as Twilio sends them: the fields that matter, and the signature by Twilio's own SDK."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

FORM = "application/x-www-form-urlencoded"


def sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)


def signed(
    url: str, form: dict[str, str], token: str, account: str
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a webhook for `url`."""
    form = {"AccountSid": account, **form}
    signature = RequestValidator(token).compute_signature(url, form)
    return {"Content-Type": FORM, "X-Twilio-Signature": signature}, urlencode(
        form
    ).encode()


def conversation_add(address: str, proxy: str) -> dict[str, str]:
    return {
        "EventType": "onConversationAdd",
        "Source": "SMS",
        "Attributes": "{}",
        "State": "active",
        "FriendlyName": address,
    } | _binding(address, proxy)


def conversation_added(
    conversation: str, service: str, address: str, proxy: str
) -> dict[str, str]:
    return {
        "EventType": "onConversationAdded",
        "ConversationSid": conversation,
        "ChatServiceSid": service,
        "State": "active",
        "Attributes": "{}",
        "Source": "SMS",
    } | _binding(address, proxy)


def conversation_route(
    conversation: str, service: str, address: str, proxy: str
) -> dict[str, str]:
    """Frontline's callback names the service in its own way."""
    return {
        "EventType": "onConversationRoute",
        "ConversationSid": conversation,
        "ConversationServiceSid": service,
        "State": "active",
    } | _binding(address, proxy)


def participant_added(
    conversation: str, service: str, participant: str, **who: str
) -> dict[str, str]:
    """`who`: `identity` for a worker, `address` and `proxy` for a customer."""
    form = {
        "EventType": "onParticipantAdded",
        "ConversationSid": conversation,
        "ChatServiceSid": service,
        "ParticipantSid": participant,
        "Attributes": "{}",
    }
    if "identity" in who:
        return form | {"Identity": who["identity"]}
    return (
        form | {"MessagingBinding.Type": "sms"} | _binding(who["address"], who["proxy"])
    )


def message_added(
    conversation: str, index: int, author: str, source: str
) -> dict[str, str]:
    return {
        "EventType": "onMessageAdded",
        "ConversationSid": conversation,
        "MessageSid": f"IM{index:032x}",
        "Index": str(index),
        "Author": author,
        "Body": "Hello",
        "Attributes": "{}",
        "Source": source,
        "DateCreated": "2026-11-23T10:00:00.000Z",
    }


def closed(conversation: str, service: str) -> dict[str, str]:
    return {
        "EventType": "onConversationStateUpdated",
        "ConversationSid": conversation,
        "ChatServiceSid": service,
        "StateFrom": "active",
        "StateTo": "closed",
        "StateUpdated": "2026-11-23T10:00:00.000Z",
        "Reason": "API",
    }


def _binding(address: str, proxy: str) -> dict[str, str]:
    return {"MessagingBinding.Address": address, "MessagingBinding.ProxyAddress": proxy}
