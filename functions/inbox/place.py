"""Where the inbox is reached: its public address, on which its cookies, its sign-in and its own origin stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Request

from providers import configuration

_PREFIX = re.compile(r"(?:/[\w.@%+-]+){1,4}")


@dataclass(frozen=True)
class Place:
    """`origin`: scheme and host; `path`: of the inbox below it, with a slash at both ends."""

    origin: str
    path: str

    @property
    def address(self) -> str:
        return self.origin + self.path

    @property
    def is_https(self) -> bool:
        return self.origin.startswith("https:")


def of(request: Request) -> Place:
    """INBOX_URL; unset, as in local runs, the address that was called. There a gateway may have taken a part off."""
    if base := configuration.inbox_url():
        parts = urlsplit(base)
        return Place(f"{parts.scheme}://{parts.netloc}", f"{parts.path}/")
    prefix = request.headers.get("X-Forwarded-Prefix", "")
    prefix = prefix if _PREFIX.fullmatch(prefix) else ""
    return Place(
        f"{request.scheme}://{request.host}", f"{prefix}{request.script_root}/"
    )
