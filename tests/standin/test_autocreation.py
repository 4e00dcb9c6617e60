"""A customer's message: events in Twilio's order, what each pre-event answer leads to, one pair one conversation."""

import json

import pytest
from twilio.rest import Client

from local.twilio import StandIn
from tests.standin.conftest import ANN, BEN, OURS, Receiver

WA_ANN, WA_OURS = f"whatsapp:{ANN}", f"whatsapp:{OURS}"


def test_a_first_message_makes_a_conversation_with_events_in_order(
    hooked: StandIn, receiver: Receiver
) -> None:
    result = hooked.inbound(ANN, OURS, "Hello")
    assert result.created and not result.dropped
    assert receiver.events() == [
        "onConversationAdd",
        "onConversationAdded",
        "onParticipantAdded",
        "onMessageAdded",
    ]


def test_the_pre_event_has_the_text_but_no_conversation_sid(
    hooked: StandIn, receiver: Receiver
) -> None:
    hooked.inbound(ANN, OURS, "Hello")
    params = receiver.only("onConversationAdd").params
    assert "ConversationSid" not in params
    assert params["MessageBody"] == "Hello"
    assert (
        params["MessagingBinding.Address"],
        params["MessagingBinding.ProxyAddress"],
    ) == (ANN, OURS)
    assert (params["Source"], params["State"], params["RetryCount"]) == (
        "SMS",
        "active",
        "0",
    )
    assert params["ChatServiceSid"] == hooked.default_service_sid


def test_post_events_carry_what_the_documentation_lists_and_nothing_empty(
    hooked: StandIn, receiver: Receiver
) -> None:
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid
    added = receiver.only("onConversationAdded").params
    assert added["ConversationSid"] == sid and "MessageBody" not in added
    assert added["MessagingBinding.Address"] == ANN
    joined = receiver.only("onParticipantAdded").params
    assert "Identity" not in joined
    assert joined["ChatServiceSid"] == hooked.default_service_sid
    assert joined["MessagingBinding.Type"] == "sms"
    message = receiver.only("onMessageAdded").params
    assert (message["Body"], message["Author"], message["Index"]) == ("Hello", ANN, "0")
    assert message["ParticipantSid"] == joined["ParticipantSid"]
    assert not any(name.startswith("MessagingBinding") for name in message)
    assert all(
        hook.params[name] != "" for hook in receiver.hooks for name in hook.params
    )


def test_a_whatsapp_message_has_prefixed_addresses_and_its_own_source(
    hooked: StandIn, receiver: Receiver
) -> None:
    hooked.set_autocreate(WA_OURS)
    assert hooked.inbound(WA_ANN, WA_OURS, "Hello").created
    joined = receiver.only("onParticipantAdded").params
    assert (joined["Source"], joined["MessagingBinding.Type"]) == (
        "WHATSAPP",
        "whatsapp",
    )
    assert joined["MessagingBinding.Address"] == WA_ANN


def test_a_pre_event_may_name_the_conversation_and_give_it_attributes(
    hooked: StandIn, receiver: Receiver
) -> None:
    attributes = json.dumps({"avatar": "https://example.com/a.png"})
    answer = json.dumps({"friendly_name": "Ann", "attributes": attributes})
    receiver.answers["onConversationAdd"] = (200, answer)
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid
    made = hooked.conversation(sid or "") or {}
    assert (made["friendly_name"], made["attributes"]) == ("Ann", attributes)
    assert receiver.only("onConversationAdded").params["FriendlyName"] == "Ann"


@pytest.mark.parametrize("status", [400, 403, 422, 500, 503])
def test_any_4xx_or_5xx_from_the_pre_event_loses_the_message(
    hooked: StandIn, receiver: Receiver, status: int
) -> None:
    receiver.answers["onConversationAdd"] = (status, "")
    result = hooked.inbound(ANN, OURS, "Hello")
    assert result.dropped and str(status) in result.why
    assert hooked.conversations() == []
    assert receiver.events() == ["onConversationAdd"]


@pytest.mark.parametrize(
    "answer",
    [
        '{"attributes": {"avatar": "x"}}',
        '{"attributes": "not json"}',
        '{"friendly_name": 7}',
        "[]",
        "<p>",
    ],
)
def test_values_that_make_no_sense_lose_the_message_too(
    hooked: StandIn, receiver: Receiver, answer: str
) -> None:
    receiver.answers["onConversationAdd"] = (200, answer)
    assert hooked.inbound(ANN, OURS, "Hello").dropped
    assert hooked.conversations() == []


def test_a_pre_event_without_an_answer_in_time_changes_nothing(
    impatient: StandIn, receiver: Receiver
) -> None:
    receiver.answers["onConversationAdd"] = (500, '{"friendly_name": "too late"}')
    receiver.slow["onConversationAdd"] = 0.6
    result = impatient.inbound(ANN, OURS, "Hello")
    assert result.created
    assert (impatient.conversation(result.conversation_sid or "") or {})[
        "friendly_name"
    ] is None
    assert impatient.deliveries[0]["error"] == 50076


def test_the_second_message_of_a_pair_goes_into_the_same_conversation(
    hooked: StandIn, receiver: Receiver
) -> None:
    first = hooked.inbound(ANN, OURS, "Hello")
    receiver.hooks.clear()
    second = hooked.inbound(ANN, OURS, "Still there?")
    assert (second.conversation_sid, second.created) == (first.conversation_sid, False)
    assert receiver.events() == ["onMessageAdd", "onMessageAdded"]
    assert [one["body"] for one in hooked.messages(first.conversation_sid or "")] == [
        "Hello",
        "Still there?",
    ]


