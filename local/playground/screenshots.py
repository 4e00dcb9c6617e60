"""`python -m local.playground.screenshots`: the pictures in docs/images, taken from the running pages."""

import base64
import os
import struct
import sys
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from local import playground, sample_data
from local.playground import chromium, example_day
from local.sample_data import ALICE, BOB, DAN, KEY_ACCOUNTS, RECEPTION, SALES, WHATSAPP
from local.stack import Options, Stack
from local.twilio import StandIn
from local.worker_app import Inbox

if TYPE_CHECKING:
    from google.cloud.firestore import Client

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_WIDE: ViewportSize = {"width": 1440, "height": 960}
_PHONE: ViewportSize = {"width": 375, "height": 812}
_DESK: ViewportSize = {"width": 1280, "height": 800}
_ADA, _GRACE, _EDSGER = "+447700900001", "+447700900002", "+447700900003"
_PATIENCE = 30.0


def main() -> int:
    """Everything from an empty project; 1 if there is no browser."""
    program = chromium.find()
    if program is None:
        print(f"No pictures: {chromium.MISSING}", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    stack = Stack(
        Options(project="demo-pictures", port=0, sweep_every=0), pages=playground.pages
    )
    try:
        stack.start()
        sample_data.load(stack.emulator.host, stack.options.project)
        _play(stack)
        with sync_playwright() as playwright:
            browser = chromium.launch(playwright, program)
            _take(browser, f"{stack.url}/", "playground", _ready_playground)
            _take_inbox(browser, f"{stack.url}/as/{ALICE}/inbox/")
            _fill_the_day(stack)
            _take(browser, f"{stack.url}/wallboard", "wallboard", _ready_wallboard)
            browser.close()
    finally:
        stack.stop()
    return 0


def _play(stack: Stack) -> None:
    """A moment in the life of the service: two talk, one has a worker of her own, some wait."""
    if stack.standin is None:
        raise ValueError("The pictures need the stand-in.")
    twilio = stack.standin
    db = sample_data.client(stack.emulator.host, stack.options.project)
    db.document("pools/default").set({"capacity": 3}, merge=True)
    _write(
        twilio,
        _ADA,
        KEY_ACCOUNTS,
        "Good morning, Carol! Could we move our call to Thursday?",
    )
    grace = _write(twilio, _GRACE, RECEPTION, "Hello, my order has not arrived yet.")
    stranger = _write(twilio, "+447700900017", RECEPTION, "Do you open on Sunday?")
    edsger = _write(
        twilio,
        f"whatsapp:{_EDSGER}",
        WHATSAPP,
        "Good morning! Is the large one in stock?",
    )
    buyer = _write(twilio, "+447700900012", SALES, "What does the large one cost?")
    alice, dan = Inbox(stack.url, ALICE), Inbox(stack.url, DAN)
    for worker in (alice, dan):
        worker.turn("Available")
    _until(lambda: all(_is_in(twilio, sid) for sid in (grace, stranger, edsger, buyer)))
    alice.write(edsger, "It is. Shall I put one aside for you?")
    alice.write(grace, "Good morning, Grace! Which number does it have?")
    picture = twilio.customers_file("parcel.png", "image/png", _picture())
    twilio.inbound(
        _GRACE, RECEPTION, "It is 1906. This one came instead:", media=[picture]
    )
    alice.write(
        grace,
        "That is not yours, I am sorry! Yours left us last night and comes today before noon.",
    )
    dan.write(buyer, "49 a month. Shall I send you the details?")
    _age(db, stranger, minutes=4, waits=True)
    _age(db, edsger, minutes=26)
    for customer in ("+447700900018", "+447700900019"):
        _write(twilio, customer, RECEPTION, "Is anybody there?")


def _age(db: "Client", sid: str, minutes: int, waits: bool = False) -> None:
    """As if its last message had been written so long ago."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    db.document(f"conversations/{sid}").update(
        {"last_message.at": at, **({"awaiting_since": at} if waits else {})}
    )


def _picture() -> str:
    """Something to look at, in base64: a parcel in the evening light."""
    width, height = 320, 240

    def pixel(x: int, y: int) -> bytes:
        if 90 < x < 230 and 90 < y < 200:
            tape = 150 < x < 170 or 138 < y < 150
            return (
                bytes((214, 190, 140))
                if tape
                else bytes((178 - y // 8, 128 - y // 8, 78 - y // 8))
            )
        return (
            bytes((250 - y // 4, 205 - y // 3, 170 - y // 5))
            if y < 170
            else bytes((120, 112, 118))
        )

    rows = b"".join(
        b"\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    data = b"".join(_chunk(kind, content) for kind, content in chunks)
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def _fill_the_day(stack: Stack) -> None:
    os.environ["GOOGLE_CLOUD_PROJECT"] = (
        stack.options.project
    )  # for the service's own writer
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
        entry
        for entry in db.collection("pending_conversations")
        .order_by("queued_at")
        .limit(1)
        .stream()
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
        page = browser.new_page(
            viewport=size, color_scheme=scheme, reduced_motion="reduce"
        )
        page.goto(url)
        ready(page)
        page.screenshot(
            path=IMAGES / f"{name}{suffix}.png", full_page=not suffix.endswith("mobile")
        )
        page.close()


def _take_inbox(browser: Browser, url: str) -> None:
    """On a phone the list and a conversation, on a desk both side by side."""
    shots: list[tuple[str, ViewportSize, Literal["light", "dark"], bool]] = [
        ("inbox-list", _PHONE, "light", False),
        ("inbox-conversation", _PHONE, "light", True),
        ("inbox-conversation-dark", _PHONE, "dark", True),
        ("inbox", _DESK, "light", True),
        ("inbox-dark", _DESK, "dark", True),
    ]
    for name, size, scheme, is_open in shots:
        page = browser.new_page(
            viewport=size, color_scheme=scheme, reduced_motion="reduce"
        )
        page.goto(f"{url}sign-in")
        row = page.get_by_role("listitem").filter(has_text="Grace").get_by_role("link")
        row.wait_for()
        if is_open:
            row.click()
            page.get_by_text("delivered").last.wait_for()
            page.evaluate(
                "() => Promise.all([...document.images].map((one) => one.decode()))"
            )
            page.mouse.move(0, 0)
        page.screenshot(path=IMAGES / f"{name}.png")
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
