"""The worker's page in a real browser: a whole day of it, and all that may go wrong on the way."""

from __future__ import annotations

import base64
import gzip
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Route,
    ViewportSize,
    expect,
)
from playwright.sync_api import Error as BrowserError

from local.oidc import Issuer
from tests.browser.conftest import PATIENCE, watched
from tests.service import Service

ALICE, BOB = "alice@example.com", "bob@example.com"
ANN, BEN = "+447700900001", "+447700900002"
OURS = "+15550009999"
HOSTILE = "<img src=x onerror=\"alert('x')\"><script>alert('y')</script>"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 800}
STATIC = Path(__file__).parents[2] / "functions" / "inbox" / "static"


class Desk:
    """The service with its workers, and their browsers."""

    def __init__(self, service: Service, browser: Browser) -> None:
        self.service = service
        self.standin = service.standin
        self.url = f"{service.url('inbox')}/"
        self._browser = browser
        self._open: list[tuple[BrowserContext, list[str]]] = []

    def record(self, identity: str, status: str = "Unavailable") -> None:
        name = identity.partition("@")[0].capitalize()
        fields = {"status": status, "pools": ["default"], "display_name": name}
        self.service.db.document(f"workers/{identity}").set(fields)

    def browser(
        self, size: ViewportSize = PHONE, scheme: Literal["light", "dark"] = "light"
    ) -> tuple[Page, BrowserContext]:
        context = self._browser.new_context(
            viewport=size,
            color_scheme=scheme,
            reduced_motion="reduce",
            has_touch=size is PHONE,
        )
        page, wrong = watched(context)
        self._open.append((context, wrong))
        return page, context

    def signed_in(self, identity: str, size: ViewportSize = PHONE, **more: Any) -> Page:
        page, _ = self.browser(size, **more)
        page.goto(self.url)
        sign_in(page, identity)
        return page

    def write(self, text: str, customer: str = ANN) -> str:
        """A customer's message; returns the conversation's SID."""
        sid = self.standin.inbound(customer, OURS, text).conversation_sid
        assert sid is not None
        return sid

    def with_ann(self, text: str = "Hello") -> tuple[Page, str]:
        """Alice on her phone, and her conversation with Ann open."""
        self.record(ALICE, "Available")
        self.service.settle()
        sid = self.write(text)
        page = self.signed_in(ALICE)
        entry(page, text).click()
        expect(messages(page)).to_contain_text(text)
        return page, sid

    def at_twilio(self, sid: str) -> list[str]:
        """What was written there, in order."""
        return [str(one["body"]) for one in self.standin.messages(sid)]

    def state(self, sid: str) -> Any:
        return (
            self.service.db.document(f"conversations/{sid}").get().to_dict() or {}
        ).get("state")

    def close(self) -> None:
        for context, _ in self._open:
            with suppress(BrowserError):  # a test may have closed it
                context.close()
        assert [wrong for _, wrong in self._open if wrong] == []


@pytest.fixture
def desk(service: Service, issuer: Issuer, browser: Browser) -> Iterator[Desk]:
    service.standin.set_autocreate(OURS)
    service.db.document("pools/default").set({"display_name": "Reception"})
    opened = Desk(service, browser)
    yield opened
    opened.close()


def sign_in(page: Page, identity: str) -> None:
    page.get_by_role("link", name=re.compile("Sign in")).click()
    page.get_by_role(
        "link", name=re.compile(identity.partition("@")[0], re.IGNORECASE)
    ).first.click()
    expect(switch(page)).to_be_visible()


def switch(page: Page) -> Locator:
    return page.get_by_role("switch", name="Available", exact=True)


def entry(page: Page, text: str) -> Locator:
    """A conversation in the list."""
    return (
        page.get_by_role("list", name="Conversations")
        .get_by_role("listitem")
        .filter(has_text=text)
        .get_by_role("link")
    )


