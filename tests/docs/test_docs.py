"""What the documentation names is there: links, files, tests, functions, decisions."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from functions.table import FUNCTIONS

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES += [
    page.relative_to(ROOT).as_posix() for page in sorted((ROOT / "docs").rglob("*.md"))
]
DIAGRAM = ROOT / "docs" / "images" / "how-it-works.svg"
CALLERS = {
    "Twilio": "twilio",
    "Firestore": "firestore",
    "the scheduler": "scheduler",
    "a person": "person",
}
CALLERS |= {"a worker": "worker", "a supervisor": "worker"}

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OURS = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|sh|md|json|html|css|js|svg|toml))`")
_TESTS = re.compile(r"`(test_\w+(?:\.py)?)`")
_ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| ([\d.]+) \| .+ \|$", re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def anchors(page: Path) -> set[str]:
    """What a link may name behind `#`: the headings as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_repository_leads_somewhere(page: str) -> None:
    for link in _LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page} links to {link}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_with_its_folder_is_there(page: str) -> None:
    named = _OURS.findall(text_of(page))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_is_there(page: str) -> None:
    sources = {
        path.name: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")
    }
    tests = {
        name
        for source in sources.values()
        for name in re.findall(r"def (test_\w+)\(", source)
    }
    assert set(_TESTS.findall(text_of(page))) - tests - set(sources) == set()


def test_the_readmes_table_of_functions_says_what_the_table_says() -> None:
    told = []
    for name, caller, seconds in _ROW.findall(text_of("README.md")):
        kind = next(
            (kind for words, kind in CALLERS.items() if caller.startswith(words)),
            caller,
        )
        documents = re.search(r"`(.+?)`", caller) if kind == "firestore" else None
        told.append((name, kind, documents[1] if documents else "", float(seconds)))
    assert told == [
        (one.name, one.caller, one.documents, one.seconds) for one in FUNCTIONS
    ]


def test_the_diagram_names_every_function_and_no_other() -> None:
    drawing = re.sub(
        r"<(style|desc|!--).*?(</\1>|-->)", "", DIAGRAM.read_text(), flags=re.DOTALL
    )
    chips = re.findall(r'<text x="514"[^>]*>([^<]+)</text>', drawing)
    named = [
        name for chip in chips for name in re.split(r",\s*", chip.strip().rstrip(","))
    ]
    assert sorted(named) == sorted(one.name.replace("_", "-") for one in FUNCTIONS)


def test_decisions_are_numbered_without_a_hole() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [
        f"{number:04}" for number in range(1, len(pages) + 1)
    ]
    for number, page in enumerate(pages, 1):
        assert page.read_text().startswith(f"# {number}. "), page.name


def test_every_page_is_reached_from_another_one() -> None:
    """A page that no other page leads to is read by nobody."""
    linked = set()
    for page in PAGES:
        folder = (ROOT / page).parent
        linked |= {
            (folder / link.partition("#")[0]).resolve()
            for link in _LINK.findall(text_of(page))
        }
    pages = {(ROOT / page).resolve() for page in PAGES if page.startswith("docs/")}
    lonely = {
        page for page in pages if page not in linked and page.parent.name != "decisions"
    }
    assert lonely == set()
