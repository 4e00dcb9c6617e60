"""GET state: what is mine, what it looks like, why there is nothing, and what asking again costs."""

from __future__ import annotations

import pytest

from functions.http import cache
from tests.core.forms import sid
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, BOB, Page
from tests.service import Service


def test_a_conversation_says_who_wrote_what_and_why_it_is_hers(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, conversation = with_ann
    (shown,) = page.state()["conversations"]
    assert shown | {"assigned_at": "", "awaiting_since": "", "last": {}} == {
        "sid": conversation,
        "name": ANN,
        "avatar": None,
        "channel": "sms",
        "address": ANN,
        "state": "assigned",
        "mine": True,
        "last": {},
        "unread": 1,
        "undelivered": 0,
        "awaiting_since": "",
        "assigned_at": "",
        "why": "to Alice: idle for the longest of those Available in default",
    }
    assert (shown["last"]["from"], shown["last"]["text"], shown["last"]["index"]) == (
        "customer",
        "Hello",
        0,
    )
    assert shown["awaiting_since"] and shown["assigned_at"]
    state = page.state()
    assert (
        state["empty"],
        state["waiting"],
        state["push_key"],
        state["push_text"],
    ) == (None, 0, None, True)


def test_what_has_not_changed_is_not_sent_again(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, _ = with_ann
    tag = page.get("state").headers["ETag"]
    again = page.get("state", If_None_Match=tag)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    service.standin.inbound(ANN, OURS, "Are you there?")
    service.settle()
    changed = page.get("state", If_None_Match=tag)
    assert (changed.status_code, changed.json()["conversations"][0]["unread"]) == (
        200,
        2,
    )


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (
            {"status": "Unavailable"},
            "You are Unavailable. Switch to Available to get conversations.",
        ),
        ({"status": "Available"}, "No customers are waiting."),
        ({"status": "Available", "pools": []}, "You aren't in a pool yet"),
        ({"status": "available"}, "You are Unavailable"),
    ],
)
def test_an_empty_list_says_why(
    open_as: Open, record: dict[str, object], sentence: str
) -> None:
    state = open_as(ALICE, **{"pools": ["default"]} | record).state()
    assert (state["conversations"], state["empty"].startswith(sentence)) == (
        [],
        True,
    ), state["empty"]
    if record["status"] == "available":
        assert "status must be exactly" in state["me"]["note"]


def test_who_waits_in_her_pools_is_counted(service: Service, open_as: Open) -> None:
    page = open_as(ALICE, status="Unavailable", pools=["default"])
    service.standin.set_autocreate(OURS)
    service.standin.inbound(ANN, OURS, "Hello")
    service.settle()
    cache.drop(("waiting", ("default",)))  # it is counted anew every few seconds
    state = page.state()
    assert (state["waiting"], state["empty"]) == (
        1,
        "You are Unavailable. Switch to Available to get conversations.",
    )


def test_the_newest_is_first_and_what_is_asleep_or_over_is_told_apart(
    service: Service, with_ann: tuple[Page, str]
) -> None:
    page, first = with_ann
    second = str(service.standin.inbound("+447700900002", OURS, "Hi").conversation_sid)
    service.settle()
    assert [one["sid"] for one in page.state()["conversations"]] == [second, first]
    service.standin.inbound(ANN, OURS, "Once more")
    service.settle()
    assert [one["sid"] for one in page.state()["conversations"]] == [first, second]
    service.standin.set_state(first, "inactive")
    service.settle()
    assert [(one["sid"], one["state"]) for one in page.state()["conversations"]] == [
        (first, "inactive"),
        (second, "assigned"),
    ]
    service.standin.inbound(ANN, OURS, "Awake")
    service.settle()
    assert page.state()["conversations"][0]["state"] == "assigned"
    service.standin.set_state(first, "closed")
    service.settle()
    assert [one["sid"] for one in page.state()["conversations"]] == [second]


def test_no_value_of_a_record_keeps_the_page_from_being_shown(
    service: Service, open_as: Open
) -> None:
    page = open_as(ALICE, status="Available")
    odd = {
        "worker": ALICE,
        "state": "assigned",
        "last_message": 5,
        "unread": -3,
        "awaiting_since": "soon",
        "log": 1,
    }
    service.db.document(f"conversations/{sid()}").set(odd)
    service.db.document(f"conversations/{sid()}").set(
        {"others": [ALICE], "state": "assigned", "undelivered": [1]}
    )
    service.db.document(f"workers/{ALICE}").update(
        {"devices": 7, "display_name": ["x"]}
    )
    shown = page.state()["conversations"]
    assert sorted(one["mine"] for one in shown) == [False, True]
    assert all((one["unread"], one["last"]) == (0, None) for one in shown)


def test_the_pools_are_named_for_handing_over(service: Service, open_as: Open) -> None:
    page = open_as(BOB)
    service.db.document("pools/sales").set({"display_name": "Sales"})
    cache.drop(("pools",))
    assert {"id": "sales", "name": "Sales"} in page.state()["pools"]
