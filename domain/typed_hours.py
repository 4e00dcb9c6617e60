"""Hours and holidays as people type them into a pool's record: read generously, and told where that does not help."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from domain import addresses
from domain.fields import FIRST_YEAR, LAST_YEAR, Fields, cut
from domain.hours import ALL_DAY, DAYS, Hours, Span

_MOST_HOLIDAYS = 500
_MOST_TOLD = 3
_LEAP_YEAR = 2000
_LONGEST = 200  # characters of one day's hours
_NAMES = {
    name: number
    for number, names in enumerate(
        (
            "mo mon monday montag lundi lunes",
            "tu tue tues tuesday di dienstag mardi martes",
            "we wed weds wednesday mi mittwoch mercredi miércoles",
            "th thu thur thurs thursday do donnerstag jeudi jueves",
            "fr fri friday freitag vendredi viernes",
            "sa sat saturday samstag sonnabend samedi sábado",
            "su sun sunday so sonntag dimanche domingo",
        )
    )
    for name in names.split()
}
_GROUPS = {
    **dict.fromkeys(("weekdays", "weekday", "working days", "werktags"), range(5)),
    **dict.fromkeys(("weekend", "weekends", "wochenende"), range(5, 7)),
    **dict.fromkeys(("daily", "every day", "all", "all days", "täglich"), range(7)),
}
_CLOSED = {
    "",
    "-",
    "closed",
    "close",
    "none",
    "no",
    "off",
    "geschlossen",
    "zu",
    "ruhetag",
    "fermé",
    "cerrado",
}
_OPEN = {
    "open",
    "always",
    "always open",
    "all day",
    "24h",
    "24 h",
    "24 hours",
    "24/7",
    "ganztags",
    "durchgehend",
}
_DASHES = re.compile(r"\s*(?:[‐‑‒–—―−-]|\b(?:to|until|till|bis)\b)\s*")
_BETWEEN = re.compile(r"[,;/&+\n]|\b(?:and|und|et)\b")
_TIME = re.compile(
    r"(?:(?P<hour>\d{1,2})(?:\s*[:.h]\s*(?P<minute>\d{2})(?::00)?)?|(?P<hour4>\d{2})(?P<minute4>\d{2}))"
    r"\s*(?:h|uhr|o'clock)?\s*(?:(?P<half>[ap])\.?\s?m\.?)?"
)
_DATE = (
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"),
    re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})"),
)
_YEARLY = (
    re.compile(r"(?:-{0,2})(?P<month>\d{2})-(?P<day>\d{2})"),
    re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\."),
)
_WITHOUT_COMMA = re.compile(r"(-\S+(?:\s(?:[ap]\.?\s?m\.?|uhr|h))?)\s+(?=\d)")  # “9-12 13-17”
_OF_DAYS = re.compile(r"(?P<days>[^\d:]+?)(?:\s*:\s*|\s+)(?P<hours>\d.*|[^\W\d]+)")  # “mon-fri 9-17”
_COUNTRY = re.compile(r"([A-Z]{2})(?:[-_ /]([A-Z0-9]{1,3}))?")


def read(fields: Fields) -> Hours | None:
    """`hours` and `holidays` of a pool's record; None for one that never closes."""
    found = replace(_holidays(fields), week=_week(fields))
    return found if found != Hours() else None


def _week(fields: Fields) -> tuple[tuple[Span, ...], ...] | None:
    """A day that is left out is closed, one that makes no sense open, all that makes no sense always open."""
    typed = fields.plain("hours")
    if _is_left_out(typed):
        return None
    if isinstance(typed, str | list):
        typed = _by_days(typed)
    if not isinstance(typed, Mapping):
        fields.complain("hours must be a map such as {mon: “09:00-17:00”}; it is treated as always open.")
        return None
    by_day: dict[int, tuple[Span, ...]] = {}
    understood = wrong = 0
    # A day's own name wins over a group of days that it is in.
    for name, value in sorted(typed.items(), key=lambda item: -len(_days(str(item[0])))):
        days, spans = _days(str(name)), _spans_of(value)
        if days and spans is not None:
            understood += 1
        elif (wrong := wrong + 1) <= _MOST_TOLD:
            fields.complain(_what_is_wrong(str(name), value, days))
        by_day |= dict.fromkeys(days, ALL_DAY if spans is None else spans)
    return tuple(by_day.get(day, ()) for day in range(len(DAYS))) if understood else None


def _by_days(typed: str | list[Any]) -> dict[str, Any]:
    """Hours without a map: those of every day, or a text such as “mon-fri 9-17, sat 10-14”."""
    if isinstance(typed, list) or len(typed) > 7 * _LONGEST or _spans_of(typed) is not None:
        return {"daily": typed}
    found: dict[str, str] = {}
    for part in re.split(r"[,;\n]", typed):
        named = _OF_DAYS.fullmatch(part.strip())
        if named and _days(named["days"]):
            found[named["days"]] = named["hours"]
        elif found:
            found[list(found)[-1]] += f",{part}"
        else:
            return {"daily": typed}
    return found


def _is_left_out(typed: Any) -> bool:
    if isinstance(typed, list):
        return all(isinstance(one, str) and not one.strip() for one in typed)
    return typed is None or typed == {} or (isinstance(typed, str) and not typed.strip())


def _what_is_wrong(name: str, value: Any, days: Iterable[int]) -> str:
    if not days:
        return f"hours: {cut(name)} is no day such as mon; it is ignored."
    shown = f"“{cut(addresses.shown(value))}”" if isinstance(value, str) else "this"
    return (
        f"hours: {shown} of {cut(name)} is not understood; write it as “09:00-12:00, 13:00-17:00” or “closed”. "
        "It is treated as open all day."
    )


