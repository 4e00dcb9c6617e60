"""People at the desk: adding, removing and confirming workers; customers found, merged, and opted in again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.desk.conftest import MARIA, TOM, OpenDesk
from tests.inbox.conftest import ANN, OURS
from tests.inbox.page import ALICE
from tests.service import Service


def read(service: Service, path: str) -> dict[str, Any] | None:
    return service.db.document(path).get().to_dict()


def test_a_worker_is_added_confirmed(service: Service, open_desk: OpenDesk) -> None:
    desk = open_desk(MARIA)
    service.db.document("pools/sales").set({"display_name": "Sales"})
    wanted = {
        "email": " Ben@Example.com ",
        "display_name": "Ben",
        "pools": ["sales"],
        "capacity": 2,
    }
    answer = desk.post("workers", wanted)
    assert answer.status_code == 200, answer.text
    service.settle()
    record = read(service, "workers/ben@example.com")
    assert record is not None
    assert (record["confirmed"], record["made_by"], record["capacity"]) == (
        True,
        "person",
        2,
    )
    rows = {row["identity"]: row for row in desk.get("workers").json()["workers"]}
    assert rows["ben@example.com"]["pools"] == ["sales"]
    assert rows["ben@example.com"]["status"] == "Unavailable"


def test_invalid_values_of_a_new_worker_are_refused_at_their_field(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    for values, field in (
        ({"email": "ben"}, "email"),
        ({"email": ""}, "email"),
        ({"email": "MARIA@example.com"}, "email"),
        ({"email": "ben@example.com", "capacity": "three"}, "capacity"),
        ({"email": "ben@example.com", "role": "boss"}, "role"),
    ):
        answer = desk.post("workers", values)
        assert answer.status_code == 400, values
        assert answer.json()["field"] == field, answer.text
    assert read(service, "workers/ben@example.com") is None


def test_a_removed_worker_loses_conversations_and_stays_away(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    service.db.document(f"workers/{ALICE}").set(
        {"status": "Available", "pools": ["default"]}
    )
    service.settle()
    service.standin.set_autocreate(OURS)
    sid = service.standin.inbound(ANN, OURS, "Hello").conversation_sid
    service.settle()
    assert desk.get(f"workers/{ALICE}/removal").json() == {"held": 1, "customers": 0}
    version = desk.load(f"workers/{ALICE}")["version"]
    assert desk.post(f"workers/{ALICE}/remove", {"version": version}).status_code == 200
    service.settle()
    assert read(service, f"workers/{ALICE}") is None
    conversation = read(service, f"conversations/{sid}")
    assert conversation is not None
    assert conversation["state"] == "queued"


def test_the_last_supervisor_stays(service: Service, open_desk: OpenDesk) -> None:
    desk = open_desk(MARIA)
    version = desk.load(f"workers/{MARIA}")["version"]
    for fields in ({"role": "worker"}, {"role": None}, {"confirmed": False}):
        status, answer = desk.save(f"workers/{MARIA}", version, **fields)
        assert status == 400, fields
        assert "last supervisor" in str(answer["error"])
    body = {"version": version, "fields": {}, "removed": ["role"]}
    assert desk.post(f"records/workers/{MARIA}", body).status_code == 400
    answer_to_removal = desk.post(f"workers/{MARIA}/remove", {"version": version})
    assert answer_to_removal.status_code == 400
    open_desk(TOM)
    version = desk.load(f"workers/{MARIA}")["version"]
    assert desk.save(f"workers/{MARIA}", version, role="worker")[0] == 200


def test_signed_out_everywhere_ends_the_sessions(
    service: Service, open_desk: OpenDesk
) -> None:
    maria, tom = open_desk(MARIA), open_desk(TOM)
    assert tom.get("me").status_code == 200
    assert maria.post(f"workers/{TOM}/sign-out").status_code == 200
    assert tom.get("me").status_code == 401


def test_customers_are_found_by_name_and_number(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    for name, display_name, number in (
        ("ada", "Ada Byron", "+447700900001"),
        ("grace", "Grace Hopper", "+447700900002"),
    ):
        service.db.document(f"customers/{name}").set(
            {
                "display_name": display_name,
                "addresses": [number],
                "worker": ALICE if name == "ada" else None,
            }
        )
    service.settle()
    for query, expected in (
        ("", ["ada", "grace"]),
        ("gra", ["grace"]),
        ("hopper g", ["grace"]),
        ("07700 900001", ["ada"]),
        ("+44 7700 900001", ["ada"]),
        ("nothing", []),
    ):
        answer = desk.post("customers/search", {"query": query})
        assert [row["id"] for row in answer.json()["customers"]] == expected, query


def test_two_records_of_one_customer_are_merged(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    service.db.document("customers/ada").set(
        {"display_name": "Ada", "addresses": ["+447700900001"], "language": "en"}
    )
    service.db.document("customers/ada2").set(
        {"addresses": ["+447700900009"], "worker": ALICE, "language": "de"}
    )
    service.settle()
    body = {
        "into": "ada",
        "version": desk.load("customers/ada2")["version"],
        "into_version": desk.load("customers/ada")["version"],
    }
    assert (
        desk.post(
            "customers/ada2/merge", {**body, "into_version": body["version"]}
        ).status_code
        == 409
    )
    answer = desk.post("customers/ada2/merge", body)
    assert answer.status_code == 200, answer.text
    service.settle()
    record = read(service, "customers/ada")
    assert record is not None
    assert record["addresses"] == ["+447700900001", "+447700900009"]
    assert (record["display_name"], record["language"], record["worker"]) == (
        "Ada",
        "en",
        ALICE,
    )
    assert read(service, "customers/ada2") is None


def test_an_opt_out_is_lifted(service: Service, open_desk: OpenDesk) -> None:
    desk = open_desk(MARIA)
    service.db.document(f"workers/{ALICE}").set(
        {"status": "Available", "pools": ["default"]}
    )
    service.standin.set_autocreate(OURS)
    service.standin.inbound(ANN, OURS, "Hello")
    service.settle()
    service.standin.inbound(ANN, OURS, "STOP")
    service.settle()
    (row,) = desk.post("customers/search", {}).json()["customers"]
    assert row["opted_out"] == [ANN]
    answer = desk.post(f"customers/{row['id']}/lift", {"address": ANN})
    assert answer.status_code == 200, answer.text
    service.settle()
    (row,) = desk.post("customers/search", {}).json()["customers"]
    assert row["opted_out"] == []


def test_a_worker_who_is_away_hands_over_to_the_deputy(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    service.db.document(f"workers/{ALICE}").set(
        {"status": "Available", "pools": ["default"]}
    )
    service.settle()
    service.standin.set_autocreate(OURS)
    sid = service.standin.inbound(ANN, OURS, "Hello").conversation_sid
    service.settle()
    service.db.document("workers/ben@example.com").set({"pools": []})
    service.settle()
    version = desk.load(f"workers/{ALICE}")["version"]
    status, answer = desk.save(
        f"workers/{ALICE}", version, away_until="2099-12-24", deputy="ben@example.com"
    )
    assert status == 200, answer
    service.settle()
    worker = read(service, f"workers/{ALICE}")
    conversation = read(service, f"conversations/{sid}")
    assert worker is not None
    assert conversation is not None
    assert worker["status"] == "Unavailable"
    assert conversation["worker"] == "ben@example.com"


def test_a_day_that_is_over_changes_nothing_else(
    service: Service, open_desk: OpenDesk
) -> None:
    desk = open_desk(MARIA)
    service.db.document(f"workers/{ALICE}").set({"status": "Available", "pools": []})
    service.settle()
    version = desk.load(f"workers/{ALICE}")["version"]
    status, answer = desk.save(f"workers/{ALICE}", version, away_until="2020-12-24")
    assert status == 200, answer
    worker = read(service, f"workers/{ALICE}")
    assert worker is not None
    assert worker["status"] == "Available"


def test_of_two_supervisors_who_demote_each_other_one_stays(
    service: Service, open_desk: OpenDesk
) -> None:
    maria, tom = open_desk(MARIA), open_desk(TOM)
    versions = {name: maria.load(f"workers/{name}")["version"] for name in (MARIA, TOM)}
    with ThreadPoolExecutor(2) as pool:
        mine = pool.submit(maria.save, f"workers/{TOM}", versions[TOM], role="worker")
        theirs = pool.submit(
            tom.save, f"workers/{MARIA}", versions[MARIA], role="worker"
        )
    assert {mine.result()[0], theirs.result()[0]} - {200} != set()
    service.settle()
    roles = [read(service, f"workers/{name}") or {} for name in (MARIA, TOM)]
    assert [role["role"] for role in roles].count("supervisor") == 1
