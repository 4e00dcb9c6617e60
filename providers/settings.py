"""The record settings/routing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from domain import settings as rules
from domain.settings import Settings
from providers import configuration, database

_WORDS_FOR = 10.0  # seconds for which an instance keeps the opt-out words that it read
_words: dict[configuration.Firestore, tuple[float, tuple[str, ...]]] = {}


def _parse(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> Settings:
    """Read the record, and keep its opt-out words, which saves the next message a read."""
    settings = rules.parse(name, data, version)
    _words[configuration.firestore()] = (time.monotonic(), settings.opt_out_words)
    return settings


_SETTINGS = database.Collection("settings", _parse)
of, checked = _SETTINGS.of, _SETTINGS.checked
reference, load = (
    partial(_SETTINGS.reference, "routing"),
    partial(_SETTINGS.load, "routing"),
)


def opt_out_words() -> tuple[str, ...]:
    """Return the folded opt-out words of the settings, at most ten seconds old."""
    read_at, words = _words.get(configuration.firestore(), (0.0, ()))
    is_fresh = read_at > 0 and time.monotonic() - read_at <= _WORDS_FOR
    return words if is_fresh else load().opt_out_words
