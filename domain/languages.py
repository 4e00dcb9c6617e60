"""Which languages fit one, and how they are spelled."""

from __future__ import annotations


def spelled(language: str) -> str:
    """As it is compared: de_AT is de-at."""
    return language.strip().lower().replace("_", "-")


def fitting(language: str | None) -> list[str]:
    """From the closest on: de-at, then de; nothing where no language is known."""
    named = spelled(language or "")
    return list(dict.fromkeys((named, named.partition("-")[0]))) if named else []
