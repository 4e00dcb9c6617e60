"""Prints a new private key for Web Push (VAPID, RFC 8292): a number of the curve P-256 in base64url."""

from __future__ import annotations

import base64
import secrets

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186-4 D.1.2.3


def new_key() -> str:
    """32 bytes in base64url without padding, as web-push libraries read them."""
    number = 1 + secrets.randbelow(ORDER - 1)
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


if __name__ == "__main__":
    print(new_key())
