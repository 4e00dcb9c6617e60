"""Whole numbers and seconds that a person typed as text: "120", " 5 ", "5 min", "1 h 30 min"."""

from __future__ import annotations

import re
from typing import Any

from domain.addresses import visible

_LONGEST = 60  # characters
_WHOLE = re.compile(r"[+-]?\d{1,15}")
_PART = re.compile(
    r"(\d{1,9}(?:[.,]\d{1,3})?)\s*([^\W\d_]*)\.?,?\s*(?:(?:and|und|et|y|e|en)\s+)?"
)
_UNITS = {
    name: seconds
    for seconds, names in (
        (
            1,
            "s sec secs second seconds sek sekunde sekunden seconde secondes seg segundo segundos secondi seconden",
        ),
        (60, "m min mins minute minutes minuten minuto minutos minuti minuut"),
        (
            3600,
            "h hr hrs hour hours std stunde stunden heure heures hora horas ora ore uur uren",
        ),
        (
            86400,
            "d day days tag tage tagen jour jours dia dias día días giorno giorni dag dagen",
        ),
    )
    for name in names.split()
}
_NONE = frozenset(
    (
        "null",
        "none",
        "never",
        "no limit",
        "unlimited",
        "off",
        "nie",
        "kein limit",
        "unbegrenzt",
    )
)


def whole(text: str) -> int | None:
    """Return the whole number in a text; None if there is none."""
    plain = _plain(text)
    return int(plain) if _WHOLE.fullmatch(plain) else None


def seconds(text: str) -> int | None:
    """Return a duration in whole seconds; None if the text is no duration.

    A number without a unit is seconds.
    """
    plain = _plain(text)
    if _WHOLE.fullmatch(plain):
        return int(plain)
    total, at = 0.0, 0
    while at < len(plain):
        part = _PART.match(plain, at)
        if part is None or part[2] not in _UNITS:
            return None
        total += float(part[1].replace(",", ".")) * _UNITS[part[2]]
        at = part.end()
    is_duration = plain != "" and total.is_integer()
    return int(total) if is_duration else None


def means_none(value: Any) -> bool:
    """Return whether a text stands for null: "never", "no limit"."""
    return isinstance(value, str) and _plain(value) in _NONE


def _plain(text: str) -> str:
    """Return the text without case and invisible characters; "" for a long text."""
    return visible(text).casefold() if len(text) <= _LONGEST else ""
