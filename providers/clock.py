"""The time: what it is, how much of it is left for our answer (each outside call asks here), what a body may take."""

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
_UNHURRIED = 10.0  # seconds for one call when nobody set a deadline (commands, tests)
_SHORTEST = (
    0.05  # a call is given at least this long, so that it fails by itself and says why
)
FOR_A_BODY = 2.0  # seconds for a whole one; Twilio sends a request in one piece

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
    return (
        at_most
        if ends is None
        else max(_SHORTEST, min(at_most, ends - time.monotonic()))
    )


def is_time_over(margin: float = 0.0) -> bool:
    """Whether less than `margin` seconds are left."""
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
    """Whatever reads from it inside finds its end when the time is over; None: a server that lends no connection.

    A timeout of the socket is not enough, for it begins again with every byte. One thread watches all bodies that
    have the same time: a timer for each would cost every request a thread of its own.
    """
    if line is None:
        yield
        return
    reading = _Reading(line, time.monotonic() + patience)
    _watched(patience).put(reading)
    try:
        yield
    finally:
        reading.is_over = True


def hang_up(line: socket.socket | None) -> None:
    """Nothing more is read from it; an answer can still be written."""
    if line is not None:
        with suppress(OSError):  # it is closed already
            line.shutdown(socket.SHUT_RD)


@cache
def _watched(patience: float) -> SimpleQueue[_Reading]:
    """Bodies with this patience, in the order in which their time is over. Made by the first request: the server
    forks before it."""
    readings: SimpleQueue[_Reading] = SimpleQueue()
    threading.Thread(
        target=_watch, args=(readings,), name="bodies", daemon=True
    ).start()
    return readings


def _watch(readings: SimpleQueue[_Reading]) -> None:
    while True:
        reading = readings.get()
        if not reading.is_over:
            time.sleep(max(0.0, reading.ends - time.monotonic()))
        if not reading.is_over:
            hang_up(reading.line)
