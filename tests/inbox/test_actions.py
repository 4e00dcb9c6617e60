"""What a worker does with a tap, and what the customer's card and the lists hold."""

from __future__ import annotations

import pytest

from functions.http import cache
from tests.core.forms import sid
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, BOB, CAROL, Page, told
from tests.service import Service


def record_of(service: Service, conversation: str) -> dict[str, object]:
    return service.db.document(f"conversations/{conversation}").get().to_dict() or {}


def test_a_status_is_the_workers_word_and_brings_the_next_conversation(
    service: Service, open_as: Open
) -> None:
    page = open_as(ALICE, status="Unavailable")
    service.standin.set_autocreate(OURS)
    service.standin.inbound(ANN, OURS, "Hello")
    service.settle()
    assert page.state()["conversations"] == []
    assert page.post("status", {"status": "Available"}).json() == {
        "status": "Available"
    }
    service.settle()
    assert [one["address"] for one in page.state()["conversations"]] == [ANN]
    assert page.post("status", {"status": "Unavailable"}).status_code == 200
    assert page.state()["me"]["status"] == "Unavailable"


@pytest.mark.parametrize("status", ["available", "Busy", "", None, 1, ["Available"]])
def test_no_other_word_is_a_status(open_as: Open, status: object) -> None:
    assert open_as(ALICE).post("status", {"status": status}).status_code == 400


def test_what_was_read_is_unread_no_more_and_what_came_since_stays_so(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, conversation = with_ann
    service.standin.inbound(ANN, OURS, "And another thing")
    service.settle()
    assert record_of(service, conversation)["unread"] == 2
    assert (
        page.post(f"conversations/{conversation}/read", {"index": 0}).status_code == 200
    )
    assert record_of(service, conversation)["unread"] == 1
    for index in (1, 0, 1):  # an older one that comes late takes nothing back
        page.post(f"conversations/{conversation}/read", {"index": index})
    assert record_of(service, conversation)["unread"] == 0
    (alice,) = [
        one
        for one in service.standin.participants(conversation)
        if one["identity"] == ALICE
    ]
    assert alice["last_read_message_index"] == 1


def test_reading_is_noted_also_where_twilio_does_not_take_it(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, conversation = with_ann
    service.standin.fail(status=503, path=r"/Participants/MB\w+$")
    assert (
        page.post(f"conversations/{conversation}/read", {"index": 0}).status_code == 200
    )
    assert record_of(service, conversation)["unread"] == 0


def test_it_is_handed_to_a_named_worker_who_closes_it(
    service: Service, with_ann: tuple[Page, str], open_as: Open
) -> None:
    page, conversation = with_ann
    bob = open_as(BOB, status="Unavailable", display_name="Bob")
    cache.drop(("workers",))
    listed = page.get(f"conversations/{conversation}/workers").json()["workers"]
    assert listed == [{"identity": BOB, "name": "Bob", "status": "Unavailable"}]
    answer = page.post(
        f"conversations/{conversation}/hand-over", {"to": "worker", "worker": BOB}
    )
    assert (answer.status_code, answer.json()) == (200, {})
    service.settle()
    assert page.state()["conversations"] == []
    assert page.get(f"conversations/{conversation}/messages").status_code == 404
    assert [one["why"] for one in bob.state()["conversations"]] == [
        f"to Bob: {ALICE} handed it over"
    ]
    assert bob.post(f"conversations/{conversation}/close").status_code == 200
    service.settle()
    assert (
        record_of(service, conversation)["state"],
        bob.state()["conversations"],
    ) == ("closed", [])
    assert service.standin.conversation(conversation)["state"] == "closed"  # type: ignore[index] # it is there
    assert (
        bob.post(f"conversations/{conversation}/close").status_code == 200
    )  # a second tap
    late = bob.post(f"conversations/{conversation}/hand-over", {"to": "queue"})
    assert (late.status_code, told(late) != "") == (409, True)


def test_it_goes_back_to_the_queue_or_to_another_pool(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, conversation = with_ann
    service.db.document("pools/sales").set({"display_name": "Sales"})
    answer = page.post(
        f"conversations/{conversation}/hand-over", {"to": "pool", "pool": "sales"}
    )
    assert answer.status_code == 200
    service.settle()
    record = record_of(service, conversation)
    assert (record["state"], record["pool"], record["worker"]) == (
        "queued",
        "sales",
        None,
    )


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"to": "worker", "worker": "nobody@example.com"}, 409),
        ({"to": "worker"}, 400),
        ({"to": "worker", "worker": "a/b"}, 400),
        ({"to": "pool"}, 400),
        ({"to": "pool", "pool": "a/b"}, 400),
        ({"to": "pool", "pool": "__x__"}, 400),
        ({"to": "pool", "pool": "nowhere"}, 409),
        ({"to": "the moon"}, 400),
        ({}, 400),
    ],
)
def test_what_cannot_be_handed_over_stays_and_says_why(
    service: Service, with_ann: tuple[Page, str], wanted: dict[str, str], status: int
) -> None:
    page, conversation = with_ann
    answer = page.post(f"conversations/{conversation}/hand-over", wanted)
    assert (answer.status_code, told(answer) != "") == (status, True), answer.text
    service.settle()
    assert record_of(service, conversation)["worker"] == ALICE


