"""Hours, holidays and texts of a pool: one line of a form, and what the record holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.hours import DAYS


def hours(given: object) -> Mapping[str, str] | str | None:
    """As the office types them: a map of days where there is one, “mon-fri: 9-17; sat: 10-14”, else the text."""
    typed = str(given or "").strip()
    by_day = [
        re.fullmatch(r"([^\d:]+):(.+)", part.strip()) for part in typed.split(";")
    ]
    days = {day[1].strip(): day[2].strip() for day in by_day if day}
    return days if len(days) == len(by_day) else typed or None


def in_languages(text: object) -> object:
    """A text of the pool's; one in several languages is typed as JSON."""
    try:
        found = json.loads(str(text))
    except ValueError:
        return text
    return found if isinstance(found, dict) else text


def shown(value: Any, between: str) -> str:
    """A field of the record as one would type it in one line."""
    if isinstance(value, dict):
        days = sorted(
            value,
            key=lambda day: (
                DAYS.index(day[:3]) if day[:3] in DAYS else len(DAYS),
                day,
            ),
        )
        return between.join(
            f"{day}: {shown(value[day], ', ') or 'closed'}" for day in days
        )
    if isinstance(value, list):
        return between.join(shown(one, between) for one in value)
    return (
        f"{value:%Y-%m-%d}"
        if isinstance(value, datetime)
        else ""
        if value is None
        else str(value)
    )


def in_one(text: Any) -> str:
    """A text; one in several languages as JSON."""
    return (
        text
        if isinstance(text, str)
        else json.dumps(text, ensure_ascii=False, default=str)
    )
