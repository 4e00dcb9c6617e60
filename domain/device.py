"""A browser on which a worker gets notifications: its endpoint, and its keys for encryption (RFC 8291)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.fields import Fields

MOST = 10  # of one worker; the one with the oldest subscription makes room
# Firestore reserves names such as __name__.
_NAME = re.compile(r"(?!__)[A-Za-z0-9_-]{8,64}")
_KEY = re.compile(r"[A-Za-z0-9_=-]{16,100}")
_LONGEST = 1000  # characters of an endpoint
# Strict, because another parser of addresses may see another host: no user, backslash, fragment or number as a host.
_REST = r"(?:[/?][!-\[\]-~]*)?"
_OUTSIDE = re.compile(rf"https://(?P<host>[a-z0-9.-]+)(?::443)?{_REST}")
_LOCAL = re.compile(rf"http://127\.0\.0\.1:[0-9]{{1,5}}{_REST}")
# The push services of Chrome and the browsers built on it, Firefox, Edge and Safari.
# https://github.com/web-push-libs/web-push/issues/801
_SERVICES = ("fcm.googleapis.com",)
_DOMAINS = (".push.services.mozilla.com", ".notify.windows.com", ".push.apple.com")


@dataclass(frozen=True)
class Device:
    """`with_text`: whether a notification may hold the customer's text. `at`: when the
    browser registered last. `until`: when the session of that registration ends; no
    notification is sent after it."""

    endpoint: str
    p256dh: str
    auth: str
    with_text: bool
    at: datetime | None = None
    until: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Return whether the session in which the browser registered still lasts."""
        return self.until is not None and now < self.until

    def is_older_than(self, other: Device) -> bool:
        """Return whether `other` registered later. A device without a time is older."""
        if self.at is None or other.at is None:
            return self.at is None and other.at is not None
        return self.at < other.at


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def is_push_service(endpoint: str) -> bool:
    """Return whether it is an address of a browser vendor's push service.

    Other hosts are refused: a worker must not make this service call them.
    """
    match = _OUTSIDE.fullmatch(endpoint)
    if match is None or len(endpoint) > _LONGEST:
        return False
    host = match["host"]
    return host in _SERVICES or host.endswith(_DOMAINS)


def is_on_this_machine(endpoint: str) -> bool:
    """Return whether it is a push service of a local run or a test."""
    return len(endpoint) <= _LONGEST and _LOCAL.fullmatch(endpoint) is not None


def fingerprint(endpoint: str) -> str:
    """Return a short hash of the endpoint, by which the records that hold it are found."""
    return hashlib.sha256(endpoint.encode(errors="surrogatepass")).hexdigest()[:32]


def parse(data: object) -> dict[str, Device]:
    """Return a worker's devices by name.

    Invalid ones are left out, because the browser registers again.
    """
    records = data if isinstance(data, Mapping) else {}
    devices = {str(name): _device(record) for name, record in records.items()}
    return {name: device for name, device in devices.items() if device is not None}


def _device(record: object) -> Device | None:
    fields = Fields(record if isinstance(record, Mapping) else None)
    endpoint = fields.text("endpoint", _LONGEST)
    p256dh, auth = _key(fields, "p256dh"), _key(fields, "auth")
    if endpoint is None or p256dh is None or auth is None:
        return None
    return Device(
        endpoint,
        p256dh,
        auth,
        with_text=fields.flag("text", default=False),
        at=fields.time("at"),
        until=fields.time("until"),
    )


def _key(fields: Fields, name: str) -> str | None:
    key = fields.text(name, _LONGEST)
    return key if key and _KEY.fullmatch(key) else None


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
    """Return the names of the devices that make room for this one."""

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
    return {name: device for name, device in merged.items() if device is not None}
