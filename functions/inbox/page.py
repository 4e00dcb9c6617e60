"""The inbox as a page."""

from __future__ import annotations

from pathlib import Path

from functions.http.page import Page

PAGE = Page(
    "inbox",
    title="Inbox",
    lead="Your customers' messages, answered from here.",
    static=Path(__file__).parent / "static",
)
