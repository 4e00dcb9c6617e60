"""What is kept for a moment in this instance, so that looking every few seconds costs little; per project."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from cachetools import LRUCache

from providers import configuration

T = TypeVar("T")
_MOST = 1000
_entries: LRUCache[object, tuple[float, Any]] = LRUCache(_MOST)
_lock = threading.Lock()


def get(key: tuple[object, ...], seconds: float, make: Callable[[], T]) -> T:
    """The value, made anew if it is older than that; two who ask at once may both make it."""
    with _lock:
        at, value = _entries.get(_full(key), (0.0, None))
    if value is None or time.monotonic() - at > seconds:
        value = make()
        put(key, value)
    found: T = value
    return found


def peek(key: tuple[object, ...]) -> Any | None:
    with _lock:
        return _entries.get(_full(key), (0.0, None))[1]


def put(key: tuple[object, ...], value: object) -> None:
    with _lock:
        _entries[_full(key)] = (time.monotonic(), value)


def drop(key: tuple[object, ...]) -> None:
    with _lock:
        _entries.pop(_full(key), None)


def _full(key: tuple[object, ...]) -> object:
    return (configuration.firestore(), *key)
