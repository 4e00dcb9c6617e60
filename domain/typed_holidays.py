"""A pool's holidays as people type them: dates, spans of dates, half days, and countries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from domain import addresses, typed_times, typed_words
from domain.fields import FIRST_YEAR, LAST_YEAR, Fields, cut
from domain.hours import LEAP_YEAR, Holiday, Hours, Span

_MOST_ENTRIES = 500
_MOST_REPORTED = 3
_LONGEST_TEXT = 20_000
_LONGEST_ENTRY = 120
_CENTURY = 2000
_MONTH = "|".join(sorted(typed_words.MONTHS, key=len, reverse=True))
_DATES = (
    r"(?P<year>\d{4})(?P<between>[-/.])(?P<month>\d{1,2})(?P=between)(?P<day>\d{1,2})(?:t[\d:.]+(?:z|[+-]\d\d:?\d\d)?)?",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    r"(?P<one>\d{1,2})/(?P<two>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?",
    r"(?P<day>\d{1,2})[.-]\s?(?P<month>\d{1,2})[.-]\s?(?P<year>\d{4}|\d{2})",
    r"(?:--)?(?P<month>\d{2})-(?P<day>\d{2})",
    r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.?",
    rf"(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th|er|º|o)?\s?(?:de\s|of\s)?(?P<name>{_MONTH})\.?(?:(?:,|\sde|\sof)?\s(?P<year>\d{{4}}))?",
    rf"(?P<name>{_MONTH})\.?\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<year>\d{{4}}))?",
)
_DATE = tuple(re.compile(pattern) for pattern in _DATES)
_RANGES = re.compile(
    rf"\s*(?:\.\.\.?|[‐‑‒–—―−]|(?<=\d)-(?=\d)|(?<=\.)-(?=\d)|\s-\s|-(?=\d)|/(?=\d{{4}}-)|"
    rf"\s(?:{'|'.join(map(re.escape, typed_words.RANGE))})\s)\s*"
)
_ONLY_DAY = re.compile(r"(\d{1,2})\.?")  # “24.-26.12.”
_SEPARATORS = re.compile(r"[;\n|]|,(?!\s\d{4}\b)|\s(?:and|und|et|y|e|en)\s(?=\d)")
_TIMES_FOLLOW = re.compile(r"\s*:\s+|\s*=\s*|\s+")
_SLASHES = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?!\d)")
_NAME = re.compile(r"[^\W\d_][^\d:;<>{}]*(?:[-_ /][A-Z0-9]{1,3})?")
_KEYS_OF_DAY = ("date", "day", "datum", "on")
_KEYS_OF_HOURS = ("hours", "open", "times")


class _Typed(NamedTuple):
    """One entry, taken apart: what names the days, and the hours typed with it."""

    days: Any
    hours: Any = ""


def read(fields: Fields) -> Hours:
    """Return the holidays, as Hours without a week. Invalid entries are reported and ignored."""
    typed = fields.plain("holidays")
    if typed is not None and not isinstance(typed, str | list | Mapping):
        fields.complain(
            "holidays must be a list of dates such as 2026-12-24 and of countries such as DE-BY."
        )
    moments, holidays, countries, invalid = (
        set[datetime](),
        list[Holiday](),
        list[str](),
        list[_Typed](),
    )
    is_day_first = _is_day_first(typed)
    for number, entry in enumerate(_entries(typed)):
        if number == _MOST_ENTRIES:
            fields.complain(
                f"holidays has more than {_MOST_ENTRIES} entries; the rest is ignored."
            )
            break
        if (
            isinstance(entry.days, datetime)
            and FIRST_YEAR <= entry.days.year <= LAST_YEAR
        ):
            moments.add(entry.days)
        elif (holiday := _holiday(entry, is_day_first)) is not None:
            holidays.append(holiday)
        elif (country := _country(entry)) is not None:
            countries.append(country)
        else:
            invalid.append(entry)
    for entry in invalid[:_MOST_REPORTED]:
        fields.complain(_what_is_wrong(entry, is_day_first))
    named = tuple(dict.fromkeys(countries))
    return Hours(None, tuple(dict.fromkeys(holidays)), frozenset(moments), named)


def _entries(typed: Any) -> Iterator[_Typed]:
    """Yield each entry of a list, of a map from days to hours, or of one text."""
    if isinstance(typed, str):
        for text in _texts(typed):
            yield _Typed(text)
    elif isinstance(typed, Mapping):
        yield from _in_map(typed)
    elif isinstance(typed, list):
        for entry in typed[: _MOST_ENTRIES + 1]:
            if isinstance(entry, str | Mapping):
                yield from _entries(entry)
            else:
                yield _Typed(entry)


def _texts(typed: str) -> list[str]:
    """Return the entries of one text; in "25. and 26.12." the first day takes the month of the second."""
    parts = [
        part.strip()
        for part in _SEPARATORS.split(typed[:_LONGEST_TEXT])
        if part.strip()
    ]
    for at in range(len(parts) - 2, -1, -1):
        if (day := _ONLY_DAY.fullmatch(parts[at])) is not None:
            parts[at] = day[1] + parts[at + 1].lstrip("0123456789")
    return parts


def _is_day_first(typed: Any) -> bool | None:
    """Return whether dates such as 24/12 are typed day first, by those that can only be meant so; None if unknown."""
    pairs = [
        (int(one), int(two))
        for one, two in _SLASHES.findall(cut(str(typed), _LONGEST_TEXT))
    ]
    day_first, month_first = (
        any(one > 12 >= two for one, two in pairs),
        any(two > 12 >= one for one, two in pairs),
    )
    return day_first if day_first != month_first else None


def _in_map(typed: Mapping[Any, Any]) -> Iterator[_Typed]:
    """Yield `{"24.12.": "9-12"}` day by day; `{from, to}` and `{date, hours}` are one entry."""
    by_name = {typed_words.plain(str(name)): value for name, value in typed.items()}
    hours = next((by_name[name] for name in _KEYS_OF_HOURS if name in by_name), "")
    if {"from", "to"} <= set(by_name):
        yield _Typed(f"{_as_text(by_name['from'])} - {_as_text(by_name['to'])}", hours)
        return
    day = next((by_name[name] for name in _KEYS_OF_DAY if name in by_name), None)
    if day is not None:
        yield _Typed(day, hours)
        return
    for name, value in typed.items():
        yield _Typed(str(name), value)


def _as_text(value: Any) -> str:
    return value.date().isoformat() if isinstance(value, datetime) else str(value)


def _holiday(entry: _Typed, is_day_first: bool | None) -> Holiday | None:
    """Return the days of one entry, closed or with hours of their own; None if it names no days."""
    if not isinstance(entry.days, str) or len(entry.days) > _LONGEST_ENTRY:
        return None
    days, hours = entry
    found = _span(typed_words.plain(days), is_day_first)
    if found is None and hours == "":
        found, hours = _with_hours(typed_words.plain(days), is_day_first)
    spans = _hours_of(hours)
    return None if found is None or spans is None else found._replace(spans=spans)


def _hours_of(typed: Any) -> tuple[Span, ...] | None:
    """Return the hours of a day that differs: none for a closed one; None if they are invalid."""
    return (
        () if typed is None or typed is True or typed == "" else typed_times.read(typed)
    )


def _with_hours(text: str, is_day_first: bool | None) -> tuple[Holiday | None, str]:
    """Return "2026-12-24 9-12" as its days and its hours."""
    for gap in _TIMES_FOLLOW.finditer(text):
        days, hours = text[: gap.start()].rstrip(" :"), text[gap.end() :]
        if (found := _span(days, is_day_first)) is not None and typed_times.read(
            hours
        ) is not None:
            return found, hours
    return None, ""


def _span(text: str, is_day_first: bool | None) -> Holiday | None:
    """Return one date, or a span of dates with both ends, which may run over the turn of the year."""
    if (single := _date(text, is_day_first)) is not None:
        return _between(single, single)
    for gap in _RANGES.finditer(text):
        first, last = (
            text[: gap.start()].strip(),
            _date(text[gap.end() :].strip(), is_day_first),
        )
        first = re.sub(r"^(?:from|von|vom|de|du|dal|van)\s", "", first)
        if last is None:
            continue
        if (day := _ONLY_DAY.fullmatch(first)) is not None:
            return _between(_Date(last.year, last.month, int(day[1])), last)
        if (begins := _date(first, is_day_first)) is not None:
            return _between(begins, last)
    return None


class _Date(NamedTuple):
    """A date, or a day of each year where `year` is None."""

    year: int | None
    month: int
    day: int


def _between(first: _Date, last: _Date) -> Holiday | None:
    if first.year is None and last.year is not None:
        turns = (first.month, first.day) > (last.month, last.day)
        first = first._replace(year=last.year - turns)
    is_yearly = first.year is None
    if is_yearly != (last.year is None):
        return None
    begins, ends = (
        _real_date(one.year or LEAP_YEAR, one.month, one.day) for one in (first, last)
    )
    if begins is None or ends is None or (ends < begins and not is_yearly):
        return None
    return Holiday(begins, ends, is_yearly)


def _date(text: str, is_day_first: bool | None) -> _Date | None:
    """Return the date; None if it is none, or if month and day may be meant the other way round."""
    for form in _DATE:
        if (found := form.fullmatch(text)) is not None:
            return _of_match(found.groupdict(), is_day_first)
    return None


def _of_match(found: dict[str, str | None], is_day_first: bool | None) -> _Date | None:
    year = int(found["year"] or 0) if found.get("year") else None
    if year is not None and year < 100:
        year += _CENTURY
    if found.get("one"):
        month, day = _in_order(
            int(found["one"] or 0), int(found["two"] or 0), is_day_first
        )
    elif found.get("name"):
        month, day = typed_words.MONTHS[found["name"] or ""], int(found["day"] or 0)
    else:
        month, day = int(found["month"] or 0), int(found["day"] or 0)
    is_real = _real_date(year or LEAP_YEAR, month, day) is not None
    return _Date(year, month, day) if is_real else None


def _in_order(one: int, two: int, is_day_first: bool | None) -> tuple[int, int]:
    """Return month and day of "24/12" and "12/24"; (0, 0) for "5/6", unless another date shows the order."""
    if one == two or two > 12 >= one:
        return one, two
    if one > 12 >= two:
        return two, one
    if is_day_first is None:
        return 0, 0
    return (two, one) if is_day_first else (one, two)


def _real_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def _country(entry: _Typed) -> str | None:
    """Return the name of a country or a part of one as typed; providers/public_holidays.py knows which exist."""
    if not isinstance(entry.days, str) or _hours_of(entry.hours) != ():
        return None
    text = " ".join(addresses.visible(entry.days[:_LONGEST_ENTRY]).split())
    return text if _NAME.fullmatch(text) else None


def _what_is_wrong(entry: _Typed, is_day_first: bool | None) -> str:
    days = _Typed(entry.days)
    if _holiday(days, is_day_first) is not None or _country(days) is not None:
        hours = _shown(entry.hours)
        return f"holidays: the hours {hours} of {_shown(entry.days)} are not understood; the entry is ignored."
    return (
        f"holidays: {_shown(entry.days)} is not a date such as 2026-12-24 and not a country such as DE-BY, or may be "
        "meant in two ways; it is ignored."
    )


def _shown(value: Any) -> str:
    return f"“{cut(addresses.shown(value))}”" if isinstance(value, str) else "an entry"
