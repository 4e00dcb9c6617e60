"""The browser that the tests and the screenshots use: Chromium from the system, steered by Playwright."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

MISSING = (
    "there is no Chromium on this machine. Install it (Debian, Ubuntu: apt-get install chromium), "
    "or name another one in CHROMIUM."
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
]


def find() -> str | None:
    """The browser's program, or None."""
    return os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, _NAMES)), None
    )


def launch(playwright: Playwright, program: str) -> Browser:
    """A headless browser that stays off the network."""
    return playwright.chromium.launch(
        executable_path=program, headless=True, args=_ARGUMENTS
    )
