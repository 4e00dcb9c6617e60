"""The time, in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_ahead = timedelta()


def now() -> datetime:
    return datetime.now(UTC) + _ahead


def wait(seconds: float) -> None:
    """Lets so much time pass; where time is not the true one anyway, at once."""
    if _ahead:
        shift(seconds)
    else:
        time.sleep(seconds)


def shift(seconds: float) -> None:
    """Lets time pass at once, for tests of leases and of other waits; 0 is the true time again."""
    global _ahead
    _ahead = _ahead + timedelta(seconds=seconds) if seconds else timedelta()
