"""Deliveries: who gets which event, how it is signed, and the trouble that can be asked for."""

import time

import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from local.twilio import StandIn
from local.twilio.errors import ApiError
from tests.standin.conftest import ANN, OURS, Hook, Receiver

KIM = "kim@example.com"


def is_genuine(twilio: StandIn, receiver: Receiver, hook: Hook) -> bool:
    signed = hook.params if hook.method == "POST" else {}
    validator = RequestValidator(twilio.auth_token)
    signature = hook.headers["X-Twilio-Signature"]
    return bool(validator.validate(receiver.url + hook.path, signed, signature))


def test_every_webhook_carries_a_valid_signature(
    hooked: StandIn, receiver: Receiver
) -> None:
    hooked.configure_frontline(routing_url=f"{receiver.url}/route?key=a%27b%20c")
    hooked.inbound(ANN, OURS, "Grüße & 1+1=2")
    assert len(receiver.hooks) == 5
    assert all(is_genuine(hooked, receiver, hook) for hook in receiver.hooks)
    assert all(hook.headers["I-Twilio-Idempotency-Token"] for hook in receiver.hooks)


def test_another_token_does_not_validate(hooked: StandIn, receiver: Receiver) -> None:
    hooked.inbound(ANN, OURS, "Hello")
    hook = receiver.hooks[0]
    validator = RequestValidator("another-token")
    assert not validator.validate(
        receiver.url + hook.path, hook.params, hook.headers["X-Twilio-Signature"]
    )


def test_a_get_webhook_has_its_parameters_in_the_signed_url(
    twilio: StandIn, receiver: Receiver
) -> None:
    twilio.configure_webhooks(post_url=f"{receiver.url}/post?key=1", method="GET")
    twilio.inbound(ANN, OURS, "Hello")
    hook = receiver.only("onMessageAdded")
    assert hook.method == "GET" and hook.path.startswith("/post?key=1&")
    assert hook.params["Body"] == "Hello" and is_genuine(twilio, receiver, hook)


def test_a_fragment_is_neither_sent_nor_signed(
    twilio: StandIn, receiver: Receiver
) -> None:
    twilio.configure_webhooks(post_url=f"{receiver.url}/post#rc=2")
    twilio.inbound(ANN, OURS, "Hello")
    assert {hook.path for hook in receiver.hooks} == {"/post"}
    assert is_genuine(twilio, receiver, receiver.hooks[0])


def test_events_outside_the_filters_do_not_fire(
    twilio: StandIn, receiver: Receiver
) -> None:
    twilio.configure_webhooks(
        pre_url=receiver.url,
        post_url=receiver.url,
        filters=["onConversationAdd", "onParticipantAdded"],
    )
    twilio.inbound(ANN, OURS, "Hello")
    assert receiver.events() == ["onConversationAdd", "onParticipantAdded"]


def test_global_and_service_targets_each_get_their_events(
    twilio: StandIn, receiver: Receiver
) -> None:
    service = twilio.default_service_sid
    twilio.configure_webhooks(
        post_url=f"{receiver.url}/global", filters=["onMessageAdded"]
    )
    twilio.configure_webhooks(
        service, post_url=f"{receiver.url}/service", filters=["onMessageAdded"]
    )
    twilio.inbound(ANN, OURS, "Hello")
    assert sorted(hook.path for hook in receiver.hooks) == ["/global", "/service"]


def test_rest_changes_fire_only_when_asked_to_and_only_post_events(
    hooked: StandIn, receiver: Receiver, sdk: Client
) -> None:
    conversations = sdk.conversations.v1.conversations
    sid = conversations.create(friendly_name="quiet").sid
    conversations(sid).participants.create(identity=KIM)
    assert hooked.settle() and receiver.hooks == []
    conversations(sid).participants.create(
        identity="lee", x_twilio_webhook_enabled="true"
    )
    conversations(sid).update(state="closed", x_twilio_webhook_enabled="true")
    assert hooked.settle()
    assert sorted(receiver.events()) == [
        "onConversationStateUpdated",
        "onParticipantAdded",
        "onUserAdded",
    ]
    assert {hook.params["Source"] for hook in receiver.hooks} == {"API"}
    assert receiver.only("onConversationStateUpdated").params["Reason"] == "API"
    assert "MessagingBinding.Address" not in receiver.only("onParticipantAdded").params


def test_what_a_worker_does_in_the_app_fires_pre_and_post_events(
    hooked: StandIn, receiver: Receiver
) -> None:
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid or ""
    receiver.hooks.clear()
    hooked.worker_join(sid, KIM)
    hooked.worker_message(sid, KIM, "How can I help?")
    hooked.worker_leave(sid, KIM)
    assert set(receiver.events()) == {
        "onParticipantAdd",
        "onUserAdded",
        "onParticipantAdded",
        "onMessageAdd",
        "onMessageAdded",
        "onDeliveryUpdated",
        "onParticipantRemove",
        "onParticipantRemoved",
    }
    people_did = [
        hook
        for hook in receiver.hooks
        if hook.params["EventType"] != "onDeliveryUpdated"
    ]
    assert {
        (hook.params["Source"], hook.params["ClientIdentity"]) for hook in people_did
    } == {("SDK", KIM)}
    assert "ParticipantSid" not in receiver.only("onParticipantAdd").params
    assert receiver.only("onParticipantRemoved").params["DateRemoved"]


