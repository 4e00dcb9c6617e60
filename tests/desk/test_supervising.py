"""A supervisor gives any conversation to a worker, a pool or the queue, sets its priority and closes it."""

from __future__ import annotations

from typing import Any

import pytest

from assignment import supervising
from assignment.supervising import Act
from proof import seam
from providers import database
from tests.desk.conftest import MARIA, Desk, OpenDesk
from tests.inbox.page import ALICE, BOB
from tests.service import Service

CUSTOMER, OURS = "+447700900001", "+15550009999"


def _record(service: Service, path: str) -> dict[str, Any]:
    return service.db.document(path).get().to_dict() or {}


def _worker(service: Service, identity: str, status: str = "Unavailable") -> None:
    name = identity.partition("@")[0].capitalize()
    fields = {"status": status, "pools": ["default"], "display_name": name}
    service.db.document(f"workers/{identity}").set(fields)


def _waiting(service: Service, text: str = "Hello") -> str:
    """A customer's new conversation; returns its SID."""
    service.standin.set_autocreate(OURS)
    sid = service.standin.inbound(CUSTOMER, OURS, text).conversation_sid
    service.settle()
    assert sid is not None
    return str(sid)


def _give(desk: Desk, sid: str, **to: object) -> tuple[int, dict[str, Any]]:
    answer = desk.post(f"conversations/{sid}/hand-over", to)
    return answer.status_code, answer.json()


def _in_audit(service: Service, sid: str) -> list[tuple[str, str]]:
    query = service.db.collection("audit").where("record", "==", f"conversations/{sid}")
    return [(entry.get("by"), entry.get("did")) for entry in query.stream()]


def test_a_waiting_conversation_is_given_to_an_unavailable_worker(
    service: Service, open_desk: OpenDesk
) -> None:
    _worker(service, ALICE)
    desk, sid = open_desk(MARIA), _waiting(service)
    given = _give(desk, sid, to="worker", worker=ALICE, word="She knows you")
    assert given == (200, {})
    service.settle()
    record = _record(service, f"conversations/{sid}")
    assert (record["state"], record["worker"]) == ("assigned", ALICE)
    assert _record(service, f"workers/{ALICE}")["active"] == 1
    assert _record(service, f"pending_conversations/{sid}") == {}
    lines = [line for line in record["log"] if line.get("by")]
    assert [(line["by"], line["what"], line["why"]) for line in lines] == [
        (MARIA, "word", "She knows you"),
        (MARIA, "handed over", "to Alice"),
    ]
    assert _in_audit(service, sid) == [(MARIA, "handed over")]


def test_an_assigned_conversation_moves_to_another_worker_and_back_to_the_queue(
    service: Service, open_desk: OpenDesk
) -> None:
    _worker(service, ALICE, "Available")
    _worker(service, BOB)
    desk, sid = open_desk(MARIA), _waiting(service)
    assert _record(service, f"conversations/{sid}")["worker"] == ALICE
    assert _give(desk, sid, to="worker", worker=BOB, seen=ALICE) == (200, {})
    service.settle()
    assert _record(service, f"conversations/{sid}")["worker"] == BOB
    assert _record(service, f"workers/{ALICE}")["active"] == 0
    status, answer = _give(desk, sid, to="queue", seen=ALICE)
    assert (status, answer["error"]) == (
        409,
        f"{BOB} has it by now. Look again before you decide.",
    )
    service.db.document(f"workers/{ALICE}").update({"status": "Unavailable"})
    service.settle()
    assert _give(desk, sid, to="queue", seen=BOB) == (200, {})
    service.settle()
    record = _record(service, f"conversations/{sid}")
    assert (record["state"], record["worker"]) == ("queued", None)
    assert _record(service, f"workers/{BOB}")["active"] == 0


def test_a_waiting_conversation_moves_to_another_pool_with_its_wait(
    service: Service, open_desk: OpenDesk
) -> None:
    service.db.document("pools/sales").set({"display_name": "Sales"})
    desk, sid = open_desk(MARIA), _waiting(service)
    since = _record(service, f"pending_conversations/{sid}")["queued_at"]
    for _ in range(2):  # the same request twice
        assert _give(desk, sid, to="pool", pool="sales") == (200, {})
    service.settle()
    entry = _record(service, f"pending_conversations/{sid}")
    assert (entry["pool"], entry["queued_at"]) == ("sales", since)
    assert _in_audit(service, sid) == [(MARIA, "handed over")]


