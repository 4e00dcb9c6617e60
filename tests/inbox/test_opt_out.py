"""What a worker can still do for a customer who has opted out: read, and wait for START."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore import Client

from providers import clock, opt_outs
from tests.core import forms, records
from tests.core.records import conversation
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, Page
from tests.inbox.test_sending import HELLO, MESSAGES, send, sent
from tests.service import Service

BEGIN = {
    "customer": "ann",
    "channel": "sms",
    "address": ANN,
    "body": "Hi",
    "token": "token-0001",
}
REASON = "The customer opted out of messages on "


def write(service: Service, body: str, ours: str = OURS) -> None:
    service.standin.set_autocreate(ours)
    service.standin.inbound(ANN, ours, body)
    service.settle()


def shown(page: Page, sid: str) -> dict[str, Any]:
    return next(one for one in page.state()["conversations"] if one["sid"] == sid)


def test_the_composer_refuses_and_says_since_when(
    service: Service, db: Client, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    assert "opted_out" not in shown(page, sid)
    write(service, "STOP")
    since = conversation(db, sid)["opted_out_at"]
    listed = page.get(f"conversations/{sid}/messages").json()
    assert listed["write"].startswith(REASON + f"{since:%d %B %Y}")
    assert listed["opted_out"] == shown(page, sid)["opted_out"] == since.isoformat()
    refused = send(page, sid)
    assert (refused.status_code, refused.json()["error"]) == (409, listed["write"])
    template = {"token": "token-0002", "template": "hello"}
    assert send(page, sid, template).status_code == 409
    assert sent(service, sid) == []
    write(service, "START")
    assert page.get(f"conversations/{sid}/messages").json()["write"] is None
    assert send(page, sid).status_code == 201


def test_a_stop_to_another_number_of_ours_counts_too(
    service: Service, db: Client, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    write(service, "STOP", "+15550008888")
    assert send(page, sid).status_code == 409
    assert shown(page, sid)["opted_out"]


def test_twilios_refusal_at_once_opts_out(
    service: Service, db: Client, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.fail(status=400, code=21610, path=MESSAGES, method="POST", times=1)
    assert send(page, sid).status_code == 409
    assert opt_outs.load(ANN).since is not None
    assert (
        send(page, sid, HELLO | {"token": "token-0003"})
        .json()["error"]
        .startswith(REASON)
    )


def test_a_message_that_failed_with_21610_says_why_and_cannot_be_sent_again(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.refuse_delivery(ANN, 21610)
    send(page, sid)
    service.settle()
    told_of = page.get(f"conversations/{sid}/messages").json()["messages"][-1][
        "delivery"
    ]
    assert (told_of["state"], "STOP" in told_of["reason"]) == ("undelivered", True)
    assert send(page, sid, HELLO | {"token": "token-0003"}).status_code == 409


@pytest.mark.parametrize("has_a_copy", [True, False])
def test_nobody_writes_first_to_an_address_that_opted_out(
    service: Service,
    db: Client,
    open_as: Open,
    has_a_copy: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From no number: the worker's own is another one than that which the customer stopped."""
    monkeypatch.setenv("TWILIO_SMS_NUMBER", "+15550008888")
    write(service, "STOP")
    for one in db.collection("customers").stream():
        one.reference.delete()
    service.settle()
    records.customer(db, "ann", addresses=[ANN])
    service.settle()
    assert ANN in records.read(db, "customers", "ann")["opted_out"]
    if not has_a_copy:
        service.triggers.behave(service.project, "customer_written", drop=1.0)
        records.customer(db, "ann", addresses=[ANN])
    page = open_as(ALICE)
    refused = page.post("conversations", BEGIN)
    assert refused.status_code == 403
    assert refused.json()["error"].startswith(REASON)
    assert not [
        one
        for one in service.standin.conversations()
        if len(service.standin.participants(one["sid"])) > 1
    ]
    whatsapp = BEGIN | {
        "channel": "whatsapp",
        "address": f"whatsapp:{ANN}",
        "token": "token-0009",
    }
    assert "opted out" not in page.post("conversations", whatsapp).text


def test_frontline_gets_no_number_for_it(service: Service, db: Client) -> None:
    records.customer(db, "ann", addresses=[ANN], opted_out={ANN: clock.now()})
    wanted = {
        "Location": "GetProxyAddress",
        "Worker": ALICE,
        "CustomerId": "ann",
        "ChannelType": "sms",
        "ChannelValue": ANN,
    }
    answer = service.post("outgoing_conversation", wanted)
    assert answer.status_code == 403
    assert REASON in answer.text
    assert forms.PROXY not in answer.text
