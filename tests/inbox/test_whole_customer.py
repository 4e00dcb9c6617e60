"""The customer's earlier conversations, notes, a word at a hand-over, and the search."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.core.forms import sid as new_sid
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, BOB, CAROL, Page
from tests.service import Service

START = datetime(2025, 11, 29, 12, tzinfo=UTC)


def _record(service: Service, sid: str) -> dict[str, Any]:
    return service.db.document(f"conversations/{sid}").get().to_dict() or {}


@pytest.fixture
def second(
    service: Service, with_ann: tuple[Page, str], open_as: Open
) -> tuple[Page, str, str]:
    """Bob's page, Ann's conversation with him, and the one that she had with Alice before."""
    alice, first = with_ann
    assert alice.post(f"conversations/{first}/close").status_code == 200
    service.settle()
    alice.post("status", {"status": "Unavailable"})
    bob = open_as(BOB, status="Available", display_name="Bob")
    service.settle()
    sid = service.standin.inbound(ANN, OURS, "It is me again").conversation_sid
    assert sid is not None
    service.settle()
    assert _record(service, sid)["worker"] == BOB
    return bob, sid, first


def test_earlier_conversations_are_listed_and_readable(
    second: tuple[Page, str, str],
) -> None:
    bob, sid, first = second
    answer = bob.get(f"conversations/{sid}/earlier").json()
    (earlier,) = answer["conversations"]
    assert (earlier["sid"], earlier["with"], answer["next"]) == (first, "Alice", None)
    messages = bob.get(f"conversations/{first}/messages").json()
    assert [message["body"] for message in messages["messages"]] == ["Hello"]
    assert messages["write"] is not None


def test_an_earlier_conversation_cannot_be_changed(
    second: tuple[Page, str, str],
) -> None:
    bob, _, first = second
    refused = {
        "messages": {"token": "token-0001", "body": "Hello"},
        "read": {"index": 0},
        "notes": {"text": "A note"},
        "hand-over": {"to": "queue"},
        "close": {},
    }
    for action, body in refused.items():
        assert bob.post(f"conversations/{first}/{action}", body).status_code == 404


def test_history_own_hides_conversations_of_other_workers(
    service: Service, second: tuple[Page, str, str]
) -> None:
    bob, sid, first = second
    service.db.document("settings/routing").set({"history": "own"}, merge=True)
    assert bob.get(f"conversations/{sid}/earlier").json()["conversations"] == []
    assert bob.get(f"conversations/{first}/messages").status_code == 404
    media = f"conversations/{first}/media/ME{'0' * 32}"
    assert bob.get(media).json()["error"] == "Conversation not found."
    service.db.document(f"conversations/{first}").update({"others": [BOB]})
    assert bob.get(f"conversations/{first}/messages").status_code == 200


def test_history_ends_with_the_open_conversation(
    service: Service, second: tuple[Page, str, str], open_as: Open
) -> None:
    bob, sid, first = second
    carol = open_as(CAROL)
    assert carol.get(f"conversations/{first}/messages").status_code == 404
    assert bob.post(f"conversations/{sid}/close").status_code == 200
    service.settle()
    assert bob.get(f"conversations/{first}/messages").status_code == 404


def test_an_open_conversation_of_a_colleague_is_not_history(
    service: Service, second: tuple[Page, str, str]
) -> None:
    bob, sid, first = second
    service.db.document(f"conversations/{first}").update({"state": "inactive"})
    assert bob.get(f"conversations/{first}/messages").status_code == 404
    assert bob.get(f"conversations/{sid}/earlier").json()["conversations"] == []


def test_earlier_conversations_come_ten_at_a_time(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    alice, sid = with_ann
    record = _record(service, sid)
    for number in range(23):
        fields = {
            "state": "closed",
            "customer_id": record["customer_id"],
            "address": ANN,
            "worker": ALICE,
            "created_at": START + timedelta(days=number),
        }
        service.db.document(f"conversations/{new_sid()}").set(fields)
    sizes, times, query = [], [], ""
    while True:
        answer = alice.get(f"conversations/{sid}/earlier{query}").json()
        sizes.append(len(answer["conversations"]))
        times += [earlier["at"] for earlier in answer["conversations"]]
        if answer["next"] is None:
            break
        query = f"?before={answer['next']}"
    assert sizes == [10, 10, 3]
    assert times == sorted(times, reverse=True)


def test_notes_are_kept_once_newest_first_and_bounded(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    alice, sid = with_ann
    path = f"customers/{_record(service, sid)['customer_id']}"
    customer = service.db.document(path)
    old = [
        {"at": START + timedelta(minutes=n), "by": BOB, "text": f"Note {n}"}
        for n in range(60)
    ]
    customer.update({"notes": old})
    for _ in range(2):  # the first answer may be lost
        answer = alice.post(f"conversations/{sid}/notes", {"text": " Likes tea. "})
        assert answer.status_code == 200
    notes = (customer.get().to_dict() or {})["notes"]
    assert len(notes) == 50
    assert (notes[-1]["text"], notes[-1]["by"]) == ("Likes tea.", ALICE)
    assert notes[-2]["text"] == "Note 59"
    card = alice.get(f"conversations/{sid}/customer").json()
    assert (card["notes"][0]["text"], card["notes"][0]["by"]) == ("Likes tea.", "Alice")
    sent = alice.get(f"conversations/{sid}/messages").json()["messages"]
    assert [message["body"] for message in sent] == ["Hello"]


@pytest.mark.parametrize("typed", [7, "text", [1], [{"at": 5}, None], {"a": 1}])
def test_invalid_notes_typed_in_the_console_do_no_harm(
    service: Service, with_ann: tuple[Page, str], typed: object
) -> None:
    alice, sid = with_ann
    path = f"customers/{_record(service, sid)['customer_id']}"
    service.db.document(path).update({"notes": typed})
    assert alice.get(f"conversations/{sid}/customer").json()["notes"] == []
    answer = alice.post(f"conversations/{sid}/notes", {"text": "Likes tea."})
    assert [note["text"] for note in answer.json()["notes"]] == ["Likes tea."]


@pytest.mark.parametrize("by", ["a/b", "..", "__x__", "x" * 2000, "  "])
def test_a_note_by_an_invalid_name_does_no_harm(
    service: Service, with_ann: tuple[Page, str], by: str
) -> None:
    alice, sid = with_ann
    path = f"customers/{_record(service, sid)['customer_id']}"
    note = {"at": START, "by": by, "text": "Typed"}
    service.db.document(path).update({"notes": [note]})
    assert alice.get(f"conversations/{sid}/customer").status_code == 200


@pytest.mark.parametrize("to", ["worker", "queue"])
def test_a_word_at_the_hand_over_reaches_the_next_worker(
    service: Service, with_ann: tuple[Page, str], open_as: Open, to: str
) -> None:
    alice, sid = with_ann
    bob = open_as(BOB, status="Available", display_name="Bob")
    service.settle()
    body = {"to": to, "word": "Prefers mornings.", "worker": BOB}
    assert alice.post(f"conversations/{sid}/hand-over", body).status_code == 200
    service.settle()
    (shown,) = bob.get("state").json()["conversations"]
    assert (shown["word"]["text"], shown["word"]["by"]) == (
        "Prefers mornings.",
        "Alice",
    )
    lines = [line for line in _record(service, sid)["log"] if line["what"] == "word"]
    assert [(line["by"], line["why"]) for line in lines] == [
        (ALICE, "Prefers mornings.")
    ]
    assert alice.get("state").json()["conversations"] == []
    from domain.conversation import parse
    from functions.conversation_written import notifications

    now = parse(sid, _record(service, sid), "version")
    pushed = notifications.content(now, "yours", with_text=True)
    assert pushed["body"] == "Prefers mornings."
    without_text = notifications.content(now, "yours", with_text=False)
    assert "mornings" not in str(without_text)


def test_a_word_is_limited(with_ann: tuple[Page, str]) -> None:
    alice, sid = with_ann
    body = {"to": "queue", "word": "x" * 501}
    assert alice.post(f"conversations/{sid}/hand-over", body).status_code == 400


@pytest.mark.parametrize(
    "query",
    ["ann o", "07700 900001", "+44 (0)7700 900001", "0044 7700 900001", "900001"],
)
def test_search_finds_names_and_numbers(
    service: Service, with_ann: tuple[Page, str], query: str
) -> None:
    alice, sid = with_ann
    service.db.document(f"conversations/{sid}").update({"display_name": "Ann O'Hara"})
    assert [
        one["sid"]
        for one in alice.post("search", {"query": query}).json()["conversations"]
    ] == [sid]
    assert alice.post("search", {"query": "Zoe"}).json()["conversations"] == []


def test_search_finds_own_customers_only(service: Service, open_as: Open) -> None:
    alice = open_as(ALICE)
    for name, worker in (("ben", ALICE), ("bea", BOB)):
        fields = {
            "display_name": name,
            "addresses": ["+447700900002"],
            "worker": worker,
        }
        service.db.document(f"customers/{name}").set(fields)
    service.settle()
    answer = alice.post("search", {"query": "07700 900002"}).json()
    assert [customer["id"] for customer in answer["customers"]] == ["ben"]


def test_a_conversation_can_be_marked_unread(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    alice, sid = with_ann
    alice.post(f"conversations/{sid}/read", {"index": 0})
    assert alice.get("state").json()["conversations"][0]["unread"] == 0
    assert alice.post(f"conversations/{sid}/unread").status_code == 200
    assert alice.get("state").json()["conversations"][0]["unread"] == 1
    alice.post(f"conversations/{sid}/read", {"index": 0})
    assert alice.get("state").json()["conversations"][0]["unread"] == 0
