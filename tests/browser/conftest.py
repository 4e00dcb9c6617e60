"""A real Chromium, and the whole local run to point it at."""

import os
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    expect,
    sync_playwright,
)

from local import playground, sample_data
from local.playground import chromium
from local.stack import Options, Stack
from tests.inbox.conftest import issuer, issuer_server  # noqa: F401 - fixtures of the inbox's own tests

_MISSING = f"THE BROWSER TESTS DID NOT RUN: {chromium.MISSING}"
PATIENCE = 15_000  # milliseconds; a busy machine takes its time


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; without one these tests are skipped and say so, in CI they fail."""
    program = chromium.find()
    if program is None:
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(_MISSING)
        pytest.skip(_MISSING)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = chromium.launch(playwright, program)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page; whatever goes wrong in its scripts fails the test."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 1000}, reduced_motion="reduce"
    )
    opened, wrong = watched(context)
    yield opened
    context.close()
    assert not wrong


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and what went wrong in its scripts."""
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    wrong: list[str] = []

    def heard(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            wrong.append(said.text)

    def asked(dialog: Dialog) -> None:
        wrong.append(f"a script ran: {dialog.message}")
        dialog.dismiss()

    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", heard)
    opened.on("dialog", asked)
    return opened, wrong


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """What ./run.sh starts, with its sample data, on free ports."""
    options = Options(project=f"demo-{secrets.token_hex(6)}", port=0, sweep_every=0)
    running = Stack(options, pages=playground.pages)
    try:
        running.start()
        sample_data.load(running.emulator.host, options.project)
        yield running
    finally:
        running.stop()
