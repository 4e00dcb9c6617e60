"""Keeps values for a while in this instance, so that ten readers cost as much as one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from cachetools import LRUCache, cached

from providers import configuration

T = TypeVar("T")


class _Entry:
    def __init__(self) -> None:
        self.making = threading.Lock()
        self.made = -math.inf
        self.value: Any = None


class Cache:
    """Values by key, `size` of them at most; the least recently used are dropped.

    Callers that ask while a value is being made wait for it instead of making a second.
    """

    def __init__(self, size: int = 200) -> None:
        self._entries: LRUCache[Hashable, _Entry] = LRUCache(size)
        self._lock = threading.Lock()
        self._entry = cached(self._entries, key=lambda key: key, lock=self._lock)(
            lambda key: _Entry()
        )

    def get(self, key: Hashable, seconds: float, make: Callable[[], T]) -> T:
        """Return the value; call `make` if it is None or older than that."""
        entry = self._entry(key)
        with entry.making:
            is_old = time.monotonic() - entry.made >= seconds
            if is_old or entry.value is None:
                entry.value, entry.made = make(), time.monotonic()
            value: T = entry.value
            return value

    def peek(self, key: Hashable, seconds: float = math.inf) -> Any | None:
        """Return the value if there is one of at most this age; never wait."""
        entry = self._entry(key)
        return entry.value if time.monotonic() - entry.made < seconds else None

    def put(self, key: Hashable, value: object) -> None:
        entry = self._entry(key)
        entry.value, entry.made = value, time.monotonic()

    def drop(self, key: Hashable) -> None:
        with self._lock:
            self._entries.pop(key, None)


_values = Cache(1000)


def get(key: tuple[object, ...], seconds: float, make: Callable[[], T]) -> T:
    """Return a value of the database in use; see Cache.get."""
    return _values.get(_full(key), seconds, make)


def peek(key: tuple[object, ...]) -> Any | None:
    """Return a value of the database in use, however old; None if there is none."""
    return _values.peek(_full(key))


def put(key: tuple[object, ...], value: object) -> None:
    _values.put(_full(key), value)


def drop(key: tuple[object, ...]) -> None:
    _values.drop(_full(key))


def _full(key: tuple[object, ...]) -> Hashable:
    return (configuration.firestore(), *key)
