"""Reports show the wallboard's figures of any span, by day, hour, pool and worker."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore import Client

from assignment import ledger
from domain.conversation import Conversation
from functions.wallboard.refresh import Board
from tests.core import records as console
from tests.desk.conftest import MARIA, TOM, Desk, OpenDesk
from tests.inbox.page import ALICE
from tests.service import Service
from tests.wallboard import records

ANN = "ann@example.com"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def asked(desk: Desk, first: str, last: str, by: str = "day") -> dict[str, Any]:
    answer = desk.get(f"reports?from={first}&to={last}&by={by}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rows(report: dict[str, Any], column: str) -> dict[str, Any]:
    return {row["key"]: row[column] for row in report["rows"]}


def conversation(number: int, at: datetime, **fields: Any) -> Conversation:
    values = {"state": "closed", "mode": "pool", "pool": "sales", **fields}
    return Conversation(records.sid(number), created_at=at, queued_at=at, **values)


def changed(db: Client, worker: str, status: str, at: datetime) -> None:
    other = "Unavailable" if status == "Available" else "Available"
    change = {"worker": worker, "from": other, "to": status, "at": at, "by": worker}
    db.collection("status_changes").add(change)


def test_today_has_exactly_the_figures_of_the_wallboard(
    db: Client, service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    db.document("settings/routing").set({"service_level_seconds": 40})
    day = records.a_day(120)
    records.load(db, day)
    for number, one in enumerate(day[:40]):
        fields = {"answered_in": number * 3.5, "went_back": number % 3}
        db.document(f"conversations/{one.sid}").update(fields)
    shown = Board().today()
    today = shown.at.date().isoformat()
    report = asked(desk, today, today)
    assert shown.waits.arrived > 20
    figures, total = shown.figures, report["total"]
    assert total["arrived"] == figures.waits.arrived
    assert total["assigned"] == figures.waits.answered
    assert total["waiting"] == figures.waits.waiting
    assert total["abandoned"] == figures.waits.abandoned
    assert total["outside_hours"] == figures.waits.outside.arrived
    assert total["answered"] == figures.answers.answered > 0
    assert total["went_back"] == figures.answers.went_back > 0
    assert total["within"] == figures.service_level
    assert total["p95_wait"] == figures.p95
    assert total["answered_within"] == figures.answered_within
    # Sums of the same numbers in another order:
    assert total["average_wait"] == pytest.approx(figures.average, rel=1e-12)
    assert total["first_answer"] == pytest.approx(figures.first_answer, rel=1e-12)


def test_a_span_is_grouped_by_day_hour_pool_and_worker(
    db: Client, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    console.pool(db, "sales", display_name="Sales")
    console.worker(db, ANN, "Unavailable", display_name="Ann", pools=["sales"])
    at = NOON
    records.load(
        db,
        [
            conversation(1, at, worker=ANN, waited=4.0),
            conversation(2, at + timedelta(hours=2), worker=ANN, waited=8.0),
            conversation(3, at + timedelta(days=1), waited=None, pool="help"),
        ],
    )
    days = asked(desk, "2026-03-01", "2026-03-03")
    assert rows(days, "arrived") == {"2026-03-01": 0, "2026-03-02": 2, "2026-03-03": 1}
    assert rows(days, "abandoned")["2026-03-03"] == 1
    assert rows(days, "average_wait")["2026-03-02"] == 6.0
    hours = rows(asked(desk, "2026-03-01", "2026-03-03", "hour"), "arrived")
    assert len(hours) == 24
    assert (hours["12"], hours["14"]) == (2, 1)
    pools = asked(desk, "2026-03-01", "2026-03-03", "pool")
    assert rows(pools, "arrived") == {"sales": 2, "help": 1}
    assert {row["label"] for row in pools["rows"]} == {"Sales", "help"}
    workers = asked(desk, "2026-03-01", "2026-03-03", "worker")
    assert rows(workers, "arrived") == {ANN: 2, "": 1}
    assert [row["label"] for row in workers["rows"]] == ["Ann", "No worker"]


def test_days_begin_at_midnight_in_the_time_zone_of_the_settings(
    db: Client, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    console.routing(db, time_zone="Asia/Tokyo")
    late = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)  # half past midnight in Tokyo
    records.load(db, [conversation(1, late, waited=1.0)])
    report = asked(desk, "2026-03-02", "2026-03-03")
    assert rows(report, "arrived") == {"2026-03-02": 0, "2026-03-03": 1}
    assert report["zone"] == "Asia/Tokyo"


def test_hours_available_come_from_the_changes_of_status(
    db: Client, service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    console.worker(db, ANN, "Unavailable", pools=["sales", "help"])
    service.settle()
    for record in db.collection("status_changes").stream():
        record.reference.delete()
    day = datetime(2026, 3, 2, tzinfo=UTC)
    changed(db, ANN, "Available", day + timedelta(hours=22))
    changed(db, ANN, "Unavailable", day + timedelta(hours=26, minutes=30))
    days = asked(desk, "2026-03-02", "2026-03-03")
    assert rows(days, "available") == {"2026-03-02": 2.0, "2026-03-03": 2.5}
    second = asked(desk, "2026-03-03", "2026-03-03", "hour")
    found = {key: value for key, value in rows(second, "available").items() if value}
    assert found == {"00": 1.0, "01": 1.0, "02": 0.5}
    pools = asked(desk, "2026-03-02", "2026-03-03", "pool")
    assert rows(pools, "available") == {"sales": 4.5, "help": 4.5}
    assert pools["total"]["available"] == 4.5
    workers = asked(desk, "2026-03-02", "2026-03-03", "worker")
    assert rows(workers, "available")[ANN] == 4.5
    assert workers["available_since"].startswith("2026-03-02T22:00")


def test_a_worker_without_a_change_in_the_span_counts_by_earlier_ones(
    db: Client, service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    console.worker(db, ANN, "Unavailable")
    service.settle()
    changed(db, ANN, "Available", NOON)
    changed(db, ANN, "Unavailable", NOON + timedelta(days=5))
    workers = asked(desk, "2026-03-04", "2026-03-04", "worker")
    assert rows(workers, "available")[ANN] == 24.0


def test_a_status_set_at_the_desk_names_the_supervisor_and_counts(
    db: Client, service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    console.worker(db, ANN, "Unavailable")
    service.settle()
    version = desk.load(f"workers/{ANN}")["version"]
    status, answer = desk.save(f"workers/{ANN}", version, status="Available")
    assert status == 200, answer
    service.settle()
    (change,) = [
        one.to_dict() or {} for one in db.collection("status_changes").stream()
    ]
    assert (change["from"], change["to"]) == ("Unavailable", "Available")
    assert change["by"] == MARIA
    ledger.set_status(ANN, "Unavailable", by=TOM)
    service.settle()
    assert len(list(db.collection("status_changes").stream())) == 2


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-03-02&to=2026-03-01", "The last day is before the first."),
        ("from=2200-01-01&to=2200-01-02", "The first day is in the future."),
        ("from=2020-01-01&to=9999-12-31", "Choose at most 400 days."),
        ("from=yesterday&to=2026-03-01", "from"),
        ("from=2026-03-01", "to"),
        ("from=2026-03-01&to=2026-03-02&by=customer", "by"),
    ],
)
def test_an_invalid_span_is_refused_with_a_sentence(
    open_desk: OpenDesk, query: str, sentence: str
) -> None:
    answer = open_desk(MARIA).get(f"reports?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


def test_a_worker_cannot_read_reports(open_desk: OpenDesk) -> None:
    desk = open_desk(ALICE, role="worker")
    assert desk.get("reports?from=2026-03-01&to=2026-03-01").status_code == 403


def test_the_csv_has_the_figures_and_no_formulas(
    db: Client, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    console.worker(db, ANN, "Unavailable", display_name="=HYPERLINK(1)")
    records.load(db, [conversation(1, NOON, worker=ANN, waited=4.0)])
    report = asked(desk, "2026-03-02", "2026-03-02", "worker")
    head, *lines = list(csv.reader(io.StringIO(report["csv"])))
    table = [dict(zip(head, line, strict=True)) for line in lines]
    (ann,) = [line for line in table if line["worker"] == ANN]
    assert ann["name"] == "'=HYPERLINK(1)"
    assert (ann["arrived"], ann["average_wait"]) == ("1", "4.0000")
    assert table[-1]["worker"] == "total"


def test_values_of_any_type_do_not_stop_a_report(
    db: Client, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    odd = (None, True, "text", -3, float("nan"), float("inf"), [1], {"a": 1}, NOON)
    for number, value in enumerate(odd):
        names = ("pool", "worker", "state", "waited", "answered_in", "went_back")
        fields = dict.fromkeys((*names, "opted_out_at", "arrived_outside_at"), value)
        record = {"arrived_at": NOON + timedelta(minutes=number), **fields}
        db.document(f"conversations/{records.sid(number)}").set(record)
        turn = dict.fromkeys(("worker", "from", "to", "by"), value)
        at = NOON + timedelta(minutes=number)
        db.collection("status_changes").add({**turn, "at": at})
        db.collection("status_changes").add({**turn, "at": value})
    for by in ("day", "hour", "pool", "worker"):
        report = asked(desk, "2026-03-02", "2026-03-02", by)
        assert report["total"]["arrived"] == len(odd)
