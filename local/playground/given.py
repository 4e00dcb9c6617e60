"""What one click sends, read value by value; what makes no sense is told in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Given = Mapping[str, Any]


class ImpossibleError(Exception):
    """It cannot be done as asked; the text says why."""


def texts(given: Given, name: str) -> list[str]:
    value = given.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ImpossibleError(f"{name} must be a list of texts.")
    return value


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


def choice(given: Given, name: str, choices: tuple[str, ...]) -> str:
    value = text(given, name)
    if value not in choices:
        raise ImpossibleError(f"{name} must be one of {', '.join(choices)}.")
    return value


def number(given: Given, name: str, at_least: int = 0) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ImpossibleError(f"{name} must be a whole number from {at_least}.")
    return value


def number_or_none(given: Given, name: str, at_least: int = 0) -> int | None:
    return None if given.get(name) in (None, "") else number(given, name, at_least)
