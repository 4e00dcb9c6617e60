"""`python -m bench.inbox`: how long a customer's message takes to a worker's screen, with the conversation open.

From the moment in which the customer sends it: webhook, record, the page's next look, Twilio's list, the screen. Prints
one line, with the machine's load: the functions, the emulator and the browser share its cores.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics as numbers
import sys
import time

from playwright.sync_api import Browser, sync_playwright

from local import sample_data
from local.playground import chromium
from local.sample_data import ALICE, RECEPTION
from local.stack import Options, Stack

_PROJECT = "demo-bench-inbox"
_CUSTOMER = "+447700900002"
_PHONE = (390, 844)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=40)
    given = options.parse_args()
    program = chromium.find()
    if program is None:
        print(chromium.MISSING, file=sys.stderr)
        return 1
    stack = Stack(Options(project=_PROJECT, port=0, sweep_every=0))
    try:
        stack.start()
        sample_data.load(stack.emulator.host, _PROJECT)
        database = sample_data.client(stack.emulator.host, _PROJECT)
        database.document(f"workers/{ALICE}").update({"status": "Available"})
        with sync_playwright() as playwright:
            browser = chromium.launch(playwright, program)
            _measure(stack, browser, given.messages)
            browser.close()
    finally:
        stack.stop()
    return 0


def _measure(stack: Stack, browser: Browser, count: int) -> None:
    """At random moments between the page's looks."""
    assert stack.standin is not None
    page = browser.new_page(viewport={"width": _PHONE[0], "height": _PHONE[1]})
    page.goto(f"{stack.url}/as/{ALICE}/inbox/sign-in")  # nobody has to choose there
    page.get_by_role("switch", name="Available").wait_for()
    stack.standin.inbound(_CUSTOMER, RECEPTION, "Hello")
    page.get_by_role("listitem").filter(has_text="Hello").click()
    log, took = page.get_by_role("log"), list[float]()
    for number in range(count):
        time.sleep(random.uniform(0.3, 2.7))
        began = time.perf_counter()
        stack.standin.inbound(
            _CUSTOMER, RECEPTION, f"Message number {number}.", wait=False
        )
        log.get_by_text(f"Message number {number}.").wait_for(timeout=60_000)
        took.append(time.perf_counter() - began)
    took.sort()
    middle, late = numbers.median(took), took[int(len(took) * 0.95)]
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(
        f"message to screen: p50 {middle:.2f} s, p95 {late:.2f} s, of {count}; {load}"
    )


if __name__ == "__main__":
    sys.exit(main())
