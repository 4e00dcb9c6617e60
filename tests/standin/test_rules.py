"""What the REST API refuses, with which code and status, as the real SDK raises it; and what it allows."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import requests
from twilio.rest import Client

from local.twilio import StandIn
from tests.standin.conftest import ANN, BEN, OURS, ToStandIn, refusal

KIM = "kim@example.com"
Make = Callable[..., Any]


@pytest.fixture
def sid(twilio: StandIn) -> str:
    return twilio.inbound(ANN, OURS, "Hello").conversation_sid or ""


@pytest.fixture
def add(sdk: Client, sid: str) -> Make:
    """Adds a participant to Ann's conversation through the SDK."""
    create: Make = sdk.conversations.v1.conversations(sid).participants.create
    return create


def test_a_wrong_token_and_a_wrong_account_are_401_with_20003(twilio: StandIn) -> None:
    for account, token in (
        (twilio.account_sid, "wrong"),
        ("AC" + "0" * 32, twilio.auth_token),
    ):
        client = Client(account, token, http_client=ToStandIn(twilio.url))
        assert refusal(client.conversations.v1.conversations.list) == (20003, 401)


def test_a_worker_is_added_once_and_again_is_50433(
    add: Make, twilio: StandIn, sid: str
) -> None:
    assert add(identity=KIM, attributes='{"a": 1}').attributes == '{"a": 1}'
    assert refusal(lambda: add(identity=KIM)) == (50433, 409)
    assert [one["identity"] for one in twilio.participants(sid)] == [None, KIM]


