"""Numbers and times in words, as the pages show them."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.rules import in_words


def duration(seconds: float | None) -> str:
    """Return a duration: 4.2 s, 45 s, 2 min 10 s, 3 h; a dash for None."""
    if seconds is None:
        return "–"
    if math.isinf(seconds):
        return "over 1 h"
    if 0 < seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    return in_words(seconds).removesuffix(" 0 s").removesuffix(" 0 min")


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.0f} %"


def clock_time(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"


def day_and_time(at: datetime | None, zone: str) -> str:
    return f"{_local(at, zone):%d %b %Y, %H:%M:%S}" if at else "–"


def _local(at: datetime, zone: str) -> datetime:
    try:
        return at.astimezone(ZoneInfo(zone))
    except OverflowError:  # the first and the last day of all, which a record may name
        return at
