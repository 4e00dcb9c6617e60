"""Answers kept for a few seconds, so that ten people watching cost as much as one."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
_MOST = 200  # entries; a day has 25 hours at most, the rest are a few


@dataclass(frozen=True)
class _Entry:
    value: Any
    made: float


class Kept:
    """Values by key; whoever asks while one is being made waits for it instead of making a second."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, _Entry] = {}
        self._making: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def get(self, key: Hashable, seconds: float, make: Callable[[], T]) -> T:
        """The value, made anew if it is older than that."""
        with self._lock:
            making = self._making[key]
        with making:
            entry = self._entries.get(key)
            if entry is None or time.monotonic() - entry.made >= seconds:
                entry = _Entry(make(), time.monotonic())
                self._put(key, entry)
            value: T = entry.value
            return value

    def peek(self, key: Hashable, seconds: float) -> Any | None:
        """The value if there is one of at most this age; never waits."""
        entry = self._entries.get(key)
        return entry.value if entry and time.monotonic() - entry.made < seconds else None

    def _put(self, key: Hashable, entry: _Entry) -> None:
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = entry
            while len(self._entries) > _MOST:
                oldest = next(iter(self._entries))
                del self._entries[oldest]
                self._making.pop(oldest, None)
