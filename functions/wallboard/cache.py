"""Answers kept for a few seconds, so that ten people watching cost as much as one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from cachetools import LRUCache, cached

T = TypeVar("T")
_MOST = 200  # values; a day has 25 hours at most, the rest are a few


class _Entry:
    def __init__(self) -> None:
        self.making = threading.Lock()
        self.made = -math.inf
        self.value: Any = None


class Cache:
    """Values by key; whoever asks while one is being made waits for it instead of making a second."""

    def __init__(self) -> None:
        entries: LRUCache[Hashable, _Entry] = LRUCache(_MOST)
        self._entry = cached(entries, key=lambda key: key, lock=threading.Lock())(
            lambda key: _Entry()
        )

    def get(self, key: Hashable, seconds: float, make: Callable[[], T]) -> T:
        """The value, made anew if it is older than that."""
        entry = self._entry(key)
        with entry.making:
            if time.monotonic() - entry.made >= seconds:
                entry.value, entry.made = make(), time.monotonic()
            value: T = entry.value
            return value

    def peek(self, key: Hashable, seconds: float) -> Any | None:
        """The value if there is one of at most this age; never waits."""
        entry = self._entry(key)
        return entry.value if time.monotonic() - entry.made < seconds else None
