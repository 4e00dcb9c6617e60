"""The connection that a request comes over: who does not send all of it in time is not waited for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from queue import SimpleQueue

PATIENCE = 2.0  # seconds for a whole body; Twilio sends a request in one piece


@dataclass
class _Reading:
    """A body that is being read."""

    line: socket.socket
    ends: float
    is_over: bool = False


@contextmanager
def hurried(line: socket.socket | None, patience: float = PATIENCE) -> Iterator[None]:
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
    threading.Thread(target=_watch, args=(readings,), name="bodies", daemon=True).start()
    return readings


def _watch(readings: SimpleQueue[_Reading]) -> None:
    while True:
        reading = readings.get()
        if not reading.is_over:
            time.sleep(max(0.0, reading.ends - time.monotonic()))
        if not reading.is_over:
            hang_up(reading.line)
