"""Records as people type them: names of fields, numbers and pools in other spellings, one text for a list, bots."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import customer, field_names, pool, settings, typed_numbers, worker
from tests.core import records
from tests.core.test_routing import write
from tests.service import Service

ANN = "ann@example.com"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("Hours", "hours"),
        ("hours ", "hours"),
        ("Texts", "texts"),
        ("Answer_within", "answer_within"),
        ("answer within", "answer_within"),
        ("answer-within", "answer_within"),
        ("answerWithin", "answer_within"),
        ("Display Name", "display_name"),
        ("unavailable_after\u200b", "unavailable_after"),
    ],
)
def test_a_field_of_a_pool_in_another_spelling_is_understood(
    typed: str, field: str
) -> None:
    value: Any = (
        {"mon": "9-17"}
        if field == "hours"
        else {"queued": "Hello."}
        if field == "texts"
        else 300
    )
    if field == "display_name":
        value = "Sales"
    read, right = pool.parse("p", {typed: value}), pool.parse("p", {field: value})
    assert read == right and read.problem is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("holiday", "did you mean holidays"),
        ("overflow_to", "did you mean overflow"),
        ("answers_within", "did you mean answer_within"),
        ("time_zone", "belongs to settings/routing"),
        ("bots", "belongs to settings/routing"),
        ("colour", "not a field of this record"),
    ],
)
def test_an_unknown_field_of_a_pool_is_reported(name: str, hint: str) -> None:
    assert hint in (pool.parse("p", {name: "x"}).problem or "")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("answer_within", "belongs to pools"),
        ("hours", "belongs to pools"),
        ("texts", "belongs to pools"),
        ("mod", "mode"),
    ],
)
def test_an_unknown_field_of_the_settings_is_reported(name: str, hint: str) -> None:
    assert hint in (settings.parse("routing", {name: "x"}).problem or "")


@pytest.mark.parametrize("typed", ["timezone", "Time_zone", "time zone", "TimeZone"])
def test_a_setting_in_another_spelling_is_understood(typed: str) -> None:
    read = settings.parse("routing", {typed: "Europe/Berlin"})
    assert (read.time_zone, read.problem) == ("Europe/Berlin", None)


def test_the_right_name_wins_and_the_other_is_reported() -> None:
    read = pool.parse("p", {"answer_within": 60, "Answer within": 300})
    assert read.answer_within == 60 and "same field as answer_within" in (
        read.problem or ""
    )


def test_fields_of_ones_own_are_reported_only_where_they_are_close_to_a_known_one() -> (
    None
):
    own = {"iban": "DE02", "shirt size": "L", "addresses": ["+15550000001"]}
    assert customer.parse("c", own).problem is None
    assert "did you mean addresses" in (
        customer.parse("c", {"adresses": ["+15550000001"]}).problem or ""
    )
    assert customer.parse("c", {"Worker": ANN, "Priority": 5}).worker == ANN
    assert "did you mean pools" in (
        worker.parse(ANN, {"pool": ["sales"]}).problem or ""
    )
    assert worker.parse(ANN, {"team": "blue", "status": "Available"}).problem is None


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("120", 120),
        (" 300 ", 300),
        ("5 min", 300),
        ("5min.", 300),
        ("300s", 300),
        ("300 seconds", 300),
        ("2 Stunden", 7200),
        ("1 h 30 min", 5400),
        ("1,5 h", 5400),
        ("1 hour and 5 minutes", 3900),
        ("1 Tag", 86400),
        ("soon", None),
        ("5 apples", None),
        ("", None),
        ("1e3", None),
        ("9" * 100, None),
    ],
)
def test_seconds_typed_as_text_are_understood(typed: str, seconds: int | None) -> None:
    assert typed_numbers.seconds(typed) == seconds
    read = pool.parse("p", {"answer_within": typed})
    assert read.answer_within == seconds and (read.problem is None) == (
        seconds is not None
    )


def test_numbers_typed_as_text_are_understood() -> None:
    read = pool.parse(
        "p",
        {
            "capacity": "3",
            "priority": "5",
            "unavailable_after": " 2 ",
            "overflow_after": "0",
        },
    )
    assert (
        read.capacity,
        read.priority,
        read.unavailable_after,
        read.overflow_after,
    ) == (3, 5, 2, 0)
    assert read.problem is None
    assert "unavailable_after" in (
        pool.parse("p", {"unavailable_after": "5 min"}).problem or ""
    )
    assert (
        settings.parse("routing", {"own_worker_wait": "5 min"}).own_worker_wait == 300
    )
    assert worker.parse(ANN, {"capacity": "no limit"}).own_capacity == float("inf")
    assert customer.parse("c", {"priority": "10"}).priority == 10


def test_what_an_invalid_delay_is_treated_as_is_said() -> None:
    assert "treated as null: never" in (
        pool.parse("p", {"overflow_after": "soon"}).problem or ""
    )


def test_one_text_is_a_list_of_one() -> None:
    assert settings.parse("routing", {"bots": "helper@example.com"}).bots == (
        "helper@example.com",
    )
    read = worker.parse(ANN, {"pools": "sales"})
    assert read.pools == ("sales",) and read.problem is None and not read.is_complete


@pytest.mark.parametrize(
    "typed",
    [
        ["Helper@Example.com"],
        ["helper@example.com\u200b"],
        "helper@example.com",
        [" helper@example.com "],
    ],
)
def test_a_bot_in_another_spelling_is_a_bot(
    service: Service, db: Client, typed: Any
) -> None:
    records.routing(db, bots=typed)
    read = settings.parse("routing", {"bots": typed})
    assert (
        "helper@example.com" in read.bots
        and "ann@example.com" not in read.bots
        and read.problem is None
    )
    sid = write(service, "+15550000001")
    service.standin.worker_join(sid, "helper@example.com")
    service.settle()
    assert records.conversation(db, sid)["state"] == "queued"


def test_fields_and_numbers_are_written_as_queries_need_them(
    service: Service, db: Client
) -> None:
    records.pool(db, "Support", display_name="The Helpers")
    records.pool(
        db,
        "sales",
        **{
            "Answer within": "5 min",
            "overflow": "the helpers",
            "Addresses": "+1 (555) 000-0002",
        },
    )
    service.settle()
    stored = records.read(db, "pools", "sales")
    assert (stored["answer_within"], stored["overflow"], stored["addresses"]) == (
        300,
        "Support",
        ["+15550000002"],
    )
    assert (
        "Answer within" not in stored
        and "Addresses" not in stored
        and "problem" not in stored
    )
    db.collection("workers").document(ANN).set(
        {"Status": "Available", "Pools": "SALES"}
    )
    service.settle()
    db.collection("customers").document("ada").set(
        {"Addresses": "+15550000001", "Worker": ANN.upper()}
    )
    service.settle()
    ann, ada = records.read(db, "workers", ANN), records.read(db, "customers", "ada")
    assert (ann["status"], ann["pools"]) == (
        "Available",
        ["sales"],
    ) and "Status" not in ann
    assert (ada["addresses"], ada["worker"]) == (
        ["+15550000001"],
        ANN,
    ) and "Addresses" not in ada
    sid = write(service, "+15550000001", to="+15550000002")
    assert records.conversation(db, sid)["worker"] == ANN


def test_a_pool_is_named_by_its_id_or_its_display_name(
    service: Service, db: Client
) -> None:
    records.pool(db, "sales", display_name="Sales Team")
    records.worker(db, ANN, pools=["sales team"])
    service.settle()
    assert records.read(db, "workers", ANN)["pools"] == ["sales"]
    sid = write(service, "+15550000001")
    assert records.conversation(db, sid)["pool"] == "default"
    db.collection("pending_conversations").document(sid).update({"pool": "SALES TEAM"})
    service.post("sweep", signed=False)
    service.settle()
    assert records.conversation(db, sid)["worker"] == ANN


def test_a_pool_typed_into_a_waiting_conversation_is_understood_in_any_spelling(
    service: Service, db: Client
) -> None:
    records.pool(db, "sales", display_name="Sales Team")
    records.worker(db, ANN, pools=["sales"])
    sid = write(service, "+15550000001")
    db.collection("conversations").document(sid).update({"pool": "Sales Team"})
    service.settle()
    assert records.conversation(db, sid)["worker"] == ANN
    assert records.conversation(db, sid)["pool"] == "sales"


def test_its_own_pool_in_another_spelling_moves_nothing(
    service: Service, db: Client
) -> None:
    records.pool(db, "default", display_name="Reception")
    sid = write(service, "+15550000001")
    before = len(records.conversation(db, sid)["log"])
    db.collection("pending_conversations").document(sid).update({"pool": "reception"})
    service.post("sweep", signed=False)
    service.settle()
    assert records.read(db, "pending_conversations", sid)["pool"] == "default"
    assert len(records.conversation(db, sid)["log"]) == before


@pytest.mark.parametrize("is_new", [True, False], ids=["new pool", "renamed pool"])
def test_a_display_name_that_a_pool_gets_later_is_understood(
    service: Service, db: Client, is_new: bool
) -> None:
    records.pool(db, "help", display_name="Help", overflow="sales team")
    records.worker(db, ANN, pools=["Sales Team", "help"])
    if not is_new:
        records.pool(db, "sales", display_name="Sales")
    service.settle()
    assert records.read(db, "workers", ANN)["pools"] == ["Sales Team", "help"]
    records.pool(db, "sales", display_name="Sales Team", addresses=["+15550000002"])
    service.settle()
    assert records.read(db, "workers", ANN)["pools"] == ["sales", "help"]
    assert records.read(db, "pools", "help")["overflow"] == "sales"
    sid = write(service, "+15550000001", to="+15550000002")
    assert records.conversation(db, sid)["worker"] == ANN


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"priority": "10"}, "priority must be a whole number"),
        ({"queued_at": "2026-11-01"}, "queued_at must be a timestamp"),
        ({"due_at": "tomorrow"}, "due_at must be a timestamp"),
        ({"open_to": "support"}, "open_to must be a list of texts"),
        ({"for_worker": "Sue44@example.com"}, "edit pool or priority instead"),
    ],
)
def test_a_value_in_the_queue_that_is_not_understood_is_logged(
    service: Service,
    db: Client,
    capsys: pytest.CaptureFixture[str],
    typed: dict[str, Any],
    said: str,
) -> None:
    sid = write(service, "+15550000001")
    entry = db.collection("pending_conversations").document(sid)
    before = entry.get().to_dict()
    entry.update(typed)
    service.post("sweep", signed=False)
    service.settle()
    assert entry.get().to_dict() == before
    (line,) = [one for one in capsys.readouterr().out.splitlines() if said in one]
    assert sid in line and '"WARNING"' in line


def test_a_display_name_of_two_pools_is_reported(service: Service, db: Client) -> None:
    records.pool(db, "a", display_name="Sales")
    records.pool(db, "b", display_name="sales")
    service.settle()
    assert "also means the pool a" in records.read(db, "pools", "b")["problem"]


def test_a_customer_that_a_person_wrote_goes_before_one_that_the_service_made(
    service: Service, db: Client
) -> None:
    write(service, "+15550000001")
    service.settle()
    (made,) = db.collection("customers").list_documents()
    for number, name in enumerate(("zoe", "00"), start=3):
        records.customer(db, name, addresses=["+1 555 000 0001"], display_name=name)
        service.settle()
        sid = write(service, "+15550000001", to=f"+1555000000{number}")
        assert records.conversation(db, sid)["customer_id"] == name != made.id
        db.collection("customers").document(name).delete()
        service.settle()


def test_each_known_field_is_its_own_spelling() -> None:
    for record, names in field_names.FIELDS.items():
        assert len({field_names.key_of(name) for name in names}) == len(names), record
        assert field_names.read(dict.fromkeys(names), record).problems == ()
