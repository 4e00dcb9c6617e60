"""The cost table in the documentation is the one that the command prints."""

from pathlib import Path

from tools.cost import report, running

PAGE = Path(__file__).parent.parent.parent / "docs" / "deploying.md"


def test_the_page_shows_what_the_command_prints() -> None:
    shown = (
        PAGE.read_text()
        .split("<!-- cost: begin -->\n")[1]
        .split("<!-- cost: end -->")[0]
    )
    assert shown.strip() == report(), (
        "put the output of python -m tools.cost between the two comments"
    )


def test_a_request_is_billed_in_started_tenths_of_a_second() -> None:
    assert running(0.101) == running(0.2) > running(0.1) == running(0.001)