def test_a_message_wakes_an_inactive_conversation(
    hooked: StandIn, receiver: Receiver
) -> None:
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid or ""
    hooked.set_state(sid, "inactive")
    receiver.hooks.clear()
    hooked.inbound(ANN, OURS, "Hello again")
    change = receiver.only("onConversationStateUpdated").params
    assert (change["StateFrom"], change["StateTo"], change["Reason"]) == (
        "inactive",
        "active",
        "EVENT",
    )
    assert not any(name.startswith("MessagingBinding") for name in change)


def test_closing_frees_the_pair_for_a_new_conversation(hooked: StandIn) -> None:
    first = hooked.inbound(ANN, OURS, "Hello").conversation_sid or ""
    hooked.set_state(first, "closed")
    second = hooked.inbound(ANN, OURS, "Hello again")
    assert second.created and second.conversation_sid != first


def test_removing_the_conversation_frees_the_pair(
    hooked: StandIn, receiver: Receiver
) -> None:
    first = hooked.inbound(ANN, OURS, "Hello").conversation_sid or ""
    hooked.remove_conversation(first)
    assert receiver.only("onConversationRemoved").params["DateRemoved"]
    assert hooked.inbound(ANN, OURS, "Hello again").created


def test_messages_to_an_address_without_autocreation_are_dropped(
    twilio: StandIn,
) -> None:
    assert twilio.inbound(ANN, "+15550008888", "Hello").dropped
    twilio.set_autocreate(OURS, enabled=False)
    assert "no address" in twilio.inbound(ANN, OURS, "Hello").why


def test_an_address_can_create_in_another_service(
    hooked: StandIn, receiver: Receiver, sdk: Client
) -> None:
    other = sdk.conversations.v1.services.create("Other").sid
    hooked.set_autocreate(BEN, service_sid=other)
    hooked.inbound(ANN, BEN, "Hello")
    assert receiver.only("onConversationAdded").params["ChatServiceSid"] == other


def test_the_routing_callback_comes_beside_the_post_events(
    hooked: StandIn, receiver: Receiver
) -> None:
    hooked.configure_frontline(routing_url=f"{receiver.url}/route")
    receiver.slow["onConversationAdded"] = 0.1
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid
    params = receiver.only("onConversationRoute").params
    assert (params["ConversationSid"], params["MessagingBinding.Address"]) == (sid, ANN)
    assert params["ConversationServiceSid"] == hooked.default_service_sid
    assert "ChatServiceSid" not in params
    assert receiver.events().index("onConversationRoute") < receiver.events().index(
        "onParticipantAdded"
    )


def test_a_failed_or_late_routing_callback_is_error_48010(
    impatient: StandIn, receiver: Receiver
) -> None:
    impatient.configure_frontline(routing_url=f"{receiver.url}/route")
    receiver.answers["onConversationRoute"] = (422, "")
    impatient.inbound(ANN, OURS, "Hello")
    receiver.slow["onConversationRoute"] = 0.7
    impatient.inbound(BEN, OURS, "Hello")
    errors = [
        one["error"]
        for one in impatient.deliveries
        if one["event"] == "onConversationRoute"
    ]
    assert errors == [48010, 48010]


def test_a_group_message_initializes_first_and_is_active_afterwards(
    hooked: StandIn, receiver: Receiver
) -> None:
    sid = hooked.inbound_group(ANN, [OURS, BEN], "Hello both").conversation_sid or ""
    assert receiver.events() == [
        "onConversationAdd",
        "onConversationAdded",
        *["onParticipantAdded"] * 3,
        "onMessageAdded",
        "onConversationStateUpdated",
    ]
    added = receiver.only("onConversationAdded").params
    assert added["MessagingBinding.Address"] == f"{OURS}, {BEN}"
    assert (added["MessagingBinding.AuthorAddress"], added["State"]) == (
        ANN,
        "initializing",
    )
    projected = [
        hook.params.get("MessagingBinding.ProjectedAddress")
        for hook in receiver.of("onParticipantAdded")
    ]
    assert projected == [None, OURS, None]
    assert receiver.only("onConversationStateUpdated").params["Reason"] == "EVENT"
    assert (hooked.conversation(sid) or {})["state"] == "active"
    assert not hooked.inbound_group(BEN, [ANN, OURS], "Hello you").created


def test_many_groups_at_once_need_no_more_threads_than_there_are(
    receiver: Receiver,
) -> None:
    with StandIn(group_delay=0.05, threads=2) as twilio:
        twilio.set_autocreate(OURS)
        twilio.configure_webhooks(post_url=receiver.url)
        for number in range(6):
            twilio.inbound_group(
                f"+1555010000{number}", [OURS, BEN], "Hello both", wait=False
            )
        assert twilio.settle(5)
        assert {one["state"] for one in twilio.conversations()} == {"active"}


def test_media_come_as_a_json_array_in_one_parameter(
    hooked: StandIn, receiver: Receiver
) -> None:
    picture = {
        "Sid": "ME" + "0" * 32,
        "ContentType": "image/png",
        "Filename": "a.png",
        "Size": 3,
    }
    hooked.inbound(ANN, OURS, None, media=[picture])
    params = receiver.only("onMessageAdded").params
    assert json.loads(params["Media"]) == [picture] and "Body" not in params


def test_an_address_whose_service_was_deleted_creates_nothing(
    twilio: StandIn, sdk: Client
) -> None:
    service = sdk.conversations.v1.services.create(friendly_name="Gone")
    twilio.set_autocreate("+15550009998", service_sid=service.sid)
    service.delete()
    result = twilio.inbound(ANN, "+15550009998", "Hello")
    assert (result.dropped, result.conversation_sid) == (True, None)
    assert "does not exist" in result.why
