"""The cost tables in the documentation are those that the command prints."""

import re
from pathlib import Path

import pytest

from tools.cost import (
    LIVES,
    operations,
    range_per_thousand,
    report,
    running,
    volumes,
)

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "deploying.md"
SCALING = ROOT / "docs" / "scaling.md"


def between(page: Path, name: str) -> str:
    text = page.read_text().split(f"<!-- {name}: begin -->\n")[1]
    return text.split(f"<!-- {name}: end -->")[0].strip()


def test_the_page_shows_what_the_command_prints() -> None:
    assert between(PAGE, "cost") == report(), (
        "put the output of python -m tools.cost between the two comments"
    )


@pytest.mark.parametrize("page", [ROOT / "README.md", SCALING])
def test_other_pages_quote_the_same_table_and_sum(page: Path) -> None:
    assert between(page, "volumes") == "\n".join(volumes())
    assert range_per_thousand() in page.read_text()
    assert "\n".join(volumes()) in report()


def test_the_page_on_scaling_counts_the_documents_of_the_table() -> None:
    at_once, waited = (
        {
            what: sum(operations()[step][what] for step in LIVES[life])
            for what in ("reads", "writes")
        }
        for life in LIVES
    )
    words = " ".join(SCALING.read_text().split())
    assert f"per conversation {at_once['reads']} documents read" in words
    assert f"and {at_once['writes']} written over its whole life" in words
    more = waited["reads"] - at_once["reads"]
    assert re.search(rf"had to wait costs {more} reads", words)


def test_a_request_is_billed_in_started_tenths_of_a_second() -> None:
    assert running(0.101) == running(0.2) > running(0.1) == running(0.001)