def test_a_pre_event_can_refuse_or_reword_what_a_worker_writes(
    hooked: StandIn, receiver: Receiver
) -> None:
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid or ""
    hooked.worker_join(sid, KIM)
    receiver.answers["onMessageAdd"] = (200, '{"body": "reworded"}')
    assert hooked.worker_message(sid, KIM, "rude")["body"] == "reworded"
    receiver.answers["onMessageAdd"] = (403, "")
    with pytest.raises(ApiError) as refused:
        hooked.worker_message(sid, KIM, "rude")
    assert refused.value.code == 50056
    assert len(hooked.messages(sid)) == 2


def test_someone_logging_in_first_is_a_new_user(
    hooked: StandIn, receiver: Receiver
) -> None:
    user = hooked.create_user(KIM)
    params = receiver.only("onUserAdded").params
    assert (params["UserSid"], params["Identity"]) == (user["sid"], KIM)
    hooked.create_user(KIM)
    assert len(receiver.hooks) == 1


def test_post_events_are_not_repeated(hooked: StandIn, receiver: Receiver) -> None:
    receiver.answers["onMessageAdded"] = (503, "")
    hooked.inbound(ANN, OURS, "Hello")
    assert len(receiver.of("onMessageAdded")) == 1


def test_a_post_event_is_given_up_after_the_limit(
    impatient: StandIn, receiver: Receiver
) -> None:
    receiver.slow["onParticipantAdded"] = 0.6
    impatient.inbound(ANN, OURS, "Hello")
    (late,) = [
        one for one in impatient.deliveries if one["event"] == "onParticipantAdded"
    ]
    assert (late["status"], late["error"]) == (None, 50076)
    assert receiver.events()[-1] == "onMessageAdded"


def test_deliveries_can_come_twice_with_the_same_token(
    hooked: StandIn, receiver: Receiver
) -> None:
    hooked.webhook_trouble(repeat=2)
    hooked.inbound(ANN, OURS, "Hello")
    assert receiver.events().count("onConversationAdd") == 1
    pair = receiver.of("onParticipantAdded")
    assert len(pair) == 2
    assert len({one.headers["I-Twilio-Idempotency-Token"] for one in pair}) == 1


def test_deliveries_can_be_lost(hooked: StandIn, receiver: Receiver) -> None:
    hooked.webhook_trouble(lose=1.0, events=["onParticipantAdded"])
    hooked.inbound(ANN, OURS, "Hello")
    assert receiver.events() == [
        "onConversationAdd",
        "onConversationAdded",
        "onMessageAdded",
    ]
    assert [one["event"] for one in hooked.deliveries if one["error"] == "lost"] == [
        "onParticipantAdded"
    ]


def test_deliveries_can_come_in_another_order(
    hooked: StandIn, receiver: Receiver
) -> None:
    hooked.webhook_trouble(shuffle=True, seed=3)
    seen = set()
    for number in range(6):
        receiver.hooks.clear()
        hooked.inbound(f"+1555001000{number}", OURS, "Hello")
        seen.add(tuple(receiver.events()[1:]))
    assert len(seen) > 1


def test_deliveries_can_overlap_and_be_late(
    hooked: StandIn, receiver: Receiver
) -> None:
    hooked.webhook_trouble(overlap=True, delay=0.1)
    receiver.slow = dict.fromkeys(
        ("onConversationAdded", "onParticipantAdded", "onMessageAdded"), 0.3
    )
    began = time.monotonic()
    hooked.inbound(ANN, OURS, "Hello")
    assert 0.4 <= time.monotonic() - began < 1.0


def test_healing_ends_all_trouble(
    hooked: StandIn, receiver: Receiver, sdk: Client
) -> None:
    hooked.webhook_trouble(repeat=3)
    hooked.fail(status=500)
    hooked.heal()
    hooked.inbound(ANN, OURS, "Hello")
    assert len(receiver.hooks) == 4
    assert len(sdk.conversations.v1.conversations.list()) == 1


def test_timers_run_when_time_is_advanced(
    hooked: StandIn, receiver: Receiver, sdk: Client
) -> None:
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid or ""
    sdk.conversations.v1.conversations(sid).update(
        timers_inactive="PT1M", timers_closed="PT10M"
    )
    hooked.advance(61)
    hooked.advance(600)
    changes = [hook.params for hook in receiver.of("onConversationStateUpdated")]
    assert [(one["StateFrom"], one["StateTo"], one["Reason"]) for one in changes] == [
        ("active", "inactive", "TIMER"),
        ("inactive", "closed", "TIMER"),
    ]
