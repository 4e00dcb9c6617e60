"""A token of the page stands for one address and one text."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, Page, told
from tests.service import Service

SECOND = "+447700900077"
FIRST_TEXT: dict[str, Any] = {
    "customer": "ann",
    "channel": "sms",
    "address": ANN,
    "body": "Your parcel is here.",
    "token": "token-of-a-beginning",
}


@pytest.fixture
def page(service: Service, open_as: Open, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Alice's page; her customer Ann has two numbers."""
    monkeypatch.setenv("TWILIO_SMS_NUMBER", OURS)
    opened = open_as(ALICE, display_name="Alice")
    record = {"display_name": "Ann", "addresses": [ANN, SECOND], "worker": ALICE}
    service.db.document("customers/ann").set(record)
    service.settle()
    return opened


def numbers(service: Service) -> list[list[str]]:
    """Return the customers' numbers in each conversation at Twilio."""
    return [
        [
            one["messaging_binding"]["address"]
            for one in service.standin.participants(conversation["sid"])
            if one["messaging_binding"]
        ]
        for conversation in service.standin.conversations()
    ]


def test_another_number_under_the_same_token_is_refused(
    service: Service, page: Page
) -> None:
    service.standin.fail(429, 20429, times=1, method="POST", path="Messages")
    assert page.post("conversations", FIRST_TEXT).status_code == 503
    changed = FIRST_TEXT | {"address": SECOND}
    answer = page.post("conversations", changed)
    assert answer.status_code == 409
    assert "another number or text" in told(answer)
    renewed = page.post("conversations", changed | {"token": "a-second-token"})
    assert renewed.status_code == 201
    assert sorted(numbers(service)) == [[ANN], [SECOND]]
    sid = renewed.json()["sid"]
    assert len(service.standin.messages(sid)) == 1


def test_another_text_under_the_same_token_is_refused(
    service: Service, page: Page
) -> None:
    first = page.post("conversations", FIRST_TEXT)
    assert first.status_code == 201
    answer = page.post("conversations", FIRST_TEXT | {"body": "It is late."})
    assert answer.status_code == 409
    sid = first.json()["sid"]
    written = [one["body"] for one in service.standin.messages(sid)]
    assert written == [FIRST_TEXT["body"]]


def test_a_message_with_another_text_under_the_same_token_is_refused(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    path = f"conversations/{sid}/messages"
    message = {"token": "token-of-one-message", "body": "At noon"}
    assert page.post(path, message).status_code == 201
    assert page.post(path, message).status_code == 200
    answer = page.post(path, message | {"body": "At midnight"})
    assert (answer.status_code, "token" in told(answer)) == (409, True)
