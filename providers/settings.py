"""The record settings/routing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from domain import settings as rules
from domain.settings import Settings
from providers import configuration, database

# Seconds for which an instance uses settings that it read before, instead of reading them for this alone.
_WORDS_FOR = 10.0
_KEEP_DAYS_FOR = 3600.0
_last: dict[configuration.Firestore, tuple[float, Settings]] = {}


def _parse(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> Settings:
    """Read the record and remember it, which saves the next message a read."""
    settings = rules.parse(name, data, version)
    _last[configuration.firestore()] = (time.monotonic(), settings)
    return settings


_SETTINGS = database.Collection("settings", _parse)
of, checked = _SETTINGS.of, _SETTINGS.checked
reference, load = (
    partial(_SETTINGS.reference, "routing"),
    partial(_SETTINGS.load, "routing"),
)


def _no_older_than(seconds: float) -> Settings:
    last = _last.get(configuration.firestore())
    if last is not None and time.monotonic() - last[0] <= seconds:
        return last[1]
    return load()


def opt_out_words() -> tuple[str, ...]:
    """Return the folded opt-out words of the settings, at most ten seconds old."""
    return _no_older_than(_WORDS_FOR).opt_out_words


def zone() -> ZoneInfo:
    """Return the time zone of the pools' hours, at most ten seconds old."""
    return _no_older_than(_WORDS_FOR).zone


def kept_for() -> timedelta:
    """Return for how long a conversation is kept once it is closed (keep_days), at most an hour old."""
    return timedelta(days=_no_older_than(_KEEP_DAYS_FOR).keep_days)
