"""A long thread and a long list: everything can be reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from providers import conversations, twilio
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, BOB, Page
from tests.service import Service


def calls(service: Service) -> int:
    """Return how often Twilio was asked for messages."""
    return sum(
        one["method"] == "GET" and one["path"].endswith("/Messages")
        for one in service.standin.requests
    )


def test_more_than_a_thousand_messages_are_read_by_twilios_page_token(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, sid = with_ann
    conversation = conversations.load(sid)
    for number in range(1300):
        twilio.at(conversation).messages.create(author=ANN, body=f"Message {number}")
    path = f"conversations/{sid}/messages"
    answer = page.get(path).json()
    indexes = [one["index"] for one in answer["messages"]]
    before = calls(service)
    while answer["more"]:
        answer = page.get(
            f"{path}?before={min(indexes)}&page={quote(answer['page'])}"
        ).json()
        indexes += [one["index"] for one in answer["messages"]]
    assert sorted(indexes) == list(range(1301))
    assert calls(service) - before == 26
    oldest = page.get(f"{path}?before=40").json()
    assert [one["index"] for one in oldest["messages"]] == list(range(40))


def test_all_conversations_are_listed(service: Service, open_as: Open) -> None:
    page = open_as(ALICE)
    now = datetime.now(UTC)
    for number in range(230):
        service.db.document(f"conversations/CH{number:032x}").set(
            {
                "state": "assigned",
                "worker": ALICE,
                "address": f"+4477009{number:05}",
                "awaiting_since": now - timedelta(minutes=number),
            }
        )
    listed = {one["sid"] for one in page.state()["conversations"]}
    assert len(listed) == 230


def test_unread_is_the_assigned_workers_whoever_else_looks(
    service: Service, open_as: Open
) -> None:
    bob = open_as(BOB, status="Available", display_name="Bob")
    alice = open_as(ALICE)
    service.settle()
    service.standin.set_autocreate(OURS)
    sid = str(service.standin.inbound(ANN, OURS, "Hello").conversation_sid)
    service.settle()
    service.standin.worker_join(sid, ALICE)
    service.settle()
    assert alice.post(f"conversations/{sid}/read", {"index": 0}).status_code == 200
    assert bob.state()["conversations"][0]["unread"] == 1
    assert bob.post(f"conversations/{sid}/read", {"index": 0}).status_code == 200
    assert bob.state()["conversations"][0]["unread"] == 0
