"""How long, and until when, in the words of a text to the customer."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain import languages

FEWEST = 3  # assignments that make a rate
RECENT = timedelta(minutes=30)
# Half an hour's rate does not predict a longer wait.
_LONGEST_WAIT = timedelta(hours=8)
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
    """Return the wait at a position in the queue, such as `5 min` or `1 h 10 min`.

    `assigned`: the assignments in the last half hour. None if these are too few for a
    forecast, or if the wait is too long.
    """
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
    """Return `09:00` today, `Monday 09:00` within a week, else `2026-12-28 09:00`.

    Times are those of the pool's time zone. A language without names of days gets the
    date instead.
    """
    opening, today = moment.astimezone(zone), now.astimezone(zone).date()
    time = opening.strftime("%H:%M")
    days = (opening.date() - today).days
    if days == 0:
        return time
    names = next(filter(None, map(_WEEKDAYS.get, languages.fitting(language))), None)
    if names and days < 7:
        return f"{names.split()[opening.weekday()]} {time}"
    return f"{opening.date().isoformat()} {time}"
