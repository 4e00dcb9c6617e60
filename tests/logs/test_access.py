"""The access log: who signed in and out, and opened what; and that no line of the inbox names a customer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.inbox.conftest import (  # noqa: F401 - fixtures
    ANN,
    OURS,
    Open,
    browser,
    issuer,
    issuer_server,
    open_as,
    with_ann,
)
from tests.inbox.page import ALICE, BOB, Page
from tests.service import Service

NAME = "Zoe Quimby"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """lines(): what was written since it was called last."""

    def found() -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for line in capsys.readouterr().out.splitlines()
            if line.startswith("{")
        ]

    yield found


def test_each_look_is_one_line_with_the_worker_and_the_sid(
    service: Service,
    with_ann: tuple[Page, str],  # noqa: F811 - the fixture
    lines: Any,
) -> None:
    page, sid = with_ann
    assert page.post(f"conversations/{sid}/messages", _picture()).status_code == 201
    (*_, sent) = page.get(f"conversations/{sid}/messages").json()["messages"]
    (file,) = sent["media"]
    lines()
    looks = {
        f"conversations/{sid}/messages": (
            "opened a conversation",
            {"conversation": sid},
        ),
        f"conversations/{sid}/customer": (
            "opened a customer's card",
            {"conversation": sid},
        ),
        f"conversations/{sid}/media/{file['sid']}": (
            "opened a file",
            {"conversation": sid, "file": file["sid"]},
        ),
    }
    for path, (message, fields) in looks.items():
        assert page.get(path).status_code in (200, 302), path
        assert lines() == [_line(message, **fields)]
    assert page.post("customers", {"query": "+447700900081"}).status_code == 200
    assert lines() == [_line("searched for customers")]
    assert page.post("sign-out").status_code == 200
    assert [line for line in lines() if line.get("function") == "inbox"] == [
        _line("signed out")
    ]
    page.sign_in(ALICE)
    assert _line("signed in") in lines()
    assert page.post("sign-out", {"everywhere": True}).status_code == 200
    assert _line("signed out everywhere") in lines()


def test_a_conversation_that_is_open_is_one_look_and_never_none(
    with_ann: tuple[Page, str],  # noqa: F811 - the fixture
    lines: Any,
) -> None:
    page, sid = with_ann
    lines()
    for _ in range(3):
        page.get(f"conversations/{sid}/messages?after=0")  # as a page that is open
    assert lines() == [_line("opened a conversation", conversation=sid)]
    for _ in range(2):
        page.get(f"conversations/{sid}/messages")
    assert lines() == [_line("opened a conversation", conversation=sid)] * 2


def test_anothers_conversation_is_no_look(
    with_ann: tuple[Page, str],  # noqa: F811 - the fixture
    open_as: Open,  # noqa: F811 - the fixture
    lines: Any,
) -> None:
    _, sid = with_ann
    bob = open_as(BOB)
    lines()
    assert bob.get(f"conversations/{sid}/messages").status_code == 404
    assert [line["severity"] for line in lines()] == ["WARNING"]


def test_a_refusal_names_the_customer_to_the_worker_and_not_in_the_log(
    service: Service,
    open_as: Open,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
    lines: Any,
) -> None:
    page, bob = open_as(ALICE), open_as(BOB, status="Available")
    assert bob.get("state").status_code == 200
    monkeypatch.setenv("TWILIO_SMS_NUMBER", OURS)
    service.db.document("customers/zoe").set(
        {"display_name": NAME, "addresses": [ANN], "worker": ALICE}
    )
    service.db.document("settings/routing").set({"mode": "pool"})
    service.standin.set_autocreate(OURS)
    service.db.document(f"workers/{BOB}").update({"status": "Unavailable"})
    service.settle()
    service.standin.inbound(ANN, OURS, "Hello")
    service.settle()
    lines()
    wanted = {
        "customer": "zoe",
        "channel": "sms",
        "address": ANN,
        "body": "Hi",
        "token": "token-0001",
    }
    refused = [page.post("conversations", wanted)]
    service.db.document(f"workers/{BOB}").update({"status": "Available"})
    service.settle()
    refused.append(page.post("conversations", wanted))
    for answer in refused:
        assert (answer.status_code, NAME in answer.text) == (409, True)
    found = lines()
    assert [
        one
        for one in found
        if "answered 409: The customer has written" in one["message"]
    ]
    assert [one for one in found if "conversation with The customer" in one["message"]]
    assert all(NAME not in json.dumps(one) for one in found)


def _picture() -> dict[str, Any]:
    return {
        "token": "token-0009",
        "media": {"type": "image/png", "name": "x.png", "data": "YQ=="},
    }


def _line(message: str, **fields: str) -> dict[str, Any]:
    return {
        "severity": "INFO",
        "message": message,
        "function": "inbox",
        "worker": ALICE,
        **fields,
    }