def test_the_card_says_who_the_customer_is(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, conversation = with_ann
    customer = str(record_of(service, conversation)["customer_id"])
    card = page.get(f"conversations/{conversation}/customer").json()
    assert (card["name"], card["addresses"], card["earlier"]) == (ANN, [ANN], [])
    service.db.document(f"customers/{customer}").update(
        {
            "display_name": "Ann",
            "details": {
                "title": "Since 2019",
                "content": "Prefers the morning.",
                "secret": 1,
            },
            "links": [
                {
                    "type": "Website",
                    "value": "https://example.com/ann",
                    "display_name": "Hers",
                },
                {"type": "Website", "value": "javascript:alert(1)"},
            ],
        }
    )
    page.post(f"conversations/{conversation}/close")
    service.settle()
    later = str(service.standin.inbound(ANN, OURS, "Me again").conversation_sid)
    service.settle()
    card = page.get(f"conversations/{later}/customer").json()
    assert card["details"] == {"title": "Since 2019", "content": "Prefers the morning."}
    assert card["links"] == [
        {"type": "Website", "value": "https://example.com/ann", "display_name": "Hers"}
    ]
    assert [(one["sid"], one["state"], one["worker"]) for one in card["earlier"]] == [
        (conversation, "closed", ALICE)
    ]


def test_a_worker_writes_first(
    service: Service, open_as: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_as(ALICE, display_name="Alice")
    monkeypatch.setenv("TWILIO_SMS_NUMBER", OURS)
    service.db.document("customers/ann").set(
        {"display_name": "Ann", "addresses": [ANN], "worker": ALICE}
    )
    service.settle()
    assert page.post("customers", {"query": "an"}).json()["customers"] == [
        {"id": "ann", "name": "Ann", "addresses": [ANN]}
    ]
    in_the_address = page.get(
        "customers?query=an"
    )  # which Cloud Run's own log would keep
    assert (in_the_address.status_code, told(in_the_address)) == (405, "Use POST.")
    wanted = {
        "customer": "ann",
        "channel": "sms",
        "address": ANN,
        "body": "Good news",
        "token": "token-0001",
    }
    first, again = (
        page.post("conversations", wanted),
        page.post("conversations", wanted),
    )
    assert (first.status_code, again.status_code, first.json() == again.json()) == (
        201,
        200,
        True,
    )
    service.settle()
    conversation = first.json()["sid"]
    (shown,) = page.state()["conversations"]
    assert (shown["sid"], shown["name"], shown["state"], shown["why"]) == (
        conversation,
        "Ann",
        "assigned",
        "to Alice: they wrote first",
    )
    assert [one["body"] for one in service.standin.messages(conversation)] == [
        "Good news"
    ]
    people = service.standin.participants(conversation)
    assert {one["identity"] for one in people} == {ALICE, None}
    service.standin.inbound(ANN, OURS, "Thank you")
    service.settle()
    assert page.state()["conversations"][0]["unread"] == 1


@pytest.mark.parametrize(
    ("customer", "change", "status", "sentence"),
    [
        ({"do_not_contact": True}, {}, 403, "may not be written to"),
        ({"worker": CAROL}, {}, 403, "another worker"),
        ({}, {"address": "+447700900099"}, 403, "not an address"),
        ({}, {"address": "home"}, 400, "phone number"),
        ({}, {"channel": "whatsapp", "address": ANN}, 403, "no number for whatsapp"),
        ({}, {"customer": "nobody"}, 404, "Customer not found"),
        ({}, {"customer": "a/b"}, 404, "Customer not found"),
        ({}, {"body": ""}, 400, "body"),
        ({}, {"body": "x" * 1601}, 413, "1600"),
    ],
)
def test_who_may_not_be_written_to_is_not(
    service: Service,
    open_as: Open,
    monkeypatch: pytest.MonkeyPatch,
    customer: dict[str, object],
    change: dict[str, str],
    status: int,
    sentence: str,
) -> None:
    page = open_as(ALICE)
    monkeypatch.setenv("TWILIO_SMS_NUMBER", OURS)
    service.db.document("customers/ann").set(
        {"display_name": "Ann", "addresses": [ANN], "worker": ALICE} | customer
    )
    wanted = {
        "customer": "ann",
        "channel": "sms",
        "address": ANN,
        "body": "Hi",
        "token": "token-0001",
    } | change
    answer = page.post("conversations", wanted)
    assert (answer.status_code, sentence in told(answer)) == (status, True), answer.text
    assert service.standin.conversations() == []


def test_whoever_is_in_a_conversation_already_is_not_begun_with_again(
    service: Service,
    with_ann: tuple[Page, str],
    open_as: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, conversation = with_ann
    monkeypatch.setenv("TWILIO_SMS_NUMBER", OURS)
    customer = str(record_of(service, conversation)["customer_id"])
    wanted = {
        "customer": customer,
        "channel": "sms",
        "address": ANN,
        "body": "Hi",
        "token": "token-0001",
    }
    refused = open_as(BOB).post("conversations", wanted)
    assert (refused.status_code, ALICE in told(refused)) == (409, True)
    mine = page.post("conversations", wanted)
    assert (mine.status_code, mine.json()["sid"]) == (200, conversation)
    assert [one["body"] for one in service.standin.messages(conversation)] == [
        "Hello",
        "Hi",
    ]


def test_one_that_only_twilio_knows_is_not_taken_over(
    service: Service, open_as: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_as(ALICE)
    monkeypatch.setenv("TWILIO_SMS_NUMBER", OURS)
    service.db.document("customers/ann").set(
        {"display_name": "Ann", "addresses": [ANN]}
    )
    service.standin.set_autocreate(OURS)
    service.standin.webhook_trouble(lose=1.0)
    service.standin.inbound(ANN, OURS, "Hello")
    wanted = {
        "customer": "ann",
        "channel": "sms",
        "address": ANN,
        "body": "Hi",
        "token": "token-0001",
    }
    answer = page.post("conversations", wanted)
    assert (answer.status_code, "another conversation" in told(answer)) == (
        409,
        True,
    ), answer.text
    assert page.state()["conversations"] == []
    assert (
        len(
            [one for one in service.standin.conversations() if one["state"] == "active"]
        )
        == 1
    )


def test_a_conversation_that_is_nobodys_has_no_card(open_as: Open) -> None:
    assert open_as(ALICE).get(f"conversations/{sid()}/customer").status_code == 404
