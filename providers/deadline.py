"""How long the caller still waits; every outside call asks here for its timeout."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ENDS: ContextVar[float | None] = ContextVar("deadline_ends", default=None)
_UNHURRIED = 10.0  # seconds for one call when nobody set a deadline (commands, tests)
_SHORTEST = 0.05  # a call is given at least this long, so that it fails by itself and says why


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Whatever runs inside has this long in all; an earlier deadline around it stays in force."""
    ends = time.monotonic() + seconds
    around = _ENDS.get()
    token = _ENDS.set(ends if around is None else min(ends, around))
    try:
        yield
    finally:
        _ENDS.reset(token)


def remaining(at_most: float = _UNHURRIED) -> float:
    """Seconds that a call started now may take."""
    ends = _ENDS.get()
    return at_most if ends is None else max(_SHORTEST, min(at_most, ends - time.monotonic()))


def is_over(margin: float = 0.0) -> bool:
    """Whether less than `margin` seconds are left."""
    ends = _ENDS.get()
    return ends is not None and ends - time.monotonic() <= margin
