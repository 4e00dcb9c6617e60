"""How long, and until when, in the words of a text to the customer."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain import languages

FEWEST = 3  # assignments that make a rate
RECENT = timedelta(minutes=30)
_LONGEST_WAIT = timedelta(
    hours=8
)  # what is farther away nobody can tell from half an hour
_WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "pl": "poniedziałek wtorek środa czwartek piątek sobota niedziela",
}


def expected_wait(position: int, assigned: int) -> str | None:
    """`5 min` or `1 h 10 min` for who is at this position, when so many were assigned in the last half hour; None
    where that is too few to tell, or too long."""
    if assigned < FEWEST:
        return None
    wait = RECENT * (position / assigned)
    if wait > _LONGEST_WAIT:
        return None
    minutes = max(1, math.ceil(wait / timedelta(minutes=1)))
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(math.ceil(minutes / 10) * 10, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def opens(moment: datetime, now: datetime, zone: ZoneInfo, language: str | None) -> str:
    """`09:00` today, `Monday 09:00` within a week, else `2026-12-28 09:00`; on a clock of the pool's time zone.

    The date stands as well where the day has no name in the language of the text.
    """
    there, today = moment.astimezone(zone), now.astimezone(zone).date()
    time = there.strftime("%H:%M")
    if there.date() == today:
        return time
    names = next(
        (_WEEKDAYS[one] for one in languages.fitting(language) if one in _WEEKDAYS),
        None,
    )
    if names and (there.date() - today).days < 7:
        return f"{names.split()[there.weekday()]} {time}"
    return f"{there.date().isoformat()} {time}"
