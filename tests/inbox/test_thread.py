"""The open page: messages without words, what several recipients did not get, and files by their many types."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from domain import channels
from providers import twilio
from providers.twilio import Place
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, Page, told
from tests.service import Service

BEN = "+15550000002"
GROUP_ANN, GROUP_OURS = "+15550000001", "+15550009999"
PLACE = {"type": "whatsapp", "data": {"latitude": 52.5, "longitude": 13.4}}


def _last(page: Page, sid: str) -> dict[str, Any]:
    found: dict[str, Any] = page.get(f"conversations/{sid}/messages").json()[
        "messages"
    ][-1]
    return found


def _asked(service: Service) -> int:
    return sum(
        one["path"].endswith("ChannelMetadata") for one in service.standin.requests
    )


def test_a_location_is_named_in_the_list_and_the_open_page(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.inbound(ANN, OURS, None, metadata=PLACE)
    service.standin.inbound(ANN, OURS, None)
    service.settle()
    assert (
        page.state()["conversations"][0]["last"]["text"]
        == "(a message that cannot be shown here)"
    )
    shown = page.get(f"conversations/{sid}/messages").json()["messages"][1:]
    assert [(one["body"], one["described"], one["media"]) for one in shown] == [
        ("(location)", True, []),
        ("(a message that cannot be shown here)", True, []),
    ]
    asked = _asked(service)
    page.get(f"conversations/{sid}/messages")
    assert _asked(service) == asked


def test_an_ordinary_page_asks_for_no_metadata(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    assert _last(page, sid)["described"] is False
    assert _asked(service) == 0


def test_the_page_is_shown_while_twilio_says_nothing_of_locations(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.fail(status=None, delay=2.5, path="ChannelMetadata$")
    for _ in range(3):
        service.standin.inbound(ANN, OURS, None, metadata=PLACE)
    service.settle(timeout=30)
    shown = page.get(f"conversations/{sid}/messages").json()["messages"]
    assert [one["body"] for one in shown[1:]] == [
        "(a message that cannot be shown here)"
    ] * 3
    service.standin.heal()
    assert _last(page, sid)["body"] == "(location)"


def test_a_template_that_was_sent_without_words_says_so(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    types = {"twilio/media": {"media": ["https://example.com/a.png"]}}
    picture = service.standin.add_content("picture", types=types)
    twilio.at(Place(None, sid)).messages.create(author=ALICE, content_sid=picture)
    assert (_last(page, sid)["body"], _last(page, sid)["described"]) == (
        "(template)",
        True,
    )


def test_a_code_without_a_sentence_comes_with_a_link(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    for code, link in (
        (12345, "https://www.twilio.com/docs/api/errors/12345"),
        (30003, None),
    ):
        service.standin.refuse_delivery(ANN, code)
        page.post(
            f"conversations/{sid}/messages", {"token": f"token-{code}", "body": "Hi"}
        )
        service.settle()
        delivery = _last(page, sid)["delivery"]
        assert (delivery["link"], delivery["again"]) == (link, True)


def test_a_message_that_arrives_after_all_is_counted_no_more(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.refuse_delivery(ANN, 30003)
    page.post(f"conversations/{sid}/messages", {"token": "token-0001", "body": "Hi"})
    service.settle()
    assert page.state()["conversations"][0]["undelivered"] == 1
    service.standin.deliver(sid, _last(page, sid)["sid"], "delivered")
    service.settle()
    assert page.state()["conversations"][0]["undelivered"] == 0
    assert _last(page, sid)["delivery"] == {"state": "delivered", "reason": None}


def test_one_of_several_who_missed_it_is_counted_and_nobody_gets_it_twice(
    service: Service, open_as: Open
) -> None:
    page = open_as(ALICE, status="Available", display_name="Alice")
    service.settle()
    service.standin.set_autocreate(GROUP_OURS)
    sid = str(
        service.standin.inbound_group(
            GROUP_ANN, [GROUP_OURS, BEN], "Hello both"
        ).conversation_sid
    )
    service.settle()
    assert page.state()["conversations"][0]["sid"] == sid
    service.standin.refuse_delivery(BEN, 30003)
    assert (
        page.post(
            f"conversations/{sid}/messages", {"token": "token-0001", "body": "Hi"}
        ).status_code
        == 201
    )
    service.settle()
    delivery = _last(page, sid)["delivery"]
    assert (
        delivery["reason"]
        == "1 of 2 did not get it. The phone is switched off or out of reach."
    )
    assert (delivery["state"], delivery["again"]) == ("undelivered", False)
    service.standin.refuse_delivery(GROUP_ANN, 30003)
    page.post(f"conversations/{sid}/messages", {"token": "token-0002", "body": "Hi"})
    service.settle()
    delivery = _last(page, sid)["delivery"]
    assert (delivery["reason"], delivery["again"]) == (
        "The phone is switched off or out of reach.",
        True,
    )


def _file(kind: str) -> dict[str, Any]:
    data = base64.b64encode(b"content").decode()
    return {
        "token": "token-0001",
        "media": {"type": kind, "name": "file", "data": data},
    }


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("audio/ogg; codecs=opus", "audio/ogg"),
        ("Audio/OGG;codecs=opus", "audio/ogg"),
        ("image/jpg", "image/jpeg"),
        ("audio/mp4", "audio/mp4"),
        ("audio/x-m4a", "audio/mp4"),
        ("text/x-vcard", "text/vcard"),
        ("text/vcard; charset=utf-8", "text/vcard"),
    ],
)
def test_a_file_is_sent_under_the_type_that_twilio_knows(
    service: Service, with_ann: tuple[Page, str], typed: str, kind: str
) -> None:
    page, sid = with_ann
    assert page.post(f"conversations/{sid}/messages", _file(typed)).status_code == 201
    (file,) = _last(page, sid)["media"]
    assert file["type"] == kind
    for channel in ("sms", "whatsapp"):
        assert channels.why_not_file(channel, channels.kind_of(typed)) is None


@pytest.mark.parametrize("kind", ["image/heic", "image/heif", "image/HEIC; x=1"])
def test_a_picture_that_only_phones_know_says_what_to_do(
    with_ann: tuple[Page, str], kind: str
) -> None:
    page, sid = with_ann
    answer = page.post(f"conversations/{sid}/messages", _file(kind))
    assert answer.status_code == 409
    assert "Save it as JPEG and send it again." in told(answer)
