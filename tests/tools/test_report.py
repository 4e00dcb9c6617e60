"""The report of the command line has the figures of the desk."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from google.cloud.firestore import Client

from tests.core import records as console
from tests.desk.test_reports import ANN, NOON, conversation
from tests.wallboard import records
from tools import report

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(project: str, capsys: pytest.CaptureFixture[str]) -> Run:
    def of(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = report.main(["--project", project, *arguments])
        except SystemExit as end:
            code = int(str(end.code))
        return code, *capsys.readouterr()

    return of


def test_the_csv_has_a_line_for_each_day_and_the_total(db: Client, run: Run) -> None:
    console.worker(db, ANN, "Unavailable", display_name="Ann")
    records.load(
        db,
        [
            conversation(1, NOON, worker=ANN, waited=4.0),
            conversation(2, NOON, waited=None),
        ],
    )
    code, out, _ = run("--from", "2026-03-01", "--to", "2026-03-03", "--csv")
    assert code == 0
    lines = list(csv.DictReader(io.StringIO(out)))
    assert [line["day"] for line in lines] == [
        "2026-03-01",
        "2026-03-02",
        "2026-03-03",
        "total",
    ]
    assert [line["arrived"] for line in lines] == ["0", "2", "0", "2"]
    assert lines[1]["abandoned"] == "1"
    assert lines[1]["average_wait"] == "4.0000"


@pytest.mark.parametrize("by", ["day", "hour", "pool", "worker"])
def test_a_table_is_printed_by_each_of_the_four(
    db: Client, run: Run, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    records.load(db, [conversation(1, NOON, worker=ANN, waited=4.0)])
    code, out, _ = run("--from", "2026-03-02", "--to", "2026-03-02", "--by", by)
    assert code == 0
    assert by.capitalize() in out
    assert "Hours Available" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "2026-03-02", "--to", "2026-03-01"), "is before --from"),
        (("--from", "2800-01-01"), "is in the future"),
        (("--from", "2001-01-01"), "choose at most 400 days"),
        (("--from", "1.3.2026"), "must be a day such as 2026-05-01"),
        ((), "--from"),
    ],
)
def test_an_invalid_span_is_one_sentence(
    db: Client, run: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    code, out, errors = run(*arguments)
    assert (code, out) == (2, "")
    assert sentence in " ".join(errors.split())


def test_help_says_what_is_read(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "one document for each conversation" in out
