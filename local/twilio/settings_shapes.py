"""The JSON of services, configurations and addresses, as the OpenAPI description names the fields."""

from local.twilio import checks
from local.twilio.account import Account
from local.twilio.records import AddressConfig, Service, WebhookConfig
from local.twilio.shapes import ROOT, Shape, base, dates, service_field


def service(account: Account, record: Service) -> Shape:
    url = f"{ROOT}/Services/{record.sid}"
    links = {
        "conversations": "Conversations",
        "users": "Users",
        "roles": "Roles",
        "bindings": "Bindings",
        "configuration": "Configuration",
        "participant_conversations": "ParticipantConversations",
        "conversation_with_participants": "ConversationWithParticipants",
    }
    return {
        "sid": record.sid,
        "account_sid": account.sid,
        "friendly_name": record.friendly_name,
        **dates(record),
        "url": url,
        "links": {name: f"{url}/{path}" for name, path in links.items()},
    }


def configuration(account: Account) -> Shape:
    service_url = f"{ROOT}/Services/{account.default_service_sid}/Configuration"
    return {
        "account_sid": account.sid,
        "default_chat_service_sid": account.default_service_sid,
        "default_messaging_service_sid": account.default_messaging_service_sid,
        "default_inactive_timer": checks.as_duration(account.default_inactive_after),
        "default_closed_timer": checks.as_duration(account.default_closed_after),
        "url": f"{ROOT}/Configuration",
        "links": {"service": service_url, "webhooks": f"{ROOT}/Configuration/Webhooks"},
    }


def webhook_configuration(
    account: Account, record: WebhookConfig, scope: str | None = None
) -> Shape:
    return {
        "account_sid": account.sid,
        **service_field(scope),
        "pre_webhook_url": record.pre_url,
        "post_webhook_url": record.post_url,
        "filters": record.filters,
        "method": record.method,
        **({} if scope else {"target": record.target}),
        "url": f"{base(scope)}/Configuration/Webhooks",
    }


def address(account: Account, record: AddressConfig) -> Shape:
    service = (
        {"conversation_service_sid": record.service_sid} if record.service_sid else {}
    )
    return {
        "sid": record.sid,
        "account_sid": account.sid,
        "type": record.type,
        "address": record.address,
        "friendly_name": record.friendly_name,
        "address_country": record.country,
        "auto_creation": {"enabled": record.enabled, "type": "default", **service},
        **dates(record),
        "url": f"{ROOT}/Configuration/Addresses/{record.sid}",
    }
