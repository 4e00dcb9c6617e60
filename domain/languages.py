"""The spelling of languages, and their fallbacks."""

from __future__ import annotations


def spelled(language: str) -> str:
    """Return the language in the spelling for comparisons: de_AT is de-at."""
    return language.strip().lower().replace("_", "-")


def fitting(language: str | None) -> list[str]:
    """Return the language and its fallback: de-at, then de; [] for no language."""
    named = spelled(language or "")
    return list(dict.fromkeys((named, named.partition("-")[0]))) if named else []
