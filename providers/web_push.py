"""Sends a Web Push message: encrypted, to one browser, through the push service that the browser named.

https://www.rfc-editor.org/rfc/rfc8030 (delivery), 8291 (encryption, by http_ece), 8292 (VAPID, by joserfc). The
libraries are imported only when a worker is notified.
"""

from __future__ import annotations

import base64
import enum
import json
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from domain.device import Device, is_on_this_machine, is_push_service
from providers import clock, configuration, log
from providers.configuration import ConfigurationError, Vapid

if TYPE_CHECKING:
    import urllib3
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_PATIENCE = 2.0  # seconds for one message; a late push is worth little
_STORED_FOR = 3600  # seconds; the push service stores it for a phone that is off
_TOKEN_FOR = 12 * 3600  # seconds; at most 24 hours
_LARGEST = 3000  # bytes; services accept 4,096 with headers and padding


class Told(enum.Enum):
    """The result of a push."""

    DONE = "accepted by the push service"
    GONE = "the browser has unsubscribed"
    FAILED = "not accepted now"


def send(vapid: Vapid, device: Device, content: Mapping[str, Any], topic: str) -> Told:
    """Send `content` as JSON. A phone that was off gets only the last message of each `topic`.

    Failures of the push service or the browser are returned, not raised.
    """
    import urllib3

    if not takes(device.endpoint):
        return Told.GONE  # an old record, or one that a person has edited
    try:
        body = _encrypted(device, content)
    except ValueError:
        return Told.GONE  # with invalid keys, nothing can ever be sent there
    headers = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(_STORED_FOR),
        "Urgency": "high",
        "Topic": topic,
        "Authorization": f"vapid t={_token(vapid, device.endpoint)}, k={public_key(vapid)}",
    }
    try:
        answer = _connections().request(
            "POST",
            device.endpoint,
            body=body,
            headers=headers,
            timeout=clock.remaining(_PATIENCE),
        )
    except urllib3.exceptions.HTTPError as error:
        log.warning(f"A push service could not be reached ({type(error).__name__}).")
        return Told.FAILED
    if answer.status in (404, 410):
        return Told.GONE
    if answer.status >= 300:
        log.warning(f"A push service answered {answer.status}.")
        return Told.FAILED
    return Told.DONE


def takes(endpoint: str) -> bool:
    """Return whether we send to this address; in a local run the push service may also be on this machine."""
    is_local_run = configuration.firestore().emulator is not None
    return is_push_service(endpoint) or (is_local_run and is_on_this_machine(endpoint))


def public_key(vapid: Vapid) -> str:
    """Return the key that a browser subscribes with: the uncompressed point in URL-safe base64."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point = (
        _key(vapid)
        .public_key()
        .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    )
    return _base64(point)


def _encrypted(device: Device, content: Mapping[str, Any]) -> bytes:
    """Raises ValueError for a browser's invalid keys."""
    import http_ece
    from cryptography.hazmat.primitives.asymmetric import ec

    text = json.dumps(content, ensure_ascii=False).encode()
    if len(text) > _LARGEST:
        raise ValueError("too long for a push message")
    sealed: bytes = http_ece.encrypt(
        text,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_bytes(device.p256dh),
        auth_secret=_bytes(device.auth),
        version="aes128gcm",
    )
    return sealed


def _token(vapid: Vapid, endpoint: str) -> str:
    """Return the token that identifies us to this push service only."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )
    from joserfc import jwt
    from joserfc.jwk import ECKey

    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + _TOKEN_FOR,
        "sub": vapid.subject,
    }
    pem = _key(vapid).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return jwt.encode({"alg": "ES256", "typ": "JWT"}, claims, ECKey.import_key(pem))


def _key(vapid: Vapid) -> EllipticCurvePrivateKey:
    """Return the private key. Raises ConfigurationError."""
    return _read(vapid.private_key)


@cache
def _read(text: str) -> EllipticCurvePrivateKey:
    """Parse a PEM, or the number itself in URL-safe base64, as web-push tools print it."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if text.startswith("-----"):
            key = load_pem_private_key(text.encode(), None)
        else:
            key = ec.derive_private_key(
                int.from_bytes(_bytes(text), "big"), ec.SECP256R1()
            )
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ConfigurationError(
            "The environment variable VAPID_PRIVATE_KEY is not a Web Push key (P-256); run deploy.sh, which makes one."
        )
    return key


@cache
def _connections() -> urllib3.PoolManager:
    import certifi
    import urllib3

    return urllib3.PoolManager(maxsize=8, retries=False, ca_certs=certifi.where())


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(
        text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    )


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
