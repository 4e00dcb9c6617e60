"""The page's own signed cookies: for this place alone, for no script, and never one of another host's."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

from flask import Request
from itsdangerous import BadData, URLSafeTimedSerializer

from functions.inbox.place import Place
from providers import configuration


def sealed(purpose: str, content: dict[str, str], secret: str | None = None) -> str:
    """The cookie's value; anybody can read it, and only we can write it."""
    found: str = _serializer(purpose, secret).dumps(content)
    return found


def opened(
    request: Request, place: Place, purpose: str, seconds: int
) -> dict[str, Any] | None:
    """What the cookie holds; None for none, a forged one and one that is too old.

    A browser may send several of one name, for another path or planted by a neighbouring host, and does not say which
    is which. If more than one of them is ours, none counts.
    """
    found = []
    for sent in dict.fromkeys(request.cookies.getlist(name_of(place, purpose))):
        try:
            content = (
                _serializer(purpose).loads(sent, max_age=seconds) if sent else None
            )
        except BadData:
            continue
        if isinstance(content, dict):
            found.append(content)
    return found[0] if len(found) == 1 else None


def header(place: Place, purpose: str, value: str, seconds: int) -> tuple[str, str]:
    name = name_of(place, purpose)
    cookie: SimpleCookie = SimpleCookie({name: value})
    cookie[name]["path"] = quote(place.path, safe="/@%:+")
    cookie[name]["max-age"] = seconds
    cookie[name]["httponly"] = True
    cookie[name]["samesite"] = "Lax"
    cookie[name]["secure"] = place.is_https
    return "Set-Cookie", cookie[name].OutputString()


def name_of(place: Place, purpose: str) -> str:
    """With `__Host-` a browser takes the cookie from this very host only, and sends it nowhere else:
    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix"""
    return f"__Host-{purpose}" if place.is_https and place.path == "/" else purpose


def _serializer(purpose: str, secret: str | None = None) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        secret or configuration.inbox_secret(), salt=f"{purpose}-1"
    )
