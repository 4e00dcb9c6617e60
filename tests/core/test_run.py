"""One run of the sweep: what fails, and what only ran out of time."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import DeadlineExceeded

from functions.sweep.run import Run
from providers import clock


def _cut_off() -> bool:
    raise DeadlineExceeded("too late")  # type: ignore[no-untyped-call]  # Google's class carries no types


def test_a_call_that_is_cut_off_when_the_time_is_over_is_left_to_the_next_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run()
    with run.part("the queue", seconds=60), clock.within(0.0):
        assert run.shielded("conversation", "CH1", _cut_off, otherwise=False) is False
    assert (dict(run.failed), run.unfinished) == ({}, {"the queue"})
    assert "WARNING" in capsys.readouterr().out


def test_the_same_in_time_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()
    with run.part("the queue", seconds=60):
        assert run.shielded("conversation", "CH1", _cut_off, otherwise=False) is False
    assert (dict(run.failed), run.unfinished) == ({"conversation": 1}, set())
    logged = capsys.readouterr().out
    assert "ERROR" in logged and "stack_trace" not in logged
