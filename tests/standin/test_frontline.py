"""The Frontline app's callbacks: signed, limited in time and size, and the error the app shows."""

from twilio.request_validator import RequestValidator

from local.twilio import StandIn
from tests.standin.conftest import ANN, OURS, Receiver

KIM = "kim@example.com"


def ready(twilio: StandIn, receiver: Receiver, answer: str, status: int = 200) -> None:
    twilio.configure_frontline(crm_url=f"{receiver.url}/crm", outgoing_url=f"{receiver.url}/outgoing")
    receiver.answers[""] = (status, answer)


def test_a_callback_is_signed_and_its_json_comes_back(twilio: StandIn, receiver: Receiver) -> None:
    ready(twilio, receiver, '{"objects": {"customers": []}}')
    answer = twilio.frontline_call("crm", Location="GetCustomersList", Worker=KIM, PageSize=30)
    assert (answer["status"], answer["error"]) == (200, None)
    assert answer["json"] == {"objects": {"customers": []}}
    (hook,) = receiver.hooks
    assert hook.params == {"Location": "GetCustomersList", "Worker": KIM, "PageSize": "30"}
    signature = hook.headers["X-Twilio-Signature"]
    assert RequestValidator(twilio.auth_token).validate(receiver.url + hook.path, hook.params, signature)


def test_wrong_answers_are_the_documented_errors(twilio: StandIn, receiver: Receiver) -> None:
    assert twilio.frontline_call("templates", Worker=KIM)["error"] == 48001
    for status, answer, error in (
        (403, "{}", 48004),
        (200, "no json", 48003),
        (200, f'"{"x" * 65536}"', 48003),
    ):
        ready(twilio, receiver, answer, status)
        assert twilio.frontline_call("crm", Worker=KIM)["error"] == error


def test_an_outgoing_conversation_has_the_customer_and_the_worker(
    twilio: StandIn, receiver: Receiver
) -> None:
    ready(twilio, receiver, f'{{"proxy_address": "{OURS}"}}')
    started = twilio.start_outgoing(KIM, "7", "sms", ANN)
    assert (started["proxy_address"], started["error"]) == (OURS, None)
    assert receiver.hooks[0].params["ChannelValue"] == ANN
    people = twilio.participants(started["conversation_sid"])
    assert [one["identity"] for one in people] == [None, KIM]
    assert people[0]["attributes"] == '{"customer_id": "7"}'


def test_the_app_asks_the_pre_event_without_addresses_before_an_outgoing_conversation(
    hooked: StandIn, receiver: Receiver
) -> None:
    ready(hooked, receiver, f'{{"proxy_address": "{OURS}"}}')
    assert hooked.start_outgoing(KIM, "7", "sms", ANN)["error"] is None
    params = receiver.only("onConversationAdd").params
    assert not {"MessagingBinding.Address", "MessageBody", "ConversationSid"} & set(params)
    assert (params["Source"], params["ClientIdentity"]) == ("SDK", KIM)
    receiver.answers["onConversationAdd"] = (403, "")
    assert hooked.start_outgoing(KIM, "8", "sms", ANN)["error"] == 48050


def test_an_outgoing_conversation_fails_when_the_pair_is_taken_or_no_proxy_is_given(
    twilio: StandIn, receiver: Receiver
) -> None:
    twilio.inbound(ANN, OURS, "Hello")
    ready(twilio, receiver, f'{{"proxy_address": "{OURS}"}}')
    assert twilio.start_outgoing(KIM, "7", "sms", ANN)["error"] == 48031
    ready(twilio, receiver, "{}")
    assert twilio.start_outgoing(KIM, "7", "sms", ANN)["error"] == 48026
    ready(twilio, receiver, "", 403)
    assert twilio.start_outgoing(KIM, "7", "sms", ANN)["error"] == 48004
    assert len(twilio.conversations()) == 1