def test_only_confirmed_workers_and_known_pools(
    service: Service, open_desk: OpenDesk
) -> None:
    service.db.document(f"workers/{BOB}").set({"confirmed": False, "pools": []})
    desk, sid = open_desk(MARIA), _waiting(service)
    for to, sentence in (
        ({"to": "worker", "worker": BOB}, "waits for confirmation"),
        ({"to": "worker", "worker": "nemo@example.com"}, "No worker is called"),
        ({"to": "pool", "pool": "nowhere"}, "no longer exists"),
    ):
        status, answer = _give(desk, sid, **to)
        assert status == 409, answer
        assert sentence in answer["error"]
    assert _in_audit(service, sid) == []
    assert _record(service, f"conversations/{sid}")["state"] == "queued"


def test_a_priority_moves_it_in_the_queue(
    service: Service, open_desk: OpenDesk
) -> None:
    desk, sid = open_desk(MARIA), _waiting(service)
    answer = desk.post(f"conversations/{sid}/priority", {"priority": 7})
    assert answer.status_code == 200, answer.text
    service.settle()
    assert _record(service, f"pending_conversations/{sid}")["priority"] == 7
    assert _record(service, f"conversations/{sid}")["priority"] == 7
    refused = desk.post(f"conversations/{sid}/priority", {"priority": "high"})
    assert refused.status_code == 400
    assert "priority" in refused.json()["error"]


def test_closing_ends_it_at_twilio_and_here(
    service: Service, open_desk: OpenDesk
) -> None:
    _worker(service, ALICE, "Available")
    desk, sid = open_desk(MARIA), _waiting(service)
    for _ in range(2):
        assert desk.post(f"conversations/{sid}/close").status_code == 200
        service.settle()
    record = _record(service, f"conversations/{sid}")
    assert record["state"] == "closed"
    assert [line["what"] for line in record["log"] if line.get("by")] == ["closing"]
    assert _record(service, f"workers/{ALICE}")["active"] == 0
    assert _in_audit(service, sid) == [(MARIA, "closed")]
    status, answer = _give(desk, sid, to="queue")
    assert (status, answer["error"]) == (409, "This conversation is closed.")


def test_a_status_is_set_for_a_worker(service: Service, open_desk: OpenDesk) -> None:
    _worker(service, ALICE)
    desk, sid = open_desk(MARIA), _waiting(service)
    set_to = {"worker": ALICE, "status": "Available"}
    assert desk.post("now/status", set_to).status_code == 200
    service.settle()
    assert _record(service, f"conversations/{sid}")["worker"] == ALICE
    query = service.db.collection("audit").where("record", "==", f"workers/{ALICE}")
    assert [entry.get("fields") for entry in query.stream()] == [["status"]]
    unknown = desk.post("now/status", set_to | {"worker": "nemo@example.com"})
    assert unknown.status_code == 404


@pytest.mark.parametrize("to", ["queue", "worker"])
def test_an_act_whose_answer_is_lost_is_done_once(
    service: Service, open_desk: OpenDesk, to: str
) -> None:
    _worker(service, ALICE, "Available")
    open_desk(MARIA)
    sid = _waiting(service)
    _worker(service, BOB, "Available")
    service.settle()
    commits = 0

    def loses_the_first_answer(step: str) -> None:
        nonlocal commits
        commits += step == seam.COMMITTED
        if step == seam.COMMITTED and commits == 1:
            raise database.LostRace("the answer is lost, and the commit was repeated")

    act = Act(sid, MARIA)
    with seam.interrupted_by(loses_the_first_answer):
        if to == "queue":
            supervising.to_pool(act, None)
        else:
            supervising.to_worker(act, BOB)
    service.settle()
    record = _record(service, f"conversations/{sid}")
    assert (record["state"], record["worker"]) == ("assigned", BOB)
    assert record["leaving"] is None
    assert _record(service, f"workers/{ALICE}")["active"] == 0
    assert _record(service, f"workers/{BOB}")["active"] == 1
    assert _in_audit(service, sid) == [(MARIA, "handed over")]


def test_an_unknown_conversation_is_not_found(open_desk: OpenDesk) -> None:
    desk = open_desk(MARIA)
    for sid in ("CH" + "0" * 32, "nothing"):
        for act in ("hand-over", "close", "priority"):
            body = {"to": "queue", "priority": 1}
            assert desk.post(f"conversations/{sid}/{act}", body).status_code == 404


def test_a_worker_is_refused(service: Service, open_desk: OpenDesk) -> None:
    desk, sid = open_desk(ALICE, role="worker"), _waiting(service)
    for path in ("now", f"conversations/{sid}", f"conversations/{sid}/messages"):
        assert desk.get(path).status_code == 403
    for path in (f"conversations/{sid}/close", "now/status", "conversations"):
        assert desk.post(path, {}).status_code == 403
