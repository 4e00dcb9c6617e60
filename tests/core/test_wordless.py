"""Messages without words: locations, templates, and what only the customer's app can show."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import wordless
from tests.core import forms, records
from tests.core.test_answers import lose, sweep
from tests.core.test_routing import write
from tests.service import Service

ADA, KIM = "+15550000001", "ann@example.com"
PLACE = {
    "type": "whatsapp",
    "data": {"context": {"Latitude": "52.5", "Longitude": "13.4", "Label": "Office"}},
}
METADATA = "/ChannelMetadata$"


@pytest.fixture
def sid(service: Service, db: Client) -> str:
    records.worker(db, KIM)
    service.settle()
    sid = write(service)
    service.settle()
    service.standin.forget_traffic()
    return sid


def _text(db: Client, sid: str) -> str:
    return str(records.conversation(db, sid)["last_message"]["text"])


def _asked(service: Service) -> int:
    return sum(
        one["path"].endswith("ChannelMetadata") for one in service.standin.requests
    )


def _written(service: Service, **more: Any) -> None:
    service.standin.inbound(ADA, forms.PROXY, None, **more)
    service.settle()


def test_a_location_says_so_after_one_call(
    service: Service, db: Client, sid: str
) -> None:
    _written(service, metadata=PLACE)
    assert (
        _text(db, sid),
        records.conversation(db, sid)["unread"],
        _asked(service),
    ) == ("(location)", 2, 1)


def test_what_the_channel_does_not_explain_cannot_be_shown(
    service: Service, db: Client, sid: str
) -> None:
    _written(service)
    assert (_text(db, sid), _asked(service)) == (
        "(a message that cannot be shown here)",
        1,
    )
    _written(service, metadata={"type": "order"})
    assert _text(db, sid) == "(a message that cannot be shown here)"


@pytest.mark.parametrize(
    "trouble", [{"status": 503}, {"status": None, "delay": 2.5}, {"status": 404}]
)
def test_a_location_is_noted_in_time_whatever_twilio_answers(
    service: Service, db: Client, sid: str, trouble: dict[str, Any]
) -> None:
    service.standin.fail(path=METADATA, **trouble)
    _written(service, metadata=PLACE)
    assert (_text(db, sid), records.conversation(db, sid)["unread"]) == (
        wordless.UNKNOWN,
        2,
    )
    assert {one["status"] for one in service.standin.deliveries} == {200}


def test_a_message_with_words_or_a_file_costs_no_call(
    service: Service, db: Client, sid: str
) -> None:
    service.standin.inbound(ADA, forms.PROXY, "Hello")
    _written(service, media=[{"sid": "ME" + "0" * 32, "content_type": "image/png"}])
    assert (_text(db, sid), _asked(service)) == ("(attachment)", 0)


def test_an_empty_list_of_files_is_no_attachment(
    service: Service, db: Client, sid: str
) -> None:
    for index, media in enumerate(("[]", "null", "{}", " [] "), 1):
        form = forms.message(sid, index, ADA, Body="", Media=media)
        assert service.post("post_event", form).status_code == 200
        assert _text(db, sid) == wordless.UNKNOWN, media
    service.post(
        "post_event", forms.message(sid, 9, ADA, Body="", Media='[{"Sid": "ME1"}]')
    )
    assert _text(db, sid) == "(attachment)"


def test_our_own_template_says_so_and_costs_no_call(
    service: Service, db: Client, sid: str
) -> None:
    service.post("post_event", forms.message(sid, 1, KIM, Body=""))
    assert (_text(db, sid), _asked(service)) == ("(template)", 0)
    service.post("post_event", forms.message(sid, 2, KIM, Body="Your order has left."))
    assert _text(db, sid) == "Your order has left."


def test_a_location_whose_webhook_was_lost_is_found_by_the_sweep(
    service: Service, db: Client, sid: str
) -> None:
    lose(service, "onMessageAdded")
    _written(service, metadata=PLACE)
    sweep(service)
    assert _text(db, sid) == "(location)"
    asked = _asked(service)
    sweep(service)
    assert _asked(service) == asked


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (PLACE, "(location)"),
        ({"latitude": 52.5, "longitude": 0}, "(location)"),
        ({"data": {"MessageType": "location"}}, "(location)"),
        ({"data": json.dumps({"Latitude": "1", "Longitude": "2"})}, "(location)"),
        ([[{"LATITUDE": 1, "LONGITUDE": 2}]], "(location)"),
        ({"latitude": 52.5}, wordless.UNKNOWN),
        ({"latitude": "", "longitude": ""}, wordless.UNKNOWN),
        ({"type": "whatsapp", "data": None}, wordless.UNKNOWN),
        ({"data": "{no json"}, wordless.UNKNOWN),
        (None, wordless.UNKNOWN),
        ("", wordless.UNKNOWN),
        (5, wordless.UNKNOWN),
        ({"a": [[] for _ in range(5000)], "b": "[" * 5000}, wordless.UNKNOWN),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_location_is_known_by_its_coordinates(metadata: object, words: str) -> None:
    assert wordless.of_customer(metadata) == words


@pytest.mark.parametrize(
    ("media", "found"),
    [
        ("[]", False),
        ("", False),
        (None, False),
        ("null", False),
        ('[{"Sid": "ME1"}]', True),
        ("ME1", True),
    ],
)
def test_media_is_a_json_array_that_may_be_empty(
    media: str | None, found: bool
) -> None:
    assert wordless.has_media(media) is found
