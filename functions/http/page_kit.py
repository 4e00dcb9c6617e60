"""Serves a page and its static files, with headers that keep a customer's text from running as script.

A file's address contains a version made of the content of all files, so that a browser can cache it permanently and
modules that import each other are of one version.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Request

from functions.http.answers import Answer, NotFound
from functions.http.page import Page
from providers import configuration

if TYPE_CHECKING:
    from jinja2 import Template

_SHARED = Path(__file__).parents[1] / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_PACKED = (".html", ".css", ".js", ".svg", ".webmanifest")
_CACHE_FOREVER = "private, max-age=31536000, immutable"
_REVALIDATE = "no-cache"


@dataclass(frozen=True)
class _File:
    content: bytes
    packed: bytes | None
    type: str
    tag: str


def headers(cached: str = "no-store") -> tuple[tuple[str, str], ...]:
    """Return the security headers: images load from any https address (media, avatars), scripts only from here."""
    pictures = "'self' data: blob: https:"
    if local := configuration.twilio_api_base_url():
        pictures += f" {_origin(local)}"
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src {pictures}; media-src {pictures}; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )
    return (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
        ("Cache-Control", cached),
    )


def with_headers(answer: Answer, *more: tuple[str, str]) -> Answer:
    """Return the answer with further headers."""
    return replace(answer, headers=(*answer.headers, *more))


def sentence(
    page: Page,
    text: str,
    link: str = "sign-in",
    label: str = "Sign in",
    status: int = 200,
) -> Answer:
    """Return a page of one sentence and a link, for a visitor who isn't signed in."""
    return rendered(
        page, "sign-in.html", status, sentence=text, sign_in=link, label=label
    )


def static(page: Page, request: Request, name: str) -> Answer:
    """Return the file of `files/NAME` or `files/VERSION/NAME`. Raises NotFound."""
    version, _, file_name = name.rpartition("/")
    is_current = version == _version(page)
    cached = _CACHE_FOREVER if is_current else _REVALIDATE
    return _sent(page, request, file_name, cached)


def root(page: Page, request: Request, name: str) -> Answer:
    """Return a file that must be beside the page: the service worker, whose scope is its folder, and the manifest."""
    return _sent(page, request, name, _REVALIDATE)


def _sent(page: Page, request: Request, name: str, cached: str) -> Answer:
    """Return a file, compressed if the browser accepts it; 304 if the browser has it. Raises NotFound."""
    file = _files(page).get(name)
    if file is None or name.endswith(".html"):
        raise NotFound("There is no such file.")
    sent_headers = (*headers(cached), ("ETag", file.tag), ("Vary", "Accept-Encoding"))
    if file.tag in request.headers.get("If-None-Match", ""):
        return Answer(b"", 304, sent_headers, file.type)
    if file.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        return Answer(
            file.packed, 200, (*sent_headers, ("Content-Encoding", "gzip")), file.type
        )
    return Answer(file.content, 200, sent_headers, file.type)


def rendered(page: Page, name: str, status: int = 200, **values: str) -> Answer:
    """Return an HTML page; all values in it are escaped."""
    text = _template(page, name).render(page=page, version=_version(page), **values)
    return Answer(text, status, headers(), _TYPES[".html"])


@cache
def _template(page: Page, name: str) -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_files(page)[name].content.decode())


@cache
def _files(page: Page) -> dict[str, _File]:
    """Return all files by name; they are few and small, and read once."""
    own = [path for path in page.static.iterdir() if path.suffix in _TYPES]
    return {
        path.name: _file(page, path)
        for path in (*(_SHARED / name for name in page.shared), *own)
    }


def _file(page: Page, path: Path) -> _File:
    """Return a file; the shared theme is put in front of the page's style sheet, which saves a request."""
    parts = (_SHARED / "theme.css", path) if path.name == page.stylesheet else (path,)
    content = b"".join(part.read_bytes() for part in parts)
    packed = gzip.compress(content, mtime=0) if path.suffix in _PACKED else None
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return _File(content, packed, _TYPES[path.suffix], tag)


@cache
def _version(page: Page) -> str:
    """Return a version that changes with the content of any file."""
    tags = "".join(f"{name}{file.tag}" for name, file in sorted(_files(page).items()))
    return hashlib.sha256(tags.encode()).hexdigest()[:12]


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