@lru_cache(maxsize=500)
def _days(name: str) -> tuple[int, ...]:
    """0 for Monday to 6: a day, a group, days joined by commas, or from one day to another one; () for nonsense."""
    seen = _plain(name[:_LONGEST]).replace(".", "")
    if seen in _GROUPS:
        return tuple(_GROUPS[seen])
    found: list[int] = []
    for part in _BETWEEN.split(seen):
        ends = [_NAMES.get(one.strip()) for one in _DASHES.split(part.strip())]
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2:
            return ()
        found += [(first + further) % 7 for further in range((last - first) % 7 + 1)]
    return tuple(found)


def _spans_of(value: Any) -> tuple[Span, ...] | None:
    """The spans of one day; None for what makes no sense."""
    if value is None or isinstance(value, bool):
        return ALL_DAY if value else ()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ",".join(value)
    return _typed_spans(value) if isinstance(value, str) and len(value) <= _LONGEST else None


@lru_cache(maxsize=500)
def _typed_spans(text: str) -> tuple[Span, ...] | None:
    seen = _plain(text)
    if seen in _CLOSED or seen in _OPEN:
        return ALL_DAY if seen in _OPEN else ()
    apart = _WITHOUT_COMMA.sub(r"\1,", _DASHES.sub("-", seen))
    spans = [_span(part.strip()) for part in _BETWEEN.split(apart) if part.strip()]
    found = tuple(span for span in spans if span is not None)
    return found if found and len(found) == len(spans) else None


def _span(text: str) -> Span | None:
    ends = [_TIME.fullmatch(one.strip()) for one in _DASHES.split(text)]
    if len(ends) != 2 or (first := ends[0]) is None or (last := ends[1]) is None:
        return None
    begins, ends_at = _minutes(first, last), _minutes(last, None)
    if begins is None or ends_at is None or begins >= 24 * 60:
        return None
    if ends_at <= begins:
        if not _runs_past_midnight(first, last, begins, ends_at):
            return None
        ends_at += 24 * 60
    return Span(timedelta(minutes=begins), timedelta(minutes=ends_at))


def _runs_past_midnight(first: re.Match[str], last: re.Match[str], begins: int, ends: int) -> bool:
    """“9-5” is nine to seventeen for most who type it, and who means the night writes 21-5 or 09:00-05:00."""
    is_plain = begins > 12 * 60 or first["half"] or last["half"] or "0" in (first[0][0], last[0][0])
    return bool(is_plain) and (begins != ends or begins == 0)


def _minutes(typed: re.Match[str], closing: re.Match[str] | None) -> int | None:
    """Since midnight. Before a closing time in the afternoon “1-5 pm” begins there, too, and “9-5 pm” before noon."""
    hour = int(typed["hour"] or typed["hour4"])
    minute = int(typed["minute"] or typed["minute4"] or 0)
    half = typed["half"]
    if closing is not None and half is None and closing["half"]:
        closes = int(closing["hour"] or closing["hour4"]) % 12
        half = closing["half"] if hour % 12 < closes else "a"
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        return None
    return hour * 60 + minute


def _holidays(fields: Fields) -> Hours:
    typed = fields.plain("holidays")
    if isinstance(typed, str):
        typed = re.split(r"[,;\n]", typed)
    if typed is not None and not isinstance(typed, list):
        fields.complain("holidays must be a list of dates such as 2026-12-24 and of countries such as DE-BY.")
    dates, moments, yearly, countries, wrong = set[date](), set[datetime](), set[tuple[int, int]](), [], []
    for entry in typed[:_MOST_HOLIDAYS] if isinstance(typed, list) else ():
        if isinstance(entry, datetime) and FIRST_YEAR <= entry.year <= LAST_YEAR:
            moments.add(entry)
        elif (day := _date(entry)) is not None:
            dates.add(day)
        elif (each_year := _each_year(entry)) is not None:
            yearly.add(each_year)
        elif (country := _country(entry)) is not None:
            countries.append(country)
        else:
            wrong.append(entry)
    for entry in wrong[:_MOST_TOLD]:
        shown = f"“{cut(entry)}”" if isinstance(entry, str) else "an entry"
        fields.complain(
            f"holidays: {shown} is no date such as 2026-12-24 and no country such as DE-BY; it is ignored."
        )
    named = tuple(dict.fromkeys(countries))
    return Hours(None, frozenset(dates), frozenset(moments), frozenset(yearly), named)


def _date(entry: Any) -> date | None:
    found = _first_match(_DATE, entry)
    return _real_date(int(found["year"]), int(found["month"]), int(found["day"])) if found else None


def _each_year(entry: Any) -> tuple[int, int] | None:
    found = _first_match(_YEARLY, entry)
    day = _real_date(_LEAP_YEAR, int(found["month"]), int(found["day"])) if found else None
    return (day.month, day.day) if day else None


def _first_match(forms: Iterable[re.Pattern[str]], entry: Any) -> re.Match[str] | None:
    plain = _plain(entry) if _is_short(entry) else ""
    return next(filter(None, (form.fullmatch(plain) for form in forms)), None)


def _country(entry: Any) -> str | None:
    found = _COUNTRY.fullmatch(_plain(entry).upper()) if _is_short(entry) else None
    return "-".join(filter(None, found.groups())) if found else None


def _is_short(entry: Any) -> bool:
    return isinstance(entry, str) and len(entry) <= 40


def _real_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def _plain(text: str) -> str:
    """Without case, typography, what nobody sees, and more blanks than needed."""
    return " ".join(unicodedata.normalize("NFKC", addresses.visible(text)).casefold().split())
