"""An open page Now costs at most 60 reads a minute, and shows each change at the next look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from proof.meter import Meter
from providers import clock
from tests.desk.conftest import MARIA, OpenDesk, issuer, issuer_server, open_desk
from tests.service import Service

__all__ = ["issuer", "issuer_server", "open_desk"]

LOOKS, EVERY = 10, 6  # in a minute, while something changes
PROBLEMS = 3  # reads for records with faults, once a minute


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    yield
    clock.shift(0)


def _sid(number: int) -> str:
    return f"CH{number:032x}"


def _conversation(service: Service, number: int, **more: Any) -> None:
    since = clock.now() - timedelta(minutes=5)
    record = {
        "state": "queued",
        "mode": "pool",
        "pool": "sales",
        "address": f"+1555000{number:04}",
        "created_at": since,
        "queued_at": since,
        "log": [{"at": since, "what": "queued", "why": "no worker is Available"}],
        **more,
    }
    service.db.document(f"conversations/{_sid(number)}").set(record)


def test_a_minute_of_the_page_now(
    service: Service, meter: Meter, open_desk: OpenDesk
) -> None:
    for number in range(20):
        _conversation(service, number)
        worker = {"status": "Unavailable", "pools": ["front"], "display_name": "W"}
        service.db.document(f"workers/w{number:02}@example.com").set(worker)
    service.settle()
    desk = open_desk(MARIA)
    first = desk.get("now")
    assert len(first.json()["waiting"]) == 20
    assert len(first.json()["workers"]) == 21
    tag, reads = first.headers["ETag"], 0
    for look in range(LOOKS):
        clock.shift(EVERY)
        if look % 2:
            _conversation(service, 100 + look, moved_at=clock.now())
        else:
            turned = {"status": "Available", "status_since": clock.now()}
            service.db.document(f"workers/w{look:02}@example.com").update(turned)
        service.settle()
        meter.reset()
        answer = desk.get("now", If_None_Match=tag)
        reads += meter.counts().billed
        assert answer.status_code == 200, "the change is not seen"
        tag = answer.headers["ETag"]
    shown = desk.get("now").json()
    assert len(shown["waiting"]) == 25
    assert sum(w["status"] == "Available" for w in shown["workers"]) == 5
    assert reads + PROBLEMS <= 60, reads


def test_a_quiet_look_is_not_modified(
    service: Service, meter: Meter, open_desk: OpenDesk
) -> None:
    _conversation(service, 1)
    service.settle()
    desk = open_desk(MARIA)
    tag = desk.get("now").headers["ETag"]
    clock.shift(EVERY)
    meter.reset()
    assert desk.get("now", If_None_Match=tag).status_code == 304
    assert meter.counts().billed <= 5


def test_an_edit_in_the_console_is_seen_in_its_turn(
    service: Service, meter: Meter, open_desk: OpenDesk
) -> None:
    _conversation(service, 1)
    _conversation(service, 2)
    service.settle()
    desk = open_desk(MARIA)
    assert len(desk.get("now").json()["waiting"]) == 2
    service.db.document(f"conversations/{_sid(1)}").delete()
    service.settle()
    for _ in range(10):
        clock.shift(EVERY)
        waiting = desk.get("now").json()["waiting"]
        if len(waiting) == 1:
            break
    assert [one["sid"] for one in waiting] == [_sid(2)]