def messages(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def send(page: Page, text: str) -> None:
    box(page).fill(text)
    page.get_by_role("button", name="Send").click()


def sent(page: Page, text: str) -> None:
    """It is in the log once, and no longer on its way."""
    expect(messages(page).get_by_text(text, exact=True)).to_have_count(1)
    expect(page.locator(".going")).to_have_count(0)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_day_of_a_customer_who_waits_is_answered_handed_over_and_seen_off(
    desk: Desk,
) -> None:
    desk.record(ALICE)
    desk.record(BOB)
    desk.service.db.document("templates/hello").set(
        {"category": "Greetings", "content": "Hello {{Name}}, I am {{Author}}."}
    )
    desk.service.db.document("customers/ann").set(
        {
            "display_name": "Ann",
            "addresses": [ANN],
            "details": {"title": "Regular", "content": "Likes tea."},
        }
    )
    desk.service.settle()
    sid = desk.write("Is my parcel there?")

    alice = desk.signed_in(ALICE)
    expect(alice.get_by_text("You are Unavailable")).to_be_visible()
    switch(alice).click()
    expect(switch(alice)).to_have_attribute("aria-checked", "true")
    row = entry(alice, "Is my parcel there?")
    expect(row).to_contain_text("Ann")
    expect(row).to_contain_text("1 unread")
    expect(row).to_contain_text("Waiting")
    expect(alice).to_have_title("(1) Inbox")

    row.click()
    expect(messages(alice)).to_contain_text("Is my parcel there?")
    alice.get_by_role("button", name="Templates").click()
    alice.get_by_role("button", name="Hello Ann, I am Alice.").click()
    expect(box(alice)).to_have_value("Hello Ann, I am Alice.")
    alice.get_by_role("button", name="Send").click()
    sent(alice, "Hello Ann, I am Alice.")

    alice.get_by_label("Attach a picture or file").set_input_files(
        {"name": "parcel.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    expect(alice.get_by_role("img", name="Preview")).to_be_visible()
    alice.get_by_role("button", name="Send").click()
    shown = messages(alice).get_by_role("link").get_by_role("img", name="parcel.png")
    expect(shown).to_be_visible()
    expect(shown).to_have_js_property("naturalWidth", 1)
    phone = desk.standin.messages(sid)
    assert [one["body"] for one in phone][:2] == [
        "Is my parcel there?",
        "Hello Ann, I am Alice.",
    ]
    assert [file["filename"] for file in phone[2]["media"]] == ["parcel.png"]

    alice.get_by_role("button", name="Customer").click()
    expect(alice.get_by_role("dialog", name="Customer")).to_contain_text("Likes tea.")
    alice.keyboard.press("Escape")

    alice.get_by_role("button", name="Hand over").click()
    alice.get_by_role("radio", name="Bob").check()
    alice.get_by_role("dialog").get_by_role("button", name="Hand over").click()
    expect(alice.get_by_text("Ann was handed over.")).to_be_visible()
    expect(alice.get_by_role("listitem")).to_have_count(0)

    bob = desk.signed_in(BOB)
    entry(bob, "Ann").click()
    expect(messages(bob)).to_contain_text("Is my parcel there?")
    expect(messages(bob)).to_contain_text("Hello Ann, I am Alice.")
    send(bob, "It comes today.")
    sent(bob, "It comes today.")
    bob.get_by_role("button", name="Close").click()
    bob.get_by_role("button", name="Close conversation").click()
    expect(bob.get_by_text("is closed.")).to_be_visible()
    expect(bob.get_by_role("listitem")).to_have_count(0)
    assert desk.state(sid) == "closed"
    assert desk.at_twilio(sid)[-1] == "It comes today."


def test_a_worker_writes_first_and_the_answer_comes_to_them(desk: Desk) -> None:
    desk.record(ALICE)
    desk.service.db.document(f"workers/{ALICE}").update({"addresses": [OURS]})
    desk.service.db.document("customers/ann").set(
        {"display_name": "Ann", "addresses": [ANN], "worker": ALICE}
    )
    desk.service.settle()
    page = desk.signed_in(ALICE)
    page.get_by_role("button", name="New conversation").click()
    page.get_by_label("Name or number").fill("An")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^A?Ann")).click()
    page.get_by_label("Text", exact=True).fill("Your parcel is here.")
    page.get_by_role("dialog").get_by_role("button", name="Write", exact=True).click()
    sent(page, "Your parcel is here.")
    sid = desk.write("I come at noon.")
    expect(messages(page)).to_contain_text("I come at noon.")
    assert desk.at_twilio(sid) == ["Your parcel is here.", "I come at noon."]
    assert desk.state(sid) == "assigned"


def approved(desk: Desk) -> str:
    """An approved template with a record; returns its SID at Twilio."""
    sid = desk.standin.add_content(
        "parcel", "Your parcel is here, {{1}}.", variables={"1": "you"}
    )
    record = {
        "content": "Your parcel is here, {{1}}.",
        "content_sid": sid,
        "variables": {"1": "{{Name}}"},
    }
    desk.service.db.document("templates/parcel").set(record)
    desk.service.db.document("templates/text").set(
        {"content": "A text that is no template."}
    )
    return sid


def test_writing_first_on_whatsapp_offers_templates(desk: Desk) -> None:
    content_sid = approved(desk)
    desk.record(ALICE)
    desk.service.db.document(f"workers/{ALICE}").update(
        {"addresses": [f"whatsapp:{OURS}"]}
    )
    record = {"display_name": "Ann", "addresses": [f"whatsapp:{ANN}"], "worker": ALICE}
    desk.service.db.document("customers/ann").set(record)
    desk.service.settle()
    page = desk.signed_in(ALICE)
    page.get_by_role("button", name="New conversation").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("button", name=re.compile("Ann")).click()
    expect(sheet.get_by_text("has not written in the last 24 hours")).to_be_visible()
    expect(sheet.get_by_role("textbox", name="Text")).to_have_count(0)
    expect(sheet.get_by_text("no template")).to_have_count(0)
    expect(sheet.get_by_role("button", name="Write", exact=True)).to_be_disabled()
    sheet.get_by_text("Your parcel is here, Ann.").click()
    sheet.get_by_role("button", name="Write", exact=True).click()
    sent(page, "Your parcel is here, Ann.")
    expect(box(page)).not_to_be_editable()
    (conversation,) = desk.standin.conversations()
    assert [
        one["content_sid"] for one in desk.standin.messages(conversation["sid"])
    ] == [content_sid]


def test_once_twilio_says_that_the_window_is_closed_only_templates_are_offered(
    desk: Desk,
) -> None:
    approved(desk)
    desk.record(ALICE, "Available")
    desk.service.settle()
    desk.standin.set_autocreate(f"whatsapp:{OURS}")
    desk.standin.inbound(f"whatsapp:{ANN}", f"whatsapp:{OURS}", "Hello")
    page = desk.signed_in(ALICE)
    entry(page, "Hello").click()
    expect(page.get_by_text("left to reply freely")).to_be_visible()
    desk.standin.refuse_delivery(f"whatsapp:{ANN}", 63016, "failed")
    send(page, "Good morning")
    expect(page.locator(".notice")).to_contain_text(
        "WhatsApp takes approved templates only"
    )
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(box(page)).not_to_be_editable()
    desk.standin.refuse_delivery(f"whatsapp:{ANN}", 0, "delivered")
    page.get_by_role("button", name="Templates").click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_text("A text that is no template.")).to_have_count(0)
    sheet.get_by_role("button", name="Your parcel is here, customer.").click()
    sent(page, "Your parcel is here, customer.")


def test_a_forged_cookie_signs_nobody_in_and_what_was_typed_is_there_afterwards(
    desk: Desk,
) -> None:
    page, _ = desk.with_ann()
    box(page).fill("Half a sentence")
    context = page.context
    cookies = [one for one in context.cookies() if one["httpOnly"]]
    assert cookies
    for one in cookies:
        forged = {
            "name": one["name"],
            "value": f"x{one['value']}",
            "domain": one["domain"],
            "path": one["path"],
        }
        context.add_cookies([forged])  # type: ignore[list-item] # its type wants what it does not need
    page.get_by_role("button", name="Send").click()
    expect(
        page.get_by_role("alert").filter(has_text="You are signed out")
    ).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    page.get_by_role("link", name=re.compile("Sign in")).click()
    page.get_by_role("link", name=re.compile("alice", re.IGNORECASE)).first.click()
    sent(page, "Half a sentence")


def test_signing_out_leaves_no_draft_on_the_device_and_keeps_what_is_unsent(
    desk: Desk,
) -> None:
    page, _ = desk.with_ann()
    box(page).fill("Diagnosis of the customer")
    others = "inbox bob@example.com draft CH1"
    page.evaluate("key => localStorage.setItem(key, '\"Of Bob\"')", others)
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    stored = page.evaluate("JSON.stringify(localStorage)")
    assert "Diagnosis" not in stored and "Of Bob" in stored
    sign_in(page, ALICE)
    entry(page, "Hello").click()
    expect(messages(page)).to_contain_text("Hello")
    expect(box(page)).to_have_value("")


def test_signing_out_everywhere_ends_the_other_devices_and_keeps_their_drafts(
    desk: Desk,
) -> None:
    phone, _ = desk.with_ann()
    box(phone).fill("Half a sentence")
    other = desk.signed_in(ALICE, DESK)
    other.get_by_role("button", name="More").click()
    other.get_by_role("button", name="Sign out everywhere").click()
    expect(other.get_by_role("link", name="Sign in")).to_be_visible()
    phone.evaluate("dispatchEvent(new Event('focus'))")
    expect(
        phone.get_by_role("alert").filter(has_text="You are signed out")
    ).to_be_visible()
    phone.get_by_role("link", name="Sign in again").click()
    phone.get_by_role("link", name=re.compile("alice", re.IGNORECASE)).first.click()
    expect(box(phone)).to_have_value("Half a sentence")


def test_anothers_conversation_is_told_of_in_a_sentence_and_not_shown(
    desk: Desk,
) -> None:
    desk.record(ALICE, "Available")
    desk.record(BOB)
    desk.service.settle()
    sid = desk.write("For Alice alone")
    bob = desk.signed_in(BOB)
    bob.goto(f"{desk.url}#{sid}")
    expect(bob.get_by_text("no longer have this conversation")).to_be_visible()
    expect(bob.get_by_text("For Alice alone")).to_have_count(0)


def test_a_conversation_that_was_closed_meanwhile_takes_nothing_and_keeps_what_was_typed(
    desk: Desk,
) -> None:
    page, sid = desk.with_ann()
    box(page).fill("Just a moment")
    desk.standin.set_state(sid, "closed")
    desk.service.settle()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("no longer have this conversation")).to_be_visible()
    expect(box(page)).to_have_value("Just a moment")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()


@pytest.mark.parametrize(
    "lost", [True, False], ids=["the answer is lost", "Twilio refuses"]
)
def test_when_twilio_fails_in_the_middle_of_a_send_it_arrives_once(
    desk: Desk, lost: bool
) -> None:
    page, sid = desk.with_ann()
    desk.standin.fail(
        None if lost else 429,
        20429,
        drop_answer=lost,
        times=1,
        method="POST",
        path="Messages",
    )
    send(page, "Only once")
    sent(page, "Only once")
    assert desk.at_twilio(sid) == ["Hello", "Only once"]


def test_while_twilio_is_down_the_page_says_so_and_sends_later(desk: Desk) -> None:
    page, sid = desk.with_ann()
    desk.standin.fail(429, 20429, method="POST", path="Messages")
    send(page, "Later then")
    expect(messages(page).get_by_text("Twilio isn't responding")).to_be_visible()
    expect(messages(page).get_by_text("Trying again")).to_be_visible()
    desk.standin.heal()
    sent(page, "Later then")
    assert desk.at_twilio(sid) == ["Hello", "Later then"]


def test_what_could_not_be_delivered_says_why_and_is_sent_again_by_a_tap(
    desk: Desk,
) -> None:
    page, sid = desk.with_ann()
    desk.standin.refuse_delivery(ANN)
    send(page, "Are you there?")
    expect(
        messages(page).get_by_text(
            "Not delivered: The phone is switched off or out of reach."
        )
    ).to_be_visible()
    page.get_by_role("button", name="Back").click()
    entry(page, "Not delivered").click()
    desk.standin.refuse_delivery(ANN, status="delivered")
    messages(page).get_by_role("button", name="Try again").click()
    expect(messages(page).get_by_text("Are you there?", exact=True)).to_have_count(2)
    expect(page.locator(".going")).to_have_count(0)
    assert desk.at_twilio(sid) == ["Hello", "Are you there?", "Are you there?"]


def test_a_file_of_a_wrong_kind_or_size_is_refused_before_it_is_sent(
    desk: Desk,
) -> None:
    page, sid = desk.with_ann()
    box(page).fill("See the file")
    for name, kind, length, told in (
        ("film.avi", "video/x-msvideo", 10, "can't be sent here"),
        ("huge.gif", "image/gif", 5_000_001, "too large"),
    ):
        page.get_by_label("Attach a picture or file").set_input_files(
            {"name": name, "mimeType": kind, "buffer": b"x" * length}
        )
        expect(page.get_by_role("alert").filter(has_text=told)).to_contain_text(name)
    page.get_by_role("button", name="Send").click()
    sent(page, "See the file")
    assert desk.at_twilio(sid) == ["Hello", "See the file"]


def test_a_text_that_is_too_long_is_counted_and_kept(desk: Desk) -> None:
    page, _ = desk.with_ann()
    box(page).fill("x" * 1601)
    expect(page.get_by_text("1 character too many")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    box(page).press("Control+Enter")
    expect(box(page)).to_have_value("x" * 1601)
    box(page).fill("x" * 1600)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()


def test_a_name_and_a_text_that_are_script_stay_text(desk: Desk) -> None:
    desk.service.db.document("customers/mallory").set(
        {"display_name": HOSTILE, "addresses": [ANN]}
    )
    page, _ = desk.with_ann(HOSTILE)
    expect(
        page.get_by_role("heading", level=1).filter(has_text="onerror")
    ).to_contain_text(HOSTILE)
    send(page, HOSTILE)
    expect(messages(page).get_by_text(HOSTILE, exact=True)).to_have_count(2)
    for name in ("Customer", "Templates", "Hand over", "Close"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
    assert page.locator("main img, main script").count() == 0


def test_two_devices_of_one_worker_show_the_same_at_once(desk: Desk) -> None:
    page, sid = desk.with_ann()
    other = desk.signed_in(ALICE, DESK)
    entry(other, "Hello").click()
    send(page, "From the phone")
    sent(page, "From the phone")
    other.evaluate("dispatchEvent(new Event('focus'))")
    sent(other, "From the phone")
    send(other, "From the desk")
    sent(other, "From the desk")
    assert desk.at_twilio(sid) == ["Hello", "From the phone", "From the desk"]
    switch(other).click()
    expect(switch(other)).to_have_attribute("aria-checked", "false")
    page.get_by_role("button", name="Back").click()
    expect(switch(page)).to_have_attribute("aria-checked", "false")


def test_a_reload_in_the_middle_of_a_send_sends_once_and_loses_nothing(
    desk: Desk,
) -> None:
    page, sid = desk.with_ann()
    held: list[Route] = []
    holding = [True]

    def hold(route: Route) -> None:
        if route.request.method == "POST" and holding:
            held.append(route)  # and never goes on: the reload ends it
        else:
            route.continue_()

    page.route("**/messages", hold)
    page.get_by_label("Attach a picture or file").set_input_files(
        {"name": "parcel.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    send(page, "Before the reload")
    expect(page.locator(".going")).to_have_count(2)
    box(page).fill("Not yet sent")
    holding.clear()
    second = page.context.new_page()
    second.goto(page.url)
    page.reload()
    for one in (page, second):
        sent(one, "Before the reload")
        expect(messages(one).get_by_role("img", name="parcel.png")).to_have_count(1)
        expect(box(one)).to_have_value("Not yet sent")
    assert desk.at_twilio(sid)[2:] == ["Before the reload"]
    assert len(desk.standin.messages(sid)) == 3


def test_without_a_connection_the_list_stays_and_what_is_written_goes_out_afterwards(
    desk: Desk,
) -> None:
    page, sid = desk.with_ann()
    page.context.set_offline(True)
    send(page, "In the tunnel")
    expect(messages(page).get_by_text("You're offline.")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_text("Last updated at")).to_be_visible()
    expect(entry(page, "Hello")).to_be_visible()
    page.context.set_offline(False)
    entry(page, ANN).click()
    sent(page, "In the tunnel")
    assert desk.at_twilio(sid) == ["Hello", "In the tunnel"]


def test_how_often_it_looks(desk: Desk) -> None:
    desk.record(ALICE, "Available")
    desk.service.settle()
    sid = desk.write("Hello")
    page, _ = desk.browser()
    page.clock.install()
    page.goto(desk.url)
    sign_in(page, ALICE)
    looks: list[str] = []
    answers: list[str] = []
    page.on(
        "request",
        lambda one: looks.append(one.url) if one.url.endswith("/state") else None,
    )
    for ended in ("response", "requestfailed"):
        page.on(
            ended,
            lambda one: answers.append(one.url) if one.url.endswith("/state") else None,
        )

    def looks_within(seconds: float) -> int:
        """How often, of the page's own time."""
        before = len(looks)
        page.clock.run_for(round(seconds * 1000))
        page.wait_for_timeout(30)
        while len(answers) < len(looks):
            page.wait_for_timeout(30)
        page.wait_for_timeout(150)  # so that it has heard, and set its next look
        return len(looks) - before

    looks_within(5.1)
    assert looks_within(5.1) == 1
    assert looks_within(2.5) == 0
    entry(page, "Hello").click()
    expect(messages(page)).to_contain_text("Hello")
    looks_within(5.1)
    assert sum(looks_within(2.1) for _ in range(6)) >= 4
    assert (
        sum(looks_within(30) for _ in range(20)) <= 167
    )  # ten minutes of talk without a pause
    page.get_by_role("button", name="Back").click()
    long_ago = {"last_message.at": datetime.now(UTC) - timedelta(minutes=20)}
    desk.service.db.document(f"conversations/{sid}").update(long_ago)
    page.clock.fast_forward(601_000)
    looks_within(10)
    assert 2 <= sum(looks_within(10) for _ in range(12)) <= 4
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    looks_within(40.1)
    assert looks_within(60) == 0


def test_a_push_always_shows_something_and_rings_the_open_page(desk: Desk) -> None:
    desk.record(ALICE, "Available")
    desk.service.settle()
    page = desk.signed_in(ALICE)
    page.context.grant_permissions(["notifications"])
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    devtools = page.context.new_cdp_session(page)
    registrations: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registrations.extend(
            one["registrationId"] for one in told["registrations"]
        ),
    )
    devtools.send("ServiceWorker.enable")
    until(
        lambda: (
            bool(page.evaluate("navigator.serviceWorker.controller !== null"))
            and bool(registrations)
        )
    )
    desk.write("Rung")
    desk.service.settle()
    for data in ('{"title": "Ann", "body": "Rung", "sid": "CH1"}', "no JSON at all"):
        devtools.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": desk.service.base_url,
                "registrationId": registrations[-1],
                "data": data,
            },
        )
    shown = "async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(one => one.title)"
    until(lambda: sorted(page.evaluate(shown)) == ["Ann", "New message"])
    expect(entry(page, "Rung")).to_be_visible()


def test_by_keyboard_one_walks_opens_sends_and_goes_back(desk: Desk) -> None:
    desk.record(ALICE, "Available")
    desk.service.settle()
    desk.write("The first")
    desk.write("The second", BEN)
    page = desk.signed_in(ALICE, DESK)
    expect(page.get_by_role("listitem")).to_have_count(2)
    for key in ("j", "j", "k", "Enter"):
        page.keyboard.press(key)
    expect(messages(page)).to_contain_text("The first")
    expect(page.get_by_role("list", name="Conversations")).to_be_visible()
    expect(box(page)).to_be_focused()
    page.keyboard.type("By hand")
    page.keyboard.press("Control+Enter")
    sent(page, "By hand")
    page.keyboard.press("Escape")
    expect(messages(page)).to_have_count(0)
    expect(entry(page, "By hand")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="More")).to_contain_text("back to the list")


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=str
)
def test_nobody_is_shut_out(
    desk: Desk, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    """axe finds nothing, targets are large enough for a thumb, and nothing sticks out or jumps."""
    desk.record(ALICE, "Available")
    desk.service.settle()
    desk.write("Hello")
    page = desk.signed_in(ALICE, size, scheme=scheme)
    expect(entry(page, "Hello")).to_be_visible()
    page.goto(desk.url)
    entry(page, "Hello").wait_for()
    assert page.evaluate(_SHIFTS) < 0.01

    def checked() -> None:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate(_TOO_SMALL) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]

    def sheets(*names: str) -> None:
        for name in names:
            page.get_by_role("button", name=name).click()
            expect(page.get_by_role("dialog").locator(".bones")).to_have_count(0)
            checked()
            page.keyboard.press("Escape")

    checked()
    sheets("New conversation", "More")
    entry(page, "Hello").click()
    expect(messages(page)).to_contain_text("Hello")
    send(page, "Good morning")
    sent(page, "Good morning")
    checked()
    sheets("Customer", "Templates", "Hand over", "Close")


SHARED = ("preact.js", "parts.js", "server.js")
LOADED_ON_FIRST_USE = ("sheets.js", "card.js")


def test_the_page_is_below_40_kb_and_56_kb_with_its_dialogs() -> None:
    shared = STATIC.parents[1] / "static"
    styles = (shared / "theme.css").read_bytes() + (STATIC / "inbox.css").read_bytes()
    code = [*STATIC.glob("*.js"), *map(shared.joinpath, SHARED), STATIC / "page.html"]
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in code}
    sizes["styles"] = len(gzip.compress(styles))
    assert sum(sizes.values()) < 56_000
    later = sum(sizes[name] for name in LOADED_ON_FIRST_USE)
    assert sum(sizes.values()) - later < 40_000


_SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(one => sum += one.value))
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 100);
})"""
_TOO_SMALL = """() => [...document.querySelectorAll('button, a, textarea, label, input[type=search]')]
  .filter(one => one.offsetParent)
  .map(one => [one.textContent, one.getBoundingClientRect()])
  .filter(([, {width, height}]) => width < 44 || height < 44)
  .map(([text, {width, height}]) => `${text}: ${width} x ${height}`)"""
