"""A browser that a worker wants to be notified on: where to send, and what to encrypt with (RFC 8291)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from domain.fields import Fields

MOST = 10  # of one worker; the one that was told longest ago makes room
_NAME = re.compile(r"(?!__)[A-Za-z0-9_-]{8,64}")  # Firestore keeps names such as __name__ for itself
_KEY = re.compile(r"[A-Za-z0-9_=-]{16,100}")
_NOT_OUTSIDE = ("localhost", "internal", "local", "localdomain", "home", "lan", "corp", "arpa")


@dataclass(frozen=True)
class Device:
    """`with_text`: whether a notification may hold what the customer wrote. `at`: when it was told last."""

    endpoint: str
    p256dh: str
    auth: str
    with_text: bool
    at: datetime | None = None


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def is_push_service(endpoint: str) -> bool:
    """Whether it is an address outside, by https: nobody gets this service to call one of its own neighbours."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if (
        parts.scheme != "https"
        or port not in (None, 443)
        or parts.username is not None
        or len(endpoint) > 1000
    ):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        first, _, last = host.rpartition(".")
        return bool(first) and last not in _NOT_OUTSIDE and host.isascii() and endpoint.isprintable()
    return False


def parse(data: object) -> dict[str, Device]:
    """A worker's devices by name; what makes no sense is left out, for the browser tells it again."""
    found: dict[str, Device] = {}
    for name, one in (data if isinstance(data, Mapping) else {}).items():
        read = Fields(one if isinstance(one, Mapping) else None)
        endpoint, p256dh, auth = (read.text(field, 1000) for field in ("endpoint", "p256dh", "auth"))
        if endpoint and p256dh and auth and _KEY.fullmatch(p256dh) and _KEY.fullmatch(auth):
            with_text = read.flag("text", default=False)
            found[str(name)] = Device(endpoint, p256dh, auth, with_text, read.time("at"))
    return found


def stored(device: Device) -> dict[str, Any]:
    return {
        "endpoint": device.endpoint,
        "p256dh": device.p256dh,
        "auth": device.auth,
        "text": device.with_text,
        "at": device.at,
    }


def too_many(devices: Mapping[str, Device], new: str) -> Iterable[str]:
    """Which of them make room for this one."""
    others = [name for name in devices if name != new]
    others.sort(key=lambda name: devices[name].at.timestamp() if devices[name].at else 0.0)  # type: ignore[union-attr]
    return others[: max(0, len(others) - (MOST - 1))]
