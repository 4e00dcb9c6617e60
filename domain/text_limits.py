"""Limits on the pools' texts to customers, so that an attacker cannot make this service send without end.

An attacker can write from many numbers that cost the sender money (satellites, premium services), or from one number
many times. The limits are far above what waiting customers cause: see docs/patience.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.fields import Fields
from domain.sent_texts import SentTexts

MOST_A_DAY = 30  # texts to one customer's address from one number of ours; a day of UTC
MOST_AN_HOUR = 2000  # texts of one pool, counted in parts
PARTS = 8  # records over which a pool's texts are spread: each one takes about one write a second


@dataclass(frozen=True)
class HourCount:
    """A part of a pool's texts: how many were sent in this hour, written as 2026-11-30T14."""

    name: str
    hour: str = ""
    texts: int = 0
    problem: str | None = None

    def in_hour(self, now: datetime) -> int:
        return self.texts if self.hour == hour_of(now) else 0


def hour_of(now: datetime) -> str:
    return now.isoformat()[:13]


def day_of(now: datetime) -> str:
    return now.isoformat()[:10]


def record_name(pool_id: str, sent_name: str) -> str:
    """Return the name of the HourCount in which this customer's texts from this pool are counted."""
    pool = hashlib.sha256(pool_id.encode(errors="surrogatepass")).hexdigest()[:24]
    part = hashlib.sha256(sent_name.encode(errors="surrogatepass")).digest()[0] % PARTS
    return f"{pool}-{part}"


def parse(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> HourCount:
    fields = Fields(data)
    return HourCount(
        name, fields.text("hour") or "", max(0, fields.whole("texts", default=0))
    )


def reached(sent: SentTexts, count: HourCount, now: datetime) -> str | None:
    """Return why no further text is sent, in one sentence; None if another one may be sent."""
    if sent.day == day_of(now) and sent.texts_that_day >= MOST_A_DAY:
        return f"this address was sent {MOST_A_DAY} texts today, which is the most."
    if count.in_hour(now) >= MOST_AN_HOUR // PARTS:
        return f"the pool has sent about {MOST_AN_HOUR} texts in this hour, which is the most."
    return None
