"""Limits how fast one worker may send: faster than people type, too slow for a program that uses a worker's session.

Messages are counted in this instance only, so that counting costs no read and no write.
"""

from __future__ import annotations

import threading
from collections import deque

from cachetools import LRUCache

from functions.http.answers import TooMany
from providers import clock, configuration

BURST, BURST_SECONDS = 30, 10.0
MOST, MOST_SECONDS = 200, 600.0
_sent: LRUCache[object, deque[float]] = LRUCache(maxsize=5000)
_lock = threading.Lock()


def count_one(identity: str) -> None:
    """Count one message of this worker. Raises TooMany if there were too many before it."""
    now = clock.now().timestamp()
    with _lock:
        times = _sent.setdefault(
            (configuration.firestore(), identity), deque(maxlen=MOST)
        )
        if _is_full(times, now, BURST, BURST_SECONDS):
            raise TooMany(
                f"You have sent {BURST} messages within {BURST_SECONDS:.0f} seconds; wait a moment."
            )
        if _is_full(times, now, MOST, MOST_SECONDS):
            raise TooMany(
                f"You have sent {MOST} messages within {MOST_SECONDS / 60:.0f} minutes; wait a minute."
            )
        times.append(now)


def _is_full(times: deque[float], now: float, most: int, seconds: float) -> bool:
    """Return whether the last `most` messages were sent within `seconds`."""
    return len(times) >= most and 0 <= now - times[-most] < seconds
