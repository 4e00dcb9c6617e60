"""`python -m local.playground.screenshots`: the pictures in docs/images, taken from the running pages."""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from local import playground, sample_data
from local.playground import chromium, example_day
from local.sample_data import ALICE, BOB, DAN, KEY_ACCOUNTS, RECEPTION, SALES, WHATSAPP
from local.stack import Options, Stack
from local.twilio import StandIn
from local.worker_app import Inbox

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_WIDE: ViewportSize = {"width": 1440, "height": 960}
_PHONE: ViewportSize = {"width": 375, "height": 812}
_ADA, _GRACE, _EDSGER = "+447700900001", "+447700900002", "+447700900003"
_PATIENCE = 30.0


def main() -> int:
    """Everything from an empty project; 1 if there is no browser."""
    program = chromium.find()
    if program is None:
        print(f"No pictures: {chromium.MISSING}", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    stack = Stack(Options(project="demo-pictures", port=0, sweep_every=0), pages=playground.pages)
    try:
        stack.start()
        sample_data.load(stack.emulator.host, stack.options.project)
        _play(stack)
        with sync_playwright() as playwright:
            browser = chromium.launch(playwright, program)
            _take(browser, f"{stack.url}/", "playground", _ready_playground)
            _fill_the_day(stack)
            _take(browser, f"{stack.url}/wallboard", "wallboard", _ready_wallboard)
            browser.close()
    finally:
        stack.stop()
    return 0


def _play(stack: Stack) -> None:
    """A moment in the life of the service: two talk, one has a worker of her own, two wait."""
    if stack.standin is None:
        raise ValueError("The pictures need the stand-in.")
    twilio = stack.standin
    _write(twilio, _ADA, KEY_ACCOUNTS, "Good morning, Carol! Could we move our call to Thursday?")
    grace = _write(twilio, _GRACE, RECEPTION, "Hello, my order has not arrived yet.")
    buyer = _write(twilio, "+447700900012", SALES, "What does the large one cost?")
    _write(twilio, f"whatsapp:{_EDSGER}", WHATSAPP, "Is anybody there?")
    alice, dan = Inbox(stack.url, ALICE), Inbox(stack.url, DAN)
    for worker in (alice, dan):
        worker.turn("Available")
    _until(lambda: all(_is_in(twilio, sid) for sid in (grace, buyer)))
    alice.write(grace, "Good morning, Grace! Which number does it have?")
    _write(twilio, _GRACE, RECEPTION, "It is 1906.")
    alice.write(grace, "It left us last night and comes today before noon.")
    dan.write(buyer, "49 a month. Shall I send you the details?")
    _write(twilio, "+447700900017", RECEPTION, "Do you open on Sunday?")


def _fill_the_day(stack: Stack) -> None:
    os.environ["GOOGLE_CLOUD_PROJECT"] = stack.options.project  # for the service's own writer
    from assignment import ledger
    from domain.conversation import Conversation

    db = sample_data.client(stack.emulator.host, stack.options.project)
    now = datetime.now(UTC)
    zone = example_day.zone_of_late_afternoon(now)
    db.document("settings/routing").set({"time_zone": zone}, merge=True)
    db.document(f"workers/{BOB}").set({"status": "Availabel"}, merge=True)
    for one in example_day.conversations_until(now, zone):
        ledger.move(Conversation(one.sid), one)
    older = (
        entry for entry in db.collection("pending_conversations").order_by("queued_at").limit(1).stream()
    )
    for entry in older:
        since = {"queued_at": now - timedelta(minutes=11, seconds=20)}
        entry.reference.update(since)
        db.document(f"conversations/{entry.id}").update(since)


def _take(browser: Browser, url: str, name: str, ready: Callable[[Page], None]) -> None:
    shots: list[tuple[str, ViewportSize, Literal["light", "dark"]]] = [
        ("", _WIDE, "light"),
        ("-dark", _WIDE, "dark"),
        ("-mobile", _PHONE, "light"),
    ]
    for suffix, size, scheme in shots:
        page = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
        page.goto(url)
        ready(page)
        page.screenshot(path=IMAGES / f"{name}{suffix}.png", full_page=not suffix.endswith("mobile"))
        page.close()


def _ready_playground(page: Page) -> None:
    page.locator("#waiting > li").nth(1).wait_for()
    page.locator("#waiting button").first.click()
    grace = page.locator(".phone", has_text="Grace Hopper").locator(".row")
    if grace.get_attribute("aria-expanded") == "false":
        grace.click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)


def _ready_wallboard(page: Page) -> None:
    page.locator("rect.bar").first.wait_for(timeout=_PATIENCE * 1000)


def _write(twilio: StandIn, customer: str, number: str, text: str) -> str:
    time.sleep(0.05)
    return str(twilio.inbound(from_=customer, to=number, body=text).conversation_sid)


def _is_in(twilio: StandIn, sid: str) -> bool:
    return any(one["identity"] for one in twilio.participants(sid))


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("The workers did not come in.")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
