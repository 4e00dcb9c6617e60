"""The page's own signed cookies: for this place alone, for no script, and never one of another host's."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

from flask import Request
from itsdangerous import BadData, URLSafeTimedSerializer

from functions.http import base_url
from functions.http.base_url import BaseUrl
from functions.http.page import Page
from providers import configuration


def sealed(purpose: str, content: dict[str, str], secret: str | None = None) -> str:
    """The cookie's value; anybody can read it, and only we can write it."""
    found: str = _serializer(purpose, secret).dumps(content)
    return found


def opened(
    page: Page, request: Request, purpose: str, seconds: int
) -> dict[str, Any] | None:
    """What the cookie holds; None for none, a forged one and one that is too old.

    A browser may send several of one name, for another path or planted by a neighbouring host, and does not say which
    is which. If more than one of them is ours, none counts.
    """
    base, found = base_url.of(page, request), []
    for sent in dict.fromkeys(request.cookies.getlist(name_of(base, purpose))):
        try:
            content = (
                _serializer(purpose).loads(sent, max_age=seconds) if sent else None
            )
        except BadData:
            continue
        if isinstance(content, dict):
            found.append(content)
    return found[0] if len(found) == 1 else None


def header(base: BaseUrl, purpose: str, value: str, seconds: int) -> tuple[str, str]:
    name = name_of(base, purpose)
    cookie: SimpleCookie = SimpleCookie({name: value})
    cookie[name]["path"] = quote(base.path, safe="/@%:+")
    cookie[name]["max-age"] = seconds
    cookie[name]["httponly"] = True
    cookie[name]["samesite"] = "Lax"
    cookie[name]["secure"] = base.is_https
    return "Set-Cookie", cookie[name].OutputString()


def name_of(base: BaseUrl, purpose: str) -> str:
    """With `__Host-` a browser takes the cookie from this very host only, and sends it nowhere else:
    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix"""
    return f"__Host-{purpose}" if base.is_https and base.path == "/" else purpose


def _serializer(purpose: str, secret: str | None = None) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        secret or configuration.inbox_secret(), salt=f"{purpose}-1"
    )
