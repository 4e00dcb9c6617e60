"""The scenario's report: wrong is wrong, and says what was expected."""

import io

from rich.console import Console

from local.report import Report


def report() -> tuple[Report, io.StringIO]:
    text = io.StringIO()
    return Report(Console(file=text, highlight=False), patience=0.1), text


def test_all_right_is_a_success() -> None:
    paper, text = report()
    paper.step("A customer writes.")
    paper.expect("it waits", lambda: "queued", "queued")
    assert paper.close()
    assert "1 steps, 1 of 1 checks right" in text.getvalue()


def test_one_wrong_check_fails_it_and_names_both_values() -> None:
    paper, text = report()
    paper.expect("it waits", lambda: "queued", "queued")
    paper.expect("Alice has it", lambda: None, "alice")
    assert not paper.close()
    assert "WRONG Alice has it: expected 'alice', found None" in text.getvalue()


def test_what_becomes_true_a_little_later_is_right() -> None:
    values = iter([1, 2, 3, 3])
    paper, _ = report()
    paper.expect("it becomes 3", lambda: next(values), 3)
    assert paper.close()


def test_what_a_customer_is_called_is_not_taken_for_markup() -> None:
    paper, text = report()
    paper.tell("[bold]Robert[/bold] wrote")
    assert "[bold]Robert[/bold] wrote" in text.getvalue()
