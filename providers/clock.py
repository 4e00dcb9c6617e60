"""The time, in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_ahead = timedelta()
_waits_pass_at_once = False


def now() -> datetime:
    return datetime.now(UTC) + _ahead


def wait(seconds: float) -> None:
    """Lets so much time pass; in tests that shift the time, at once."""
    if _waits_pass_at_once:
        shift(seconds)
    else:
        time.sleep(seconds)


def shift(seconds: float, *, sleeps: bool = False) -> None:
    """Lets time pass at once, for tests of leases and of other waits; 0 is the true time again.

    With `sleeps` a wait takes its time all the same: for the local run, where others do not see this clock.
    """
    global _ahead, _waits_pass_at_once
    _ahead = _ahead + timedelta(seconds=seconds) if seconds else timedelta()
    _waits_pass_at_once = bool(_ahead) and not sleeps
