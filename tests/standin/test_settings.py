"""Webhook targets, and autocreation, configured through the real SDK."""

from twilio.rest import Client

from local.twilio import StandIn
from tests.standin.conftest import ANN, BEN, OURS, refusal


def test_webhook_targets_are_configured_by_rest_with_repeated_filters(
    sdk: Client, twilio: StandIn
) -> None:
    v1 = sdk.conversations.v1
    filters = ["onConversationAdd", "onMessageAdded"]
    made = v1.configuration.webhooks().update(
        pre_webhook_url="https://example.com/pre", filters=filters, method="POST"
    )
    assert (made.filters, made.post_webhook_url) == (filters, None)
    service = v1.services(twilio.default_service_sid).configuration.webhooks()
    assert service.update(
        post_webhook_url="https://example.com/post", filters=["onUserAdded"]
    ).filters == ["onUserAdded"]
    assert v1.configuration.webhooks().fetch().filters == filters
    assert refusal(
        lambda: v1.configuration.webhooks().update(post_webhook_url="nowhere")
    ) == (50078, 400)


def test_autocreation_is_switched_by_rest(sdk: Client, twilio: StandIn) -> None:
    addresses = sdk.conversations.v1.address_configurations
    made = addresses.create(type="sms", address=BEN, auto_creation_enabled=True)
    assert twilio.inbound(ANN, BEN, "Hello").created
    addresses(BEN).update(auto_creation_enabled=False)
    assert twilio.inbound("+15550000003", BEN, "Hello").dropped
    assert refusal(lambda: addresses.create(type="sms", address=BEN)) == (20409, 409)
    assert refusal(lambda: addresses(made.sid).update(auto_creation_type="studio")) == (
        20001,
        400,
    )
    addresses(made.sid).delete()
    assert [one.address for one in addresses.list()] == [OURS]
