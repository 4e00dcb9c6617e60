"""API keys open the stand-in as they open Twilio; what Flex owns, or a deleted service, reaches no URL of ours."""

from __future__ import annotations

from twilio.rest import Client

from local.twilio import StandIn
from tests.standin.conftest import ANN, OURS, Receiver, ToStandIn, refusal


def client(twilio: StandIn, user: str, password: str) -> Client:
    return Client(user, password, twilio.account_sid, http_client=ToStandIn(twilio.url))


def test_a_key_opens_the_api_until_it_is_revoked(twilio: StandIn) -> None:
    key = twilio.make_api_key()
    services = client(twilio, key["sid"], key["secret"]).conversations.v1.services
    assert services(twilio.default_service_sid).fetch().sid
    twilio.revoke_api_key(key["sid"])
    assert refusal(services(twilio.default_service_sid).fetch) == (20003, 401)


def test_a_key_with_a_wrong_secret_and_an_unknown_key_are_401_with_20003(
    twilio: StandIn,
) -> None:
    key = twilio.make_api_key()
    for user, password in (
        (key["sid"], "wrong"),
        (key["sid"], twilio.auth_token),
        ("SK" + "0" * 32, key["secret"]),
        (twilio.account_sid, key["secret"]),
    ):
        services = client(twilio, user, password).conversations.v1.services
        assert refusal(services(twilio.default_service_sid).fetch) == (20003, 401)


def test_webhooks_with_the_target_flex_are_sent_to_no_url(
    hooked: StandIn, receiver: Receiver, sdk: Client
) -> None:
    webhooks = sdk.conversations.v1.configuration.webhooks()
    assert webhooks.update(target="flex").target == "flex"
    hooked.inbound(ANN, OURS, "Hello")
    assert receiver.hooks == []
    assert refusal(lambda: webhooks.update(target="elsewhere")) == (20001, 400)
    webhooks.update(target="webhook")
    hooked.inbound("+15550000077", OURS, "Hello")
    assert receiver.hooks


def test_an_address_keeps_its_deleted_service_and_starts_no_conversation(
    twilio: StandIn, sdk: Client
) -> None:
    service = sdk.conversations.v1.services.create(friendly_name="Second").sid or ""
    twilio.set_autocreate(OURS, service_sid=service)
    sdk.conversations.v1.services(service).delete()
    (address,) = sdk.conversations.v1.address_configurations.list()
    assert (address.auto_creation or {})["conversation_service_sid"] == service
    assert twilio.inbound(ANN, OURS, "Hello").conversation_sid is None
    assert twilio.conversations() == []


def test_a_short_code_keeps_its_country(sdk: Client) -> None:
    addresses = sdk.conversations.v1.address_configurations
    made = addresses.create(type="sms", address="12345", address_country="US")
    assert (made.address, made.address_country) == ("12345", "US")
