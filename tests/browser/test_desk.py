"""A supervisor's day in a real browser: who waits, who works, a thread, a hand-over, a search, an export."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from local.oidc import Issuer
from tests.browser.conftest import watched
from tests.service import Service

ALICE, BOB, MARIA = "alice@example.com", "bob@example.com", "maria@example.com"
ADA, GRACE = "+447700900001", "+447700900002"
OURS = "+15550009999"
WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
FUNCTIONS = Path(__file__).parents[2] / "functions"
LARGEST = 60_000  # bytes of code, compressed
_WIDER_THAN_THE_PAGE = (
    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
)


class Office:
    """The service with its workers, and supervisors' browsers."""

    def __init__(self, service: Service, browser: Browser) -> None:
        self.service = service
        self.url = f"{service.url('desk')}/"
        self._browser = browser
        self._open: list[tuple[BrowserContext, list[str]]] = []
        self._record(ALICE, "Unavailable")
        self._record(BOB, "Unavailable")
        self._record(MARIA, "Unavailable", role="supervisor", pools=[])
        service.db.document("pools/default").set({"display_name": "Reception"})
        service.db.document("pools/sales").set({"display_name": "Sales"})
        ada = {"display_name": "Ada Byron", "addresses": [ADA]}
        service.db.document("customers/ada").set(ada)
        service.standin.set_autocreate(OURS)
        service.settle()

    def _record(self, identity: str, status: str, **more: object) -> None:
        name = identity.partition("@")[0].capitalize()
        fields = {"status": status, "pools": ["default"], "display_name": name}
        self.service.db.document(f"workers/{identity}").set(fields | more)

    def write(self, customer: str, text: str) -> str:
        sid = self.service.standin.inbound(customer, OURS, text).conversation_sid
        self.service.settle()
        return str(sid)

    def state(self, sid: str) -> tuple[object, object]:
        record = self.service.db.document(f"conversations/{sid}").get().to_dict() or {}
        return record.get("state"), record.get("worker")

    def signed_in(
        self,
        identity: str = MARIA,
        size: ViewportSize = WIDE,
        scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        context = self._browser.new_context(
            viewport=size,
            color_scheme=scheme,
            reduced_motion="reduce",
            accept_downloads=True,
        )
        page, wrong = watched(context)
        self._open.append((context, wrong))
        page.goto(f"{self.url}sign-in")
        page.goto(f"{page.url}&email={identity}")
        return page

    def close(self) -> None:
        for context, _ in self._open:
            context.close()
        assert [wrong for _, wrong in self._open if wrong] == []


@pytest.fixture
def office(service: Service, issuer: Issuer, browser: Browser) -> Iterator[Office]:
    opened = Office(service, browser)
    yield opened
    opened.close()


def _is_clean(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate(_WIDER_THAN_THE_PAGE) <= 0


def test_a_supervisor_gives_opens_and_closes_a_conversation(office: Office) -> None:
    ada, _ = office.write(ADA, "Is it ready?"), office.write(GRACE, "Hello")
    page = office.signed_in()
    waiting = page.get_by_role("table", name="Waiting")
    expect(waiting.get_by_role("row")).to_have_count(3)
    expect(waiting.get_by_role("row", name="Ada Byron")).to_contain_text("Reception")
    workers = page.get_by_role("table", name="Workers")
    expect(workers.get_by_role("row", name="Alice")).to_contain_text("0 of 5")
    expect(page.get_by_role("list", name="Needs attention")).to_be_visible()
    _is_clean(page)

    waiting.get_by_role("button", name="Give Ada Byron").click()
    dialog = page.get_by_role("dialog", name="Hand over")
    dialog.get_by_role("radio", name="Alice").check()
    dialog.get_by_role("textbox", name="A word to the next").fill("Be kind")
    _is_clean(page)
    dialog.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Ada Byron was handed over.")).to_be_visible()
    expect(workers.get_by_role("row", name="Alice")).to_contain_text("1 of 5")
    expect(waiting.get_by_role("row")).to_have_count(2)
    assert office.state(ada) == ("assigned", ALICE)

    workers.get_by_role("link", name="Ada Byron").click()
    thread = page.get_by_role("region", name="Conversation with Ada Byron")
    expect(thread.get_by_role("log", name="Messages")).to_contain_text("Is it ready?")
    thread.get_by_text("Log", exact=True).click()
    expect(thread.get_by_text("Be kind")).to_be_visible()
    _is_clean(page)
    thread.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Close conversation").click()
    expect(thread.get_by_text("Closed with Alice")).to_be_visible()
    expect(workers.get_by_role("row", name="Alice")).to_contain_text("0 of 5")
    assert office.state(ada)[0] == "closed"


def test_a_worker_is_set_available_and_gets_what_waits(office: Office) -> None:
    sid = office.write(GRACE, "Hello")
    page = office.signed_in()
    page.get_by_role("switch", name="Bob Available").click()
    expect(page.get_by_text("Bob is Available.")).to_be_visible()
    bob = page.get_by_role("table", name="Workers").get_by_role("row", name="Bob")
    expect(bob).to_contain_text("1 of 5")
    expect(page.get_by_text("No customers are waiting.")).to_be_visible()
    assert office.state(sid) == ("assigned", BOB)


def test_a_conversation_is_searched_read_and_exported(office: Office) -> None:
    office.write(ADA, "Is it ready?")
    office.write(GRACE, "Hello")
    page = office.signed_in()
    page.get_by_role("link", name="Conversations").click()
    table = page.get_by_role("table", name="Conversations")
    expect(table.get_by_role("row")).to_have_count(3)
    page.get_by_role("searchbox", name="Search").fill("07700 900001")
    expect(table.get_by_role("row")).to_have_count(2)
    _is_clean(page)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Export CSV").click()
    text = downloading.value.path().read_text("utf-8-sig")
    assert "Ada Byron" in text
    assert len(text.splitlines()) == 2
    table.get_by_role("link", name="Ada Byron").focus()
    page.keyboard.press("Enter")
    log = page.get_by_role("log", name="Messages")
    expect(log).to_contain_text("Is it ready?")
    page.keyboard.press("Escape")
    expect(log).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_thread_covers_the_table(
    office: Office, scheme: Literal["light", "dark"]
) -> None:
    office.write(ADA, "Is it ready?")
    page = office.signed_in(size=PHONE, scheme=scheme)
    page.get_by_role("link", name="Ada Byron").click()
    expect(page.get_by_role("log", name="Messages")).to_contain_text("Is it ready?")
    _is_clean(page)
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("table", name="Waiting")).to_be_visible()
    _is_clean(page)


def test_a_worker_is_refused(office: Office) -> None:
    page = office.signed_in(ALICE)
    expect(page.get_by_text("only supervisors can open the desk")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)


def test_the_whole_page_is_small() -> None:
    shared = [FUNCTIONS / "static" / f"{n}.js" for n in ("preact", "server", "parts")]
    own = FUNCTIONS / "desk" / "static"
    styles = [FUNCTIONS / "static" / "theme.css", *own.glob("*.css")]
    files = [*shared, *own.glob("*.js"), *styles, own / "page.html"]
    size = sum(len(gzip.compress(file.read_bytes())) for file in files)
    assert size < LARGEST, size
