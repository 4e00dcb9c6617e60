"""Content templates and the 24 hours of WhatsApp and Messenger, as the stand-in imitates them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from twilio.rest import Client

from local.twilio import StandIn
from tests.standin.conftest import ANN, OURS, refusal

DAY = 24 * 3600
WITHOUT_CONTENT = "HX" + "0" * 32


def begun(twilio: StandIn, channel: str = "whatsapp") -> str:
    ours = f"{channel}:{OURS}"
    twilio.set_autocreate(ours)
    return str(twilio.inbound(f"{channel}:{ANN}", ours, "Hello").conversation_sid)


def create(sdk: Client, sid: str, **fields: Any) -> Any:
    return sdk.conversations.v1.conversations(sid).messages.create(**fields)


def receipt(sdk: Client, sid: str, message: Any) -> tuple[str, int]:
    """The last report, which carriers make after the answer: WhatsApp reads, Messenger delivers."""
    at = sdk.conversations.v1.conversations(sid).messages(message.sid)
    for _ in range(60):
        found = at.delivery_receipts.list()
        if found and found[0].status in ("read", "failed"):
            break
        time.sleep(0.05)
    (one,) = found
    return one.status, one.error_code


@pytest.mark.parametrize("channel", ["whatsapp", "messenger"])
def test_a_free_text_outside_24_hours_is_accepted_and_fails(
    twilio: StandIn, sdk: Client, channel: str
) -> None:
    sid = begun(twilio, channel)
    arrived = "read" if channel == "whatsapp" else "delivered"
    assert receipt(sdk, sid, create(sdk, sid, body="Hi")) == (arrived, 0)
    twilio.advance(DAY + 1)
    twilio.add_content("hi", "Hi")
    assert receipt(sdk, sid, create(sdk, sid, body="Hi")) == ("failed", 63016)


def test_only_an_approved_content_template_reaches_whatsapp_outside_24_hours(
    twilio: StandIn, sdk: Client
) -> None:
    sid = begun(twilio)
    content = twilio.add_content("hi", "Hi {{1}}", variables={"1": "Ann"})
    twilio.advance(DAY + 1)
    assert receipt(sdk, sid, create(sdk, sid, content_sid=content)) == ("read", 0)
    twilio.approve_content(content, "paused", "low quality")
    assert receipt(sdk, sid, create(sdk, sid, content_sid=content)) == ("failed", 63016)
    twilio.inbound(f"whatsapp:{ANN}", f"whatsapp:{OURS}", "Yes?")
    assert receipt(sdk, sid, create(sdk, sid, body="Hi")) == ("read", 0)


def test_the_window_belongs_to_a_pair_of_addresses(
    twilio: StandIn, sdk: Client
) -> None:
    begun(twilio)
    twilio.set_autocreate("whatsapp:+15550008888")
    sid = str(sdk.conversations.v1.conversations.create().sid)
    sdk.conversations.v1.conversations(sid).participants.create(
        messaging_binding_address=f"whatsapp:{ANN}",
        messaging_binding_proxy_address="whatsapp:+15550008888",
    )
    assert receipt(sdk, sid, create(sdk, sid, body="Hi")) == ("failed", 63016)


def test_a_message_shows_its_filled_in_text_and_its_content(
    twilio: StandIn, sdk: Client
) -> None:
    sid = begun(twilio)
    content = twilio.add_content(
        "hi", "Hi {{1}}, {{last name}}", variables={"1": "Ann", "last name": "Lee"}
    )
    made = create(
        sdk,
        sid,
        body="ignored",
        content_sid=content,
        content_variables=json.dumps({"1": "O'Brien"}),
    )
    assert (made.body, made.content_sid) == ("Hi O'Brien, Lee", content)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content_sid": "HX1"}, 50526),
        ({"content_sid": WITHOUT_CONTENT}, 21655),
        ({"content_variables": '{"1": "x"}', "body": "x"}, 50528),
        ({"content_variables": "x"}, 50527),
        ({"content_variables": "[]"}, 21656),
        ({"content_variables": '{"1": ""}'}, 21656),
        ({"content_variables": '{"1": null}'}, 21656),
        ({"content_variables": '{"1": "a\\nb"}'}, 21656),
        ({"content_variables": '{"1": "a     b"}'}, 21656),
        ({"content_variables": json.dumps({"1": "x" * 1601})}, 21658),
    ],
)
def test_what_is_wrong_with_a_content_message_is_refused(
    twilio: StandIn, sdk: Client, fields: dict[str, str], code: int
) -> None:
    sid = begun(twilio)
    if "body" not in fields:
        fields = {
            "content_sid": twilio.add_content("hi", "Hi {{1}}", variables={"1": "x"}),
            **fields,
        }
    assert refusal(lambda: create(sdk, sid, **fields)) == (code, 400)


def test_a_type_that_conversations_cannot_send_is_refused(
    twilio: StandIn, sdk: Client
) -> None:
    content = twilio.add_content(
        "shop", types={"twilio/carousel": {"body": "Look", "cards": []}}
    )
    sid = begun(twilio)
    assert refusal(lambda: create(sdk, sid, content_sid=content)) == (50542, 400)


def test_the_content_api_lists_in_pages_and_has_two_shapes_of_an_approval(
    twilio: StandIn, sdk: Client
) -> None:
    sids = [twilio.add_content(f"number {number}", "Hi") for number in range(5)]
    twilio.approve_content(sids[1], "rejected", "too pushy")
    listed = sdk.content.v1.content_and_approvals.list(page_size=2)
    assert [one.sid for one in listed] == sids
    assert listed[1].approval_requests["status"] == "rejected"
    assert "whatsapp" not in listed[1].approval_requests
    fetched = sdk.content.v1.contents(sids[1]).approval_fetch().fetch()
    assert fetched.whatsapp["rejection_reason"] == "too pushy"
    assert [one.sid for one in sdk.content.v1.contents.list(page_size=2)] == sids
    assert sdk.content.v1.contents(sids[0]).fetch().friendly_name == "number 0"
    assert refusal(lambda: sdk.content.v1.contents(WITHOUT_CONTENT).fetch()) == (
        20404,
        404,
    )