def test_an_unknown_identity_becomes_a_user(add: Make, sdk: Client) -> None:
    assert refusal(lambda: sdk.conversations.v1.users(KIM).fetch()) == (20404, 404)
    add(identity=KIM)
    user = sdk.conversations.v1.users(KIM).fetch()
    assert (user.identity, sdk.conversations.v1.users(user.sid).fetch().sid) == (
        KIM,
        user.sid,
    )


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"identity": KIM, "messaging_binding_address": BEN}, 50211),
        ({"identity": "system"}, 50203),
        ({"identity": "US" + "0" * 32}, 50206),
        ({"identity": "x" * 257}, 50207),
        ({"identity": KIM, "attributes": "{no json"}, 50304),
        ({"identity": KIM, "attributes": json.dumps("x" * 5000)}, 50303),
        ({"identity": KIM, "role_sid": "RL" + "0" * 32}, 50109),
        ({"identity": KIM, "messaging_binding_projected_address": BEN}, 50439),
        ({}, 50407),
        (
            {
                "messaging_binding_address": "Ann",
                "messaging_binding_proxy_address": OURS,
            },
            50407,
        ),
        (
            {
                "messaging_binding_address": BEN,
                "messaging_binding_proxy_address": "ours",
            },
            50408,
        ),
        ({"messaging_binding_address": "+4470000000"}, 50412),
        (
            {
                "messaging_binding_address": BEN,
                "messaging_binding_proxy_address": f"whatsapp:{OURS}",
            },
            50414,
        ),
        (
            {
                "messaging_binding_address": BEN,
                "messaging_binding_proxy_address": "+15550001111",
            },
            50413,
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_participant_that_breaks_a_rule_is_400(
    add: Make, wanted: dict[str, str], code: int
) -> None:
    assert refusal(lambda: add(**wanted)) == (code, 400)


def test_an_address_pair_is_in_one_open_conversation_only(
    sdk: Client, sid: str
) -> None:
    conversations = sdk.conversations.v1.conversations
    other = conversations(conversations.create().sid)
    pair = {"messaging_binding_address": ANN, "messaging_binding_proxy_address": OURS}
    assert refusal(lambda: other.participants.create(**pair)) == (50416, 409)
    conversations(sid).update(state="closed")
    assert other.participants.create(**pair).messaging_binding == {
        "type": "sms",
        "address": ANN,
        "proxy_address": OURS,
    }


def test_removing_the_customer_frees_the_pair(
    twilio: StandIn, sdk: Client, sid: str
) -> None:
    (customer,) = sdk.conversations.v1.conversations(sid).participants.list()
    customer.delete()
    assert twilio.inbound(ANN, OURS, "Hello").conversation_sid != sid


def test_a_closed_conversation_takes_nothing_more(
    sdk: Client, sid: str, add: Make
) -> None:
    conversation = sdk.conversations.v1.conversations(sid)
    conversation.update(state="closed")
    assert refusal(lambda: add(identity=KIM)) == (50377, 400)
    assert refusal(lambda: conversation.update(state="active")) == (50377, 400)
    assert refusal(lambda: conversation.messages.create(body="Hi")) == (50377, 400)


def test_unknown_conversations_and_paths_are_404(
    sdk: Client, twilio: StandIn, sid: str
) -> None:
    conversations = sdk.conversations.v1.conversations
    assert refusal(lambda: conversations("CH" + "0" * 32).fetch()) == (50350, 404)
    assert refusal(
        lambda: conversations("CH" + "0" * 32).participants.create(identity=KIM)
    ) == (50350, 404)
    assert refusal(
        lambda: conversations(sid).participants("MB" + "0" * 32).fetch()
    ) == (50432, 404)
    assert refusal(lambda: sdk.conversations.v1.credentials.list()) == (20404, 404)


def test_a_conversation_of_another_service_is_not_visible_in_the_short_form(
    sdk: Client,
) -> None:
    v1 = sdk.conversations.v1
    other = v1.services.create(friendly_name="Other").sid
    sid = v1.services(other).conversations.create().sid
    assert refusal(lambda: v1.conversations(sid).fetch()) == (50350, 404)
    assert (
        v1.services(other)
        .conversations(sid)
        .participants.create(identity=KIM)
        .chat_service_sid
        == other
    )


def test_a_group_conversation_wants_a_projected_address(
    twilio: StandIn, sdk: Client
) -> None:
    group = twilio.inbound_group(ANN, [OURS, BEN], "Hello both", wait=False)
    people = sdk.conversations.v1.conversations(group.conversation_sid).participants
    assert refusal(lambda: people.create(identity=KIM)) == (50386, 400)
    assert twilio.settle()
    assert refusal(lambda: people.create(identity=KIM)) == (50434, 400)
    worker = people.create(identity=KIM, messaging_binding_projected_address=OURS)
    assert worker.messaging_binding == {"type": "sms", "projected_address": OURS}
    assert refusal(
        lambda: people.create(identity=KIM, messaging_binding_projected_address=OURS)
    ) == (
        50437,
        409,
    )
    for number in range(6):
        people.create(
            identity=f"worker{number}", messaging_binding_projected_address=OURS
        )
    one_more = {"identity": "late", "messaging_binding_projected_address": OURS}
    assert refusal(lambda: people.create(**one_more)) == (50436, 400)


def test_a_conversation_has_room_for_fifty_people_off_chat(sdk: Client) -> None:
    conversations = sdk.conversations.v1.conversations
    people = conversations(conversations.create().sid).participants
    for number in range(50):
        people.create(
            messaging_binding_address=f"+1555010{number:04d}",
            messaging_binding_proxy_address=OURS,
        )
    one_more = {
        "messaging_binding_address": BEN,
        "messaging_binding_proxy_address": OURS,
    }
    assert refusal(lambda: people.create(**one_more)) == (50418, 400)
    assert people.create(identity=KIM)


def test_a_worker_at_the_limit_is_refused_with_50214(
    twilio: StandIn, sdk: Client
) -> None:
    twilio.limit_worker(KIM, 1)
    conversations = sdk.conversations.v1.conversations
    first, second = (
        conversations(conversations.create().sid),
        conversations(conversations.create().sid),
    )
    first.participants.create(identity=KIM)
    assert refusal(lambda: second.participants.create(identity=KIM)) == (50214, 400)
    first.update(state="closed")
    assert second.participants.create(identity=KIM)


def test_conversations_are_found_by_unique_name_state_and_date(sdk: Client) -> None:
    conversations = sdk.conversations.v1.conversations
    made = conversations.create(unique_name="order-7", attributes='{"order": 7}')
    assert conversations("order-7").fetch().sid == made.sid
    assert refusal(lambda: conversations.create(unique_name="order-7")) == (50353, 409)
    conversations(made.sid).update(state="inactive")
    assert [one.sid for one in conversations.list(state="inactive")] == [made.sid]
    assert conversations.list(state="closed") == []
    today = made.date_created.date().isoformat()
    assert len(conversations.list(start_date=today, end_date=today)) == 1
    assert conversations.list(start_date="2999-01-01") == []
    later = conversations.create().sid
    assert [one.sid for one in conversations.list()] == [made.sid, later]
    assert [
        one.sid
        for one in conversations.list(start_date=f"{today}T00:00:00Z", page_size=1)
    ] == [
        later,
        made.sid,
    ]
    conversations(made.sid).delete()
    assert refusal(lambda: conversations("order-7").fetch()) == (50350, 404)


def test_lists_come_in_pages_that_survive_changes_between_them(sdk: Client) -> None:
    conversations = sdk.conversations.v1.conversations
    sids = [conversations.create().sid for _ in range(7)]
    assert [one.sid for one in conversations.list(page_size=3)] == sids
    page = conversations.page(page_size=3)
    conversations(sids[0]).delete()
    assert [one.sid for one in page] == sids[:3]
    assert page.next_page_url.startswith(
        "https://conversations.twilio.com/v1/Conversations?"
    )
    assert [one.sid for one in page.next_page()] == sids[3:6]


def test_messages_are_listed_in_both_orders(
    twilio: StandIn, sdk: Client, sid: str
) -> None:
    messages = sdk.conversations.v1.conversations(sid).messages
    for text in ("two", "three"):
        messages.create(body=text, author=ANN)
    assert [one.body for one in messages.list(order="desc", page_size=2)] == [
        "three",
        "two",
        "Hello",
    ]
    assert refusal(lambda: messages.create(author=ANN)) == (50503, 400)


def test_a_location_has_neither_text_nor_media_but_channel_metadata(
    twilio: StandIn, sdk: Client, sid: str
) -> None:
    place = {"context": {"Latitude": "52.5", "Longitude": "13.4"}}
    twilio.inbound(ANN, OURS, None, metadata=place)
    first, location = sdk.conversations.v1.conversations(sid).messages.list()
    assert (location.body, location.media) == (None, None)
    assert _metadata(twilio, location)["data"] == place
    assert _metadata(twilio, first)["code"] == 50530


def _metadata(twilio: StandIn, message: Any) -> Any:
    path = message.links["channel_metadata"].removeprefix(
        "https://conversations.twilio.com"
    )
    return requests.get(
        twilio.url + path, auth=(twilio.account_sid, twilio.auth_token), timeout=10
    ).json()


def test_a_whatsapp_user_id_is_an_address(sdk: Client, twilio: StandIn) -> None:
    conversations = sdk.conversations.v1.conversations
    people = conversations(conversations.create().sid).participants
    twilio.set_autocreate(f"whatsapp:{OURS}")
    ours = {"messaging_binding_proxy_address": f"whatsapp:{OURS}"}
    for user_id in (
        "whatsapp:GB.13491208655302741918",
        "whatsapp:US.ENT.13491208655302741918",
    ):
        binding = people.create(
            messaging_binding_address=user_id, **ours
        ).messaging_binding
        assert (binding["address"], binding["type"]) == (user_id, "whatsapp")
    for wrong in ("whatsapp:ann", "whatsapp:gb.1349", "GB.13491208655302741918"):
        create = partial(people.create, messaging_binding_address=wrong, **ours)
        assert refusal(create) == (50407, 400)


def test_participants_and_conversations_are_updated_whole(
    sdk: Client, sid: str
) -> None:
    conversation = sdk.conversations.v1.conversations(sid)
    (customer,) = conversation.participants.list()
    customer.update(attributes='{"customer_id": "7"}')
    assert (
        conversation.participants(customer.sid).fetch().attributes
        == '{"customer_id": "7"}'
    )
    conversation.update(
        friendly_name="Ann", attributes='{"a": 1}', timers_inactive="PT5M"
    )
    changed = conversation.fetch()
    assert (changed.friendly_name, changed.attributes) == ("Ann", '{"a": 1}')
    assert set(changed.timers) == {"date_inactive"}
    assert refusal(lambda: conversation.update(timers_inactive="PT5S")) == (50375, 400)
    assert refusal(lambda: conversation.update(timers_closed="PT9M")) == (50376, 400)
