"""The page Now shows who waits and why, what each worker does, and what needs attention."""

from __future__ import annotations

from datetime import timedelta

from providers import clock
from tests.desk.conftest import MARIA, OpenDesk
from tests.inbox.page import ALICE
from tests.service import Service

OURS, SALES = "+15550009999", "+15550008888"


def test_who_waits_why_and_in_which_order(
    service: Service, open_desk: OpenDesk
) -> None:
    sales = {"display_name": "Sales", "addresses": [SALES], "priority": 3}
    service.db.document("pools/sales").set(sales)
    for number in (OURS, SALES):
        service.standin.set_autocreate(number)
    for customer, number in (("1", OURS), ("2", OURS), ("3", SALES)):
        service.standin.inbound(f"+44770090000{customer}", number, "Hello")
        service.settle()
    shown = open_desk(MARIA).get("now").json()
    rows = [(one["pool"], one["position"]) for one in shown["waiting"]]
    assert rows == [("Sales", 1), ("default", 1), ("default", 2)]
    first = shown["waiting"][0]
    assert (first["name"], first["priority"]) == ("+447700900003", 3)
    assert "Sales" in first["why"]
    assert first["since"]
    why = [one["why"] for one in shown["attention"] if one["what"] == "Sales"]
    assert why == ["has customers who wait, and no worker belongs to it"]


def test_what_each_worker_does(service: Service, open_desk: OpenDesk) -> None:
    fields = {"status": "Available", "pools": ["default"], "capacity": 2}
    service.db.document(f"workers/{ALICE}").set(fields | {"display_name": "Alice"})
    service.settle()
    service.standin.set_autocreate(OURS)
    sid = service.standin.inbound("+447700900001", OURS, "Hello").conversation_sid
    service.settle()
    desk = open_desk(MARIA)
    alice, maria = desk.get("now").json()["workers"]
    assert (alice["name"], alice["status"]) == ("Alice", "Available")
    assert (alice["load"], alice["capacity"]) == (1, 2)
    assert [one["sid"] for one in alice["held"]] == [sid]
    assert alice["since"]
    assert maria["load"] == 0
    assert desk.post(f"conversations/{sid}/close").status_code == 200
    assert desk.get("now").json()["workers"][0]["load"] == 0


def test_long_waits_and_faults_need_attention(
    service: Service, open_desk: OpenDesk
) -> None:
    since = clock.now() - timedelta(minutes=11)
    sid = "CH" + "1" * 32
    record = {"state": "queued", "pool": "default", "mode": "pool"}
    record |= {"display_name": "Grace Hopper", "queued_at": since, "created_at": since}  # type: ignore[dict-item]
    service.db.document(f"conversations/{sid}").set(record)
    service.db.document("pools/sales").set({"capacity": "three"})
    service.settle()
    found = open_desk(MARIA).get("now").json()["attention"]
    assert {"what": "Grace Hopper", "sid": sid} in [
        {"what": one["what"], "sid": one["sid"]} for one in found
    ]
    (fault,) = [one for one in found if one["record"] == "pools/sales"]
    assert fault["why"].startswith("capacity must be a whole number")


def test_records_with_odd_values_do_not_stop_the_page(
    service: Service, open_desk: OpenDesk
) -> None:
    odd = {"state": "queued", "queued_at": "yesterday", "priority": [], "log": {"a": 1}}
    service.db.document("conversations/CH" + "2" * 32).set(odd)
    service.db.document("workers/odd@example.com").set(
        {"status": 7, "pools": {"a": 1}, "capacity": "x", "status_since": "never"}
    )
    service.settle()
    assert open_desk(MARIA).get("now").status_code == 200
