"""A browser that a worker wants to be notified on: where to send, and what to encrypt with (RFC 8291)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.fields import Fields

MOST = 10  # of one worker; the one that was told longest ago makes room
_NAME = re.compile(
    r"(?!__)[A-Za-z0-9_-]{8,64}"
)  # Firestore keeps names such as __name__ for itself
_KEY = re.compile(r"[A-Za-z0-9_=-]{16,100}")
_LONGEST = 1000  # characters of an endpoint
# Strict, because another parser of addresses may see another host: no user, backslash, fragment or number as a host.
_REST = r"(?:[/?][!-\[\]-~]*)?"
_OUTSIDE = re.compile(rf"https://(?P<host>[a-z0-9.-]+)(?::443)?{_REST}")
_LOCAL = re.compile(rf"http://127\.0\.0\.1:[0-9]{{1,5}}{_REST}")
# The push services of Chrome and those built on it, Firefox, Edge and Safari. A name with a dot in front of it: all
# hosts below it. https://github.com/web-push-libs/web-push/issues/801
_SERVICES = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
)


@dataclass(frozen=True)
class Device:
    """`with_text`: whether a notification may hold what the customer wrote. `at`: when it was told last. `until`: when
    the session ends in which it was told; after that nothing is sent there."""

    endpoint: str
    p256dh: str
    auth: str
    with_text: bool
    at: datetime | None = None
    until: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether the session in which the browser asked for notifications still lasts."""
        return self.until is not None and now < self.until

    def is_older_than(self, other: Device) -> bool:
        """Whether `other` was told later. A device without a time is the older one."""
        if self.at is None or other.at is None:
            return self.at is None and other.at is not None
        return self.at < other.at


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def is_push_service(endpoint: str) -> bool:
    """Whether it is an address of a browser vendor's push service, so that no worker makes this service call another
    host."""
    found = _OUTSIDE.fullmatch(endpoint) if len(endpoint) <= _LONGEST else None
    if found is None:
        return False
    host = found["host"]
    return any(
        host == name or (name[0] == "." and host.endswith(name)) for name in _SERVICES
    )


def is_on_this_machine(endpoint: str) -> bool:
    """Whether it is a push service of a local run or a test."""
    return len(endpoint) <= _LONGEST and _LOCAL.fullmatch(endpoint) is not None


def fingerprint(endpoint: str) -> str:
    """Return a short hash of the endpoint, by which the records that hold it are found."""
    return hashlib.sha256(endpoint.encode(errors="surrogatepass")).hexdigest()[:32]


def parse(data: object) -> dict[str, Device]:
    """A worker's devices by name; what makes no sense is left out, for the browser tells it again."""
    found: dict[str, Device] = {}
    for name, one in (data if isinstance(data, Mapping) else {}).items():
        read = Fields(one if isinstance(one, Mapping) else None)
        endpoint, p256dh, auth = (
            read.text(field, 1000) for field in ("endpoint", "p256dh", "auth")
        )
        if (
            endpoint
            and p256dh
            and auth
            and _KEY.fullmatch(p256dh)
            and _KEY.fullmatch(auth)
        ):
            with_text = read.flag("text", default=False)
            at, until = read.time("at"), read.time("until")
            found[str(name)] = Device(endpoint, p256dh, auth, with_text, at, until)
    return found


def stored(device: Device) -> dict[str, Any]:
    return {
        "endpoint": device.endpoint,
        "p256dh": device.p256dh,
        "auth": device.auth,
        "text": device.with_text,
        "at": device.at,
        "until": device.until,
    }


def too_many(devices: Mapping[str, Device], new: str) -> Iterable[str]:
    """Which of them make room for this one."""

    def age(name: str) -> float:
        at = devices[name].at
        return at.timestamp() if at else 0.0

    others = sorted((name for name in devices if name != new), key=age)
    return others[: max(0, len(others) - (MOST - 1))]


def with_changes(
    devices: Mapping[str, Device], changes: Mapping[str, Device | None]
) -> dict[str, Device]:
    """Return the devices after these changes; None removes one."""
    merged = {**devices, **changes}
    return {name: one for name, one in merged.items() if one is not None}
