"""Templates, static files, and headers that keep customers' texts from running as script."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from functions.http.answers import Answer
from functions.wallboard import wording

_HERE = Path(__file__).parent
_SHARED = {"theme.css": _HERE.parent / "static"}  # with the inbox
_STATIC = {
    "wallboard.css": "text/css; charset=utf-8",
    "wallboard.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    # Under no-referrer browsers send the search's POST with the Origin "null", as a page of another site's would have.
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_FOR_GOOD = (
    "Cache-Control",
    "private, max-age=31536000, immutable",
)  # the address changes with the content


def html(template: str, **values: Any) -> Answer:
    """Render a page; all values are escaped."""
    text = _environment().get_template(template).render(**values)
    return Answer(text, headers=HEADERS, content_type="text/html; charset=utf-8")


def static(name: str) -> Answer | None:
    """Return one of the files that a page needs, or None if there is none with this name."""
    if name not in _STATIC:
        return None
    headers = (
        *(header for header in HEADERS if header[0] != "Cache-Control"),
        _FOR_GOOD,
    )
    return Answer(_content(name), headers=headers, content_type=_STATIC[name])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(duration=wording.duration, percent=wording.percent)
    environment.globals.update(
        address_of=_address,
        clock_time=wording.clock_time,
        day_and_time=wording.day_and_time,
    )
    return environment


def _address(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return f"?view={name}&v={hashlib.sha256(_content(name).encode()).hexdigest()[:12]}"


@cache
def _content(name: str) -> str:
    parts = ("theme.css", "panels.css", name) if name == "wallboard.css" else (name,)
    return "".join(
        (_SHARED.get(part, _HERE / "static") / part).read_text(encoding="utf-8")
        for part in parts
    )
