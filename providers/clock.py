"""The current time, the time left for our answer (each call to the outside asks here), and the time for a body."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from queue import SimpleQueue

_ENDS: ContextVar[float | None] = ContextVar("deadline_ends", default=None)
_UNHURRIED = 10.0  # seconds for one call without a deadline (commands, tests)
# Seconds that every call gets at least, so that it fails by itself and says why.
_SHORTEST = 0.05
FOR_A_BODY = 2.0  # seconds for a whole one; Twilio sends a request in one piece

_ahead = timedelta()
_waits_pass_at_once = False


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC) + _ahead


def wait(seconds: float) -> None:
    """Wait for this many seconds; tests that shift the time do not wait."""
    if _waits_pass_at_once:
        shift(seconds)
    else:
        time.sleep(seconds)


def shift(seconds: float, *, sleeps: bool = False) -> None:
    """Move the clock ahead, for tests of leases and of other waits; 0 returns to the real time.

    With `sleeps`, waits still take their time: for the local run, where other processes do not see this clock.
    """
    global _ahead, _waits_pass_at_once
    _ahead = _ahead + timedelta(seconds=seconds) if seconds else timedelta()
    _waits_pass_at_once = bool(_ahead) and not sleeps


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Set a deadline for everything inside; an earlier deadline around it stays in force."""
    ends = time.monotonic() + seconds
    around = _ENDS.get()
    token = _ENDS.set(ends if around is None else min(ends, around))
    try:
        yield
    finally:
        _ENDS.reset(token)


def remaining(at_most: float = _UNHURRIED) -> float:
    """Return the seconds that a call started now may take."""
    ends = _ENDS.get()
    if ends is None:
        return at_most
    return max(_SHORTEST, min(at_most, ends - time.monotonic()))


def is_time_over(margin: float = 0.0) -> bool:
    """Return whether less than `margin` seconds are left."""
    ends = _ENDS.get()
    return ends is not None and ends - time.monotonic() <= margin


@dataclass
class _Reading:
    """A body that is being read."""

    line: socket.socket
    ends: float
    is_over: bool = False


@contextmanager
def hurried(line: socket.socket | None, patience: float) -> Iterator[None]:
    """End the body that is read inside once its time is over. `line`: None for a server that lends no connection.

    A timeout of the socket does not suffice, because it begins again with every byte. One thread watches all bodies
    with the same `patience` (seconds): a timer for each would cost every request a thread of its own.
    """
    if line is None:
        yield
        return
    reading = _Reading(line, time.monotonic() + patience)
    _watcher(patience).put(reading)
    try:
        yield
    finally:
        reading.is_over = True


def hang_up(line: socket.socket | None) -> None:
    """Stop reading from the connection; an answer can still be written."""
    if line is not None:
        with suppress(OSError):  # already closed
            line.shutdown(socket.SHUT_RD)


@cache
def _watcher(patience: float) -> SimpleQueue[_Reading]:
    """Start a thread for bodies with this patience; return its queue, in the order in which their time is over.

    The first request starts it, because the server forks before that.
    """
    readings: SimpleQueue[_Reading] = SimpleQueue()
    threading.Thread(
        target=_watch, args=(readings,), name="bodies", daemon=True
    ).start()
    return readings


def _watch(readings: SimpleQueue[_Reading]) -> None:
    """Hang up on each body of the queue that is not complete when its time is over."""
    while True:
        reading = readings.get()
        if not reading.is_over:
            time.sleep(max(0.0, reading.ends - time.monotonic()))
        if not reading.is_over:
            hang_up(reading.line)
