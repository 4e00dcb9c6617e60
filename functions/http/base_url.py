"""Finds the public address of a page; its cookies, its sign-in and its own origin depend on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Request

from functions.http.page import Page

_PREFIX = re.compile(r"(?:/[\w.@%+-]+){1,4}")


@dataclass(frozen=True)
class BaseUrl:
    """`origin`: scheme and host; `path`: the page's path, with a slash at both ends."""

    origin: str
    path: str

    @property
    def address(self) -> str:
        return self.origin + self.path

    @property
    def is_https(self) -> bool:
        return self.origin.startswith("https:")


def of(page: Page, request: Request) -> BaseUrl:
    """Return the configured address; in local runs, where none is set, the address that was called.

    A local gateway may have removed a prefix, which X-Forwarded-Prefix names.
    """
    if base := page.url():
        parts = urlsplit(base)
        return BaseUrl(f"{parts.scheme}://{parts.netloc}", f"{parts.path}/")
    prefix = request.headers.get("X-Forwarded-Prefix", "")
    if not _PREFIX.fullmatch(prefix):
        prefix = ""
    origin = f"{request.scheme}://{request.host}"
    return BaseUrl(origin, f"{prefix}{request.script_root}/")
