"""The wallboard as a supervisor sees it: figures that are those of the documents, and that renew themselves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.cloud import firestore
from playwright.sync_api import Locator, Page, expect

from domain.conversation import Conversation
from tests.service import Apps
from tests.wallboard import records

_SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(one => sum += one.value))
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 100);
})"""


@pytest.fixture
def url(apps: Apps, project: str) -> str:
    return f"{apps.server.url}/wallboard"


def tile(page: Page, label: str) -> Locator:
    return page.locator(".tile", has=page.get_by_text(label, exact=True)).locator("dd")


def test_the_figures_shown_are_those_that_the_documents_give(
    url: str, page: Page, db: firestore.Client
) -> None:
    records.load(db, records.a_day(40))
    page.goto(url)
    documents = records.since_midnight(db)
    waits = [d["waited"] for d in documents if d["waited"] is not None]
    abandoned = [d for d in documents if d["waited"] is None and d["state"] == "closed"]
    waiting = [
        one.to_dict() or {} for one in db.collection("pending_conversations").stream()
    ]
    ended = [
        d
        for d in documents
        if not d["outside_hours"] and (d["waited"] is not None or d in abandoned)
    ]
    share = (
        100
        * sum((d["waited"] or 99) <= 60 for d in ended if d not in abandoned)
        / len(ended)
    )
    expect(tile(page, "Arrived")).to_have_text(str(len(documents)))
    expect(tile(page, "Assigned")).to_have_text(str(len(waits)))
    expect(tile(page, "Abandoned")).to_have_text(str(len(abandoned)))
    expect(tile(page, "Within 1 min")).to_have_text(f"{share:.0f} %")
    expect(tile(page, "Waiting")).to_have_text(str(len(waiting)))


def test_it_renews_itself_without_moving_what_one_reads(
    url: str, page: Page, db: firestore.Client
) -> None:
    page.goto(url)
    expect(tile(page, "Arrived")).to_have_text("0")
    assert page.evaluate(_SHIFTS) < 0.01
    now = datetime.now(UTC)
    one = Conversation(
        records.sid(1),
        state="queued",
        mode="pool",
        pool="default",
        display_name="Ada",
        queued_at=now,
    )
    records.load(db, [one])
    expect(tile(page, "Waiting")).to_have_text("1")
    expect(page.get_by_role("link", name="Ada")).to_be_visible()


def test_a_link_keeps_the_focus_when_its_panel_is_renewed(
    url: str, page: Page, db: firestore.Client
) -> None:
    at = datetime.now(UTC) - timedelta(seconds=5)
    one = Conversation(
        records.sid(1), state="queued", pool="default", display_name="Ada", queued_at=at
    )
    records.load(db, [one])
    page.goto(url)
    page.get_by_role("link", name="Ada").focus()
    records.load(
        db, [Conversation(records.sid(2), state="queued", pool="default", queued_at=at)]
    )
    expect(tile(page, "Waiting")).to_have_text("2")
    assert page.evaluate("document.activeElement.textContent") == "Ada"


def test_when_the_server_is_gone_the_page_says_that_its_figures_are_old(
    url: str, page: Page
) -> None:
    page.goto(url)
    expect(page.get_by_role("status")).to_have_text("Live")
    page.context.set_offline(True)
    expect(page.get_by_role("status")).to_contain_text("may be old")
    page.context.set_offline(False)
    expect(page.get_by_role("status")).to_have_text("Live", timeout=30_000)


def test_the_log_and_a_story_are_found_by_links_alone(
    url: str, page: Page, db: firestore.Client
) -> None:
    at = datetime.now(UTC)
    story = (
        {"at": at, "what": "unrouted", "why": "not routed: this number is not routed"},
    )
    one = Conversation(
        records.sid(7),
        state="unrouted",
        mode="none",
        display_name="Reader",
        created_at=at,
        log=story,
    )
    records.load(db, [one])
    page.goto(url)
    page.get_by_role("link", name="Log").click()
    page.get_by_label("State").select_option("unrouted")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Reader").click()
    expect(page.get_by_text("not routed: this number is not routed")).to_be_visible()
    page.get_by_role("link", name="Back to the log").click()
    expect(page.get_by_role("heading", name="Conversations")).to_be_visible()


@pytest.mark.parametrize(
    "view", ["", "?view=log", f"?view=conversation&sid={records.sid(0)}"]
)
def test_nothing_sticks_out_of_a_narrow_screen(
    url: str, page: Page, db: firestore.Client, view: str
) -> None:
    records.load(db, records.a_day(6))
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto(url + view)
    if not view:
        expect(tile(page, "Arrived")).not_to_have_text("…")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_the_page_can_be_read_without_scripts(
    url: str, page: Page, db: firestore.Client
) -> None:
    browser = page.context.browser
    assert browser
    records.load(db, records.a_day(10))
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{url}?full=1")
    expect(tile(plain, "Arrived")).to_have_text(str(len(records.since_midnight(db))))
    context.close()


def test_the_scripts_shipped_load_nothing_from_elsewhere() -> None:
    root = Path(__file__).parents[2]
    for folder in ("functions", "local/playground"):
        for path in (root / folder).rglob("*.[jhc]*s*"):
            if path.suffix in (".js", ".css", ".html"):
                found = [
                    word
                    for word in path.read_text().split()
                    if "//" in word
                    and "http" in word
                    and "w3.org" not in word
                    and "https://${" not in word  # a link that a person taps
                ]
                assert not found, (path, found)
