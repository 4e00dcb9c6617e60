"""What a single log line looks like, and that none of them can break the reader or the service."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers import log

TRACE = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_trace() -> None:
    log.trace_from(None, None)


def written(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+447700900001", "…01"),
        ("whatsapp:+447700900001", "whatsapp:…01"),
        ("bobby@example.com", "b…@example.com"),
        ("messenger:1234567890", "messenger:…90"),
        ("", ""),
        (None, ""),
    ],
)
def test_of_an_address_too_little_is_left_to_write_to(
    address: str | None, shown: str
) -> None:
    assert log.masked(address) == shown


@pytest.mark.parametrize(
    "text",
    [
        "+447700900001",
        "whatsapp:+447700900001",
        "07700 900 001",
        "(0)7700-900.001",
        "bobby@example.com",
        "Bobby <bobby@example.com>, and others",
        "'bobby@example.com'.",
        "mailto:bobby@example.com",
    ],
)
def test_a_message_hides_numbers_and_addresses(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.warning(f"{text} belongs to 2 customers.", customer="ann")
    message = written(capsys)["message"]
    assert "bobby" not in message
    assert not any(part in message for part in ("7700900", "7700 900", "7700-900"))
    assert message.endswith("belongs to 2 customers.")


def test_the_worker_whom_the_line_is_about_stays_readable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.info(
        "alice@example.com left it, bob@example.com is in it",
        worker="alice@example.com",
    )
    assert (
        written(capsys)["message"]
        == "alice@example.com left it, b…@example.com is in it"
    )


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (TRACE, TRACE),
        (f"{TRACE}/123;o=1", TRACE),
        (f"{TRACE}0", None),
        ("../../x", None),
        (f'{TRACE[:-1]}"', None),
        ("", None),
        (None, None),
    ],
)
def test_a_trace_is_taken_over_if_it_is_one(
    header: str | None, trace: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    log.trace_from(header, "demo-p")
    log.info("x")
    found = written(capsys).get("logging.googleapis.com/trace")
    assert found == (f"projects/demo-p/traces/{trace}" if trace else None)


def test_a_crash_tells_where_but_not_what_was_in_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = " ".join(
        ["my", "secret"]
    )  # a traceback shows the line of code, so it is not written there
    try:
        raise KeyError(said)
    except KeyError:
        log.crash("pre_event failed unexpectedly.", function="pre_event")
    line = written(capsys)
    assert (line["severity"], line["function"]) == ("ERROR", "pre_event")
    assert line["stack_trace"].startswith("Traceback (most recent call last):")
    assert line["stack_trace"].endswith("KeyError")
    assert said not in json.dumps(line)


@settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture
    ],  # the fixture is emptied by every example
)
@given(
    message=st.text(st.characters(codec=None)),
    value=st.none()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.floats()
    | st.sets(st.integers()),
)
def test_any_text_is_one_line_of_json(
    message: str, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    log.info(message, conversation=value)
    out = capsys.readouterr().out
    assert out.endswith("\n") and out.count("\n") == 1
    line = json.loads(out)
    assert line["severity"] == "INFO" and isinstance(line["message"], str)
    assert out.encode()


@pytest.mark.parametrize("field", ["customer", "pool", "record", "conversation"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+447700900123", "…23"),
        ("447700900123", "…23"),
        ("07700 900123", "…23"),
        ("whatsapp:+447700900123", "whatsapp:…23"),
        ("jane.private@example.com", "j…@example.com"),
        ("crm-jane.private@example.com", "c…@example.com"),
        ("ada", "ada"),
        ("c-01234567890123456789", "c-01234567890123456789"),
        ("c-0123456789abcdef0123", "c-0123456789abcdef0123"),
        ("sales-2026", "sales-2026"),
        ("CH" + "0123456789" * 3 + "ab", "CH" + "0123456789" * 3 + "ab"),
    ],
)
def test_a_record_that_is_called_by_an_address_is_masked_in_every_field(
    capsys: pytest.CaptureFixture[str], field: str, value: str, shown: str
) -> None:
    log.warning(
        "The record is not right.", worker="alice@example.com", **{field: value}
    )
    line = written(capsys)
    assert (line[field], line["worker"]) == (shown, "alice@example.com")


@pytest.mark.parametrize(
    "text",
    [
        "2024010jane.doe@example.com",
        "+44 7700 900123jane.doe@example.com",
        "07700900123 jane.doe@example.com",
    ],
)
def test_a_number_that_runs_into_an_address_hides_neither(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.warning(f"From {text}.")
    assert "doe" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "piece", ["a", "1", "1x", "a@", "@", "1 ", "+1.", "(1", ".", "a@.", "é", "1@a."]
)
def test_masking_a_long_line_takes_no_longer_than_it_is_long(
    piece: str, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.process_time()
    log.warning(
        piece * (200_000 // len(piece)), customer=piece * (200_000 // len(piece))
    )
    assert time.process_time() - began < 2
    capsys.readouterr()
