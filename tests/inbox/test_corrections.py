"""What people edit or remove at Twilio is corrected in the record, the list and the thread."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inbox.conftest import ANN, OURS
from tests.inbox.page import Page
from tests.service import Service


def record(service: Service, sid: str) -> dict[str, Any]:
    return service.db.document(f"conversations/{sid}").get().to_dict() or {}


def sid_of(service: Service, sid: str, index: int) -> str:
    return str(service.standin.messages(sid)[index]["sid"])


def shown(page: Page) -> dict[str, Any]:
    (conversation,) = page.state()["conversations"]
    return dict(conversation)


def test_an_edited_message_has_its_new_text_everywhere(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    before = shown(page)
    service.standin.edit_message(sid, sid_of(service, sid, 0), "Good evening")
    service.settle()
    assert shown(page)["last"]["text"] == "Good evening"
    assert shown(page).get("corrected") != before.get("corrected")
    thread = page.get(f"conversations/{sid}/messages?after=-1").json()
    assert [one["body"] for one in thread["messages"]] == ["Good evening"]


def test_a_removed_message_is_gone_everywhere(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    service.standin.inbound(ANN, OURS, "A secret")
    service.settle()
    assert shown(page)["unread"] == 2
    service.standin.remove_message(sid, sid_of(service, sid, 1))
    service.settle()
    assert shown(page)["last"]["text"] == "Hello"
    assert shown(page)["unread"] == 1
    assert "A secret" not in str(record(service, sid))
    thread = page.get(f"conversations/{sid}/messages?after=-1").json()
    assert [one["body"] for one in thread["messages"]] == ["Hello"]


def test_a_removed_question_awaits_no_answer(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    assert shown(page)["awaiting_since"]
    service.standin.remove_message(sid, sid_of(service, sid, 0))
    service.settle()
    assert (shown(page)["awaiting_since"], shown(page)["unread"]) == (None, 0)
    assert "Hello" not in str(record(service, sid))


def test_a_removal_that_comes_before_the_message_leaves_nothing_of_it(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    late = {
        "EventType": "onMessageRemoved",
        "ConversationSid": sid,
        "MessageSid": "IM" + "1" * 32,
        "Index": "1",
        "Author": ANN,
        "Body": "A secret",
    }
    for event in ("onMessageRemoved", "onMessageAdded", "onMessageRemoved"):
        answer = service.post("post_event", late | {"EventType": event})
        assert answer.status_code in (200, 204)
    assert shown(page)["last"]["text"] == "Hello"
    assert shown(page)["unread"] == 1


@pytest.mark.parametrize("event", ["onMessageUpdated", "onMessageRemoved"])
def test_a_correction_that_comes_twice_is_written_once(
    service: Service, with_ann: tuple[Page, str], event: str
) -> None:
    _, sid = with_ann
    form = {
        "EventType": event,
        "ConversationSid": sid,
        "MessageSid": sid_of(service, sid, 0),
        "Index": "0",
        "Author": ANN,
        "Body": "Hello",
        "DateUpdated": "2026-01-01T10:00:00.000Z",
    }
    versions = []
    for _ in range(2):
        service.post("post_event", form)
        snapshot = service.db.document(f"conversations/{sid}").get()
        versions.append(snapshot.update_time)
    assert versions[0] == versions[1]
