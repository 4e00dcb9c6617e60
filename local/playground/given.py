"""What one click sends, read value by value; what makes no sense is told in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Given = Mapping[str, Any]


class ImpossibleError(Exception):
    """It cannot be done as asked; the text says why."""


def text(given: Given, name: str, longest: int = 256) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ImpossibleError(f"{name} is missing.")
    if len(value) > longest:
        raise ImpossibleError(f"{name} must not be longer than {longest} characters.")
    return value.strip()


def record_name(given: Given, name: str) -> str:
    value = text(given, name)
    if "/" in value or value in (".", "..") or value.startswith("__"):
        raise ImpossibleError(f"{name} cannot be the name of a record: {value}")
    return value


def number(given: Given, name: str, at_least: int = 0) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ImpossibleError(f"{name} must be a whole number from {at_least}.")
    return value
