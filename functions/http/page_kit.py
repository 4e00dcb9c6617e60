"""The page and its files, and the headers under which nothing that a customer wrote can become script.

A file's address changes with the content of all of them, so that a browser keeps it for good; and a module that
another one imports is of the same version.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
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
_FOR_GOOD = "private, max-age=31536000, immutable"
_LOOK_AGAIN = "no-cache"


@dataclass(frozen=True)
class _File:
    content: bytes
    packed: bytes | None
    type: str
    tag: str


def headers(cached: str = "no-store") -> tuple[tuple[str, str], ...]:
    """Pictures come from where Twilio keeps them and from where a customer's avatar is; programs only from here."""
    local = configuration.twilio_api_base_url()
    pictures = f"'self' data: blob: https:{f' {_origin(local)}' if local else ''}"
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src {pictures}; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )
    return (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
        ("Cache-Control", cached),
    )


def sentence(
    page: Page,
    text: str,
    link: str = "sign-in",
    label: str = "Sign in",
    status: int = 200,
) -> Answer:
    """A page of one sentence and a link, for whoever is not in yet."""
    return rendered(
        page, "sign-in.html", status, sentence=text, sign_in=link, label=label
    )


def static(page: Page, request: Request, name: str) -> Answer:
    """`files/NAME` or `files/VERSION/NAME`. Raises NotFound."""
    version, _, rest = name.rpartition("/")
    return _sent(
        page, request, rest, _FOR_GOOD if version == _version(page) else _LOOK_AGAIN
    )


def root(page: Page, request: Request, name: str) -> Answer:
    """What must lie beside the page: the service worker, whose reach is its folder, and the manifest."""
    return _sent(page, request, name, _LOOK_AGAIN)


def _sent(page: Page, request: Request, name: str, cached: str) -> Answer:
    file = _files(page).get(name)
    if file is None or name.endswith(".html"):
        raise NotFound("There is no such file.")
    told = (*headers(cached), ("ETag", file.tag), ("Vary", "Accept-Encoding"))
    if file.tag in request.headers.get("If-None-Match", ""):
        return Answer(b"", 304, told, file.type)
    if file.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        return Answer(
            file.packed, 200, (*told, ("Content-Encoding", "gzip")), file.type
        )
    return Answer(file.content, 200, told, file.type)


def rendered(page: Page, name: str, status: int = 200, **values: str) -> Answer:
    """A page; everything in it is escaped."""
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
    """Read once, when the first is asked for: a few, and small."""
    own = [path for path in page.static.iterdir() if path.suffix in _TYPES]
    return {
        path.name: _file(page, path)
        for path in (*(_SHARED / name for name in page.shared), *own)
    }


def _file(page: Page, path: Path) -> _File:
    """The page's style sheet begins with what all pages share: one thing less to wait for."""
    parts = (_SHARED / "theme.css", path) if path.name == page.stylesheet else (path,)
    content = b"".join(part.read_bytes() for part in parts)
    packed = gzip.compress(content, mtime=0) if path.suffix in _PACKED else None
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return _File(content, packed, _TYPES[path.suffix], tag)


@cache
def _version(page: Page) -> str:
    tags = "".join(f"{name}{file.tag}" for name, file in sorted(_files(page).items()))
    return hashlib.sha256(tags.encode()).hexdigest()[:12]


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
