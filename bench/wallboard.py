"""`python -m bench.wallboard`: how long the wallboard takes in a browser, and what a minute of it reads.

The log holds 10,000 conversations, a fifth of them of today; 12 wait; one page is open. Prints a table, with the
machine's load, for the emulator needs a core of its own: on a busy machine only the fastest says something.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics as numbers
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, sync_playwright

from local import sample_data
from local.playground import chromium
from local.stack import Options, Stack

if TYPE_CHECKING:
    from google.cloud.firestore import Client

_PROJECT = "demo-bench-wallboard"
_WAITING = 12
_TIMES = """() => {
  const page = performance.getEntriesByType('navigation')[0];
  return [page.responseEnd, page.loadEventEnd];
}"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--conversations", type=int, default=10_000)
    options.add_argument(
        "--minutes", type=float, default=1.0, help="how long to watch; default 1"
    )
    options.add_argument("--loads", type=int, default=15)
    given = options.parse_args()
    program = chromium.find()
    if program is None:
        print(chromium.MISSING, file=sys.stderr)
        return 1
    stack = Stack(Options(project=_PROJECT, port=0, standin=False, sweep_every=0))
    try:
        stack.start()
        os.environ |= {
            "GOOGLE_CLOUD_PROJECT": _PROJECT,
            "FIRESTORE_EMULATOR_HOST": stack.emulator.host,
        }
        sample_data.load(stack.emulator.host, _PROJECT)
        _fill(sample_data.client(stack.emulator.host, _PROJECT), given.conversations)
        stack.triggers.detach(_PROJECT)
        with sync_playwright() as playwright:
            browser = chromium.launch(playwright, program)
            _measure(
                browser, f"{stack.functions_url}/wallboard", given.loads, given.minutes
            )
            browser.close()
    finally:
        stack.stop()
    return 0


def _measure(browser: Browser, url: str, loads: int, minutes: float) -> None:
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    first = _load(browser, url)
    print(
        f"{'':34}{'answered':>10}{'loaded':>10}   (ms; median of {loads}, and the fastest)"
    )
    print(f"{'first load of a new process':34}{first[0]:10.0f}{first[1]:10.0f}")
    page = browser.new_page()
    page.goto(url)
    began = time.monotonic()
    page.locator("rect.bar").first.wait_for(timeout=240_000)
    print(
        f"{'   until today is counted as well':34}{'':10}{(time.monotonic() - began) * 1000:10.0f}"
    )
    page.close()
    for name, address in (("overview", url), ("log, first page", url + "?view=log")):
        times = [_load(browser, address) for _ in range(loads)]
        answered, loaded = ([one[i] for one in times] for i in (0, 1))
        middle = f"{numbers.median(answered):10.0f}{numbers.median(loaded):10.0f}"
        print(f"{name:34}{middle}   fastest {min(answered):.0f}, {min(loaded):.0f}")
    page = browser.new_page()
    page.goto(url)
    _watch(page.request, url, minutes)


def _watch(request: Any, url: str, minutes: float) -> None:
    """The page is open meanwhile and renews itself. Asking for the figures costs what a second viewer costs."""
    ask = f"{url}?view=metrics"
    before = request.get(ask).json()["firestore"]["reads"]
    began = time.monotonic()
    while time.monotonic() - began < minutes * 60:
        time.sleep(5)
        request.get(ask)
    after = request.get(ask).json()["firestore"]["reads"]
    passed = (time.monotonic() - began) / 60
    print(
        f"Firestore reads per minute with two viewers: {(after - before) / passed:.0f}"
    )


def _load(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds until the answer was there, and until the browser had loaded the page."""
    page = browser.new_page()
    page.goto(url, wait_until="load")
    page.wait_for_function(
        "() => performance.getEntriesByType('navigation')[0].loadEventEnd > 0"
    )
    answered, loaded = page.evaluate(_TIMES)
    page.close()
    return float(answered), float(loaded)


def _fill(db: Client, count: int) -> None:
    """Records as the service's own writer makes them, changed only in what tells them apart."""
    from assignment import ledger
    from domain.conversation import Conversation

    chance, now = random.Random(1), datetime.now(UTC)
    passed = (
        now - now.replace(hour=0, minute=0, second=0, microsecond=0)
    ).total_seconds()
    for number in range(_WAITING):
        at = now - timedelta(seconds=20 + 30 * number)
        one = Conversation(
            f"CH{number:032x}",
            state="queued",
            mode="pool",
            pool="default",
            created_at=at,
            queued_at=at,
        )
        ledger.move(
            Conversation(one.sid),
            one.noted(at, "queued", "no one in Reception is Available"),
        )
    written = db.document(f"conversations/CH{0:032x}").get().to_dict() or {}
    batch = db.batch()
    for number in range(_WAITING, count):
        today = number % 5 == 0
        age = (
            chance.uniform(0, passed)
            if today
            else passed + chance.uniform(0, 86_400 * 60)
        )
        at = now - timedelta(seconds=age)
        changed = {
            "state": "closed",
            "created_at": at,
            "arrived_at": at,
            "waited": chance.expovariate(1 / 40),
        }
        batch.set(db.document(f"conversations/CH{number:032x}"), written | changed)
        if number % 400 == 0:
            batch.commit()
            batch = db.batch()
    batch.commit()


if __name__ == "__main__":
    sys.exit(main())
