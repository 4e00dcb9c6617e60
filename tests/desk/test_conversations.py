"""Conversations are found by customer, worker, pool, state and days; a thread is read, exported and written down."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.desk.conftest import MARIA, Desk, OpenDesk
from tests.inbox.page import ALICE
from tests.service import Service

OURS, ADA = "+15550009999", "+447700900001"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVIL = "=HYPERLINK(1)"


def _conversation(service: Service, number: int, **more: Any) -> str:
    sid = f"CH{number:032x}"
    at = NOON + timedelta(minutes=number)
    record = {"state": "closed", "mode": "pool", "pool": "default", "created_at": at}
    service.db.document(f"conversations/{sid}").set(record | more)
    return sid


def _found(desk: Desk, **filters: object) -> list[str]:
    answer = desk.post("conversations", filters)
    assert answer.status_code == 200, answer.text
    return [one["sid"] for one in answer.json()["conversations"]]


@pytest.fixture
def three(service: Service) -> list[str]:
    """Ada's with Alice, a stranger's in sales, and one of the next day; the newest last."""
    service.db.document("settings/routing").set({"time_zone": "Europe/Berlin"})
    alice = {"display_name": "Alice Smith", "pools": []}
    service.db.document(f"workers/{ALICE}").set(alice)
    ada = {"display_name": "Ada Byron", "addresses": [ADA]}
    service.db.document("customers/ada").set(ada)
    service.db.document("pools/sales").set({"display_name": "Sales"})
    sids = [
        _conversation(
            service, 1, customer_id="ada", display_name="Ada Byron", worker=ALICE
        ),
        _conversation(service, 2, pool="sales", display_name=EVIL, state="unrouted"),
        _conversation(service, 3, created_at=NOON + timedelta(days=1)),
    ]
    service.settle()
    return sids


def test_everything_comes_newest_first(open_desk: OpenDesk, three: list[str]) -> None:
    assert _found(open_desk(MARIA)) == three[::-1]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"query": "ada"}, [0]),
        ({"query": "Byron A"}, [0]),
        ({"query": "07700 900001"}, [0]),
        ({"query": "+44 7700 900001"}, [0]),
        ({"query": "alice@example.com"}, [0]),
        ({"query": "smith"}, [0]),
        ({"query": "Nemo"}, []),
        ({"query": "smith", "worker": "maria@example.com"}, []),
        ({"worker": ALICE}, [0]),
        ({"pool": "sales"}, [1]),
        ({"pool": "default", "worker": ALICE}, [0]),
        ({"pool": "sales", "worker": ALICE}, []),
        ({"state": "unrouted"}, [1]),
        ({"since": "2026-11-21"}, [2]),
        ({"until": "2026-11-20"}, [1, 0]),
        ({"query": "ada", "state": "closed", "since": "2026-11-20"}, [0]),
    ],
)
def test_the_filters(
    open_desk: OpenDesk,
    three: list[str],
    filters: dict[str, object],
    found: list[int],
) -> None:
    assert _found(open_desk(MARIA), **filters) == [three[index] for index in found]


def test_pages_follow_each_other_also_within_one_moment(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    sids = [_conversation(service, n, created_at=NOON) for n in range(60)]
    first = desk.post("conversations").json()
    second = desk.post("conversations", {"after": first["next"]}).json()
    shown = [*first["conversations"], *second["conversations"]]
    assert [one["sid"] for one in shown] == sorted(sids, reverse=True)
    assert second["next"] is None
    for wrong in ("yesterday", "2026-11-20T12:00:00 CH1", "2026-11-20T12:00:00+00:00"):
        answer = desk.post("conversations", {"after": wrong})
        assert answer.status_code == 400, wrong


def test_the_export_holds_no_formula(
    service: Service, open_desk: OpenDesk, three: list[str]
) -> None:
    answer = open_desk(MARIA).post("conversations/export").json()
    header, *rows = csv.reader(answer["csv"].splitlines())
    assert header[:3] == ["conversation", "customer", "address"]
    assert [row[0] for row in rows] == three[::-1]
    assert f"'{EVIL}" in rows[1]
    assert (answer["rows"], answer["whole"]) == (3, True)
    query = service.db.collection("audit").stream()
    assert [entry.get("did") for entry in query] == ["exported"]


def _thread(service: Service) -> str:
    service.standin.set_autocreate(OURS)
    sid = service.standin.inbound(ADA, OURS, "Hello <b>you</b>").conversation_sid
    service.settle()
    service.standin.inbound(ADA, OURS, "Are you there?")
    service.settle()
    return str(sid)


def test_a_thread_is_read_with_its_log_and_the_reading_is_in_the_audit(
    service: Service, open_desk: OpenDesk
) -> None:
    desk, sid = open_desk(MARIA), _thread(service)
    before = service.db.document(f"conversations/{sid}").get().to_dict()
    record = desk.get(f"conversations/{sid}").json()
    assert record["state"] == "queued"
    assert [line["what"] for line in record["log"]][-1] == "queued"
    thread = desk.get(f"conversations/{sid}/messages").json()
    assert [one["body"] for one in thread["messages"]] == [
        "Hello <b>you</b>",
        "Are you there?",
    ]
    assert {one["from"] for one in thread["messages"]} == {"customer"}
    assert thread["more"] is False
    older = desk.get(f"conversations/{sid}/messages?before=1").json()
    assert [one["index"] for one in older["messages"]] == [0]
    assert desk.get(f"conversations/{sid}/messages?before=x").status_code == 400
    assert service.db.document(f"conversations/{sid}").get().to_dict() == before
    entries = [one.to_dict() or {} for one in service.db.collection("audit").stream()]
    (entry,) = entries
    assert (entry["by"], entry["did"]) == (MARIA, "read")
    assert entry["record"] == f"conversations/{sid}"
    assert "Hello" not in str(entry)


def test_a_transcript_is_a_text(service: Service, open_desk: OpenDesk) -> None:
    desk, sid = open_desk(MARIA), _thread(service)
    answer = desk.get(f"conversations/{sid}/transcript")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.text.index("Hello <b>you</b>") < answer.text.index("Are you there?")


def test_a_file_of_another_conversation_is_not_found(
    service: Service, open_desk: OpenDesk
) -> None:
    desk, sid = open_desk(MARIA), _thread(service)
    for name in ("ME" + "0" * 32, "nothing"):
        assert desk.get(f"conversations/{sid}/media/{name}").status_code == 404
