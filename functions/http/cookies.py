"""Reads and writes a page's own signed cookies: for its address alone, and hidden from scripts."""

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
    """Return the cookie's value: readable by anyone, but only we can write it."""
    value: str = _serializer(purpose, secret).dumps(content)
    return value


def opened(
    page: Page, request: Request, purpose: str, seconds: int, name: str | None = None
) -> dict[str, Any] | None:
    """Return the cookie's content; None if it is missing, forged or older than `seconds`.

    `name`: the cookie's name, if it differs from its purpose.

    A browser may send several cookies of one name, for another path or planted by a neighbouring host, and does not
    say which is which. If more than one of them is valid, none counts.
    """
    values = request.cookies.getlist(
        name_of(base_url.of(page, request), name or purpose)
    )
    contents = [_loaded(purpose, value, seconds) for value in dict.fromkeys(values)]
    valid = [content for content in contents if content is not None]
    return valid[0] if len(valid) == 1 else None


def _loaded(purpose: str, value: str, seconds: int) -> dict[str, Any] | None:
    """Return the content of one cookie; None if the signature or the age is invalid."""
    try:
        content: dict[str, Any] = _serializer(purpose).loads(value, max_age=seconds)
    except BadData:
        return None
    return content


def header(base: BaseUrl, purpose: str, value: str, seconds: int) -> tuple[str, str]:
    """Return the header that sets a cookie for `seconds`; 0 removes it."""
    name = name_of(base, purpose)
    cookie: SimpleCookie = SimpleCookie({name: value})
    cookie[name]["path"] = quote(base.path, safe="/@%:+")
    cookie[name]["max-age"] = seconds
    cookie[name]["httponly"] = True
    cookie[name]["samesite"] = "Lax"
    cookie[name]["secure"] = base.is_https
    return "Set-Cookie", cookie[name].OutputString()


def name_of(base: BaseUrl, purpose: str) -> str:
    """Return the cookie's name. With `__Host-` a browser accepts it from this host only, and sends it nowhere else:
    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix"""
    return f"__Host-{purpose}" if base.is_https and base.path == "/" else purpose


def _serializer(purpose: str, secret: str | None = None) -> URLSafeTimedSerializer:
    """Return the signer. Its salt is the purpose, so that one cookie never passes for another."""
    return URLSafeTimedSerializer(
        secret or configuration.inbox_secret(), salt=f"{purpose}-1"
    )
