"""A pool's holidays as people type them: dates, spans of dates, half days, and countries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from domain import addresses, typed_times, typed_words
from domain.fields import FIRST_YEAR, LAST_YEAR, Fields, cut
from domain.hours import LEAP_YEAR, Holiday, Hours, Span

_T = TypeVar("_T")
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
_FROM = re.compile(r"^(?:from|von|vom|de|du|dal|van)\s")
_KEYS_OF_DAY = ("date", "day", "datum", "on")
_KEYS_OF_HOURS = ("hours", "open", "times")


class _Typed(NamedTuple):
    """One entry, taken apart: what names the days, and the hours typed with it."""

    days: Any
    hours: Any = ""


class _Date(NamedTuple):
    """A date, or a day of each year where `year` is None."""

    year: int | None
    month: int
    day: int

    @property
    def real(self) -> date | None:
        """Return the date, in a leap year where no year is given; None if there is no
        such date."""
        year = self.year or LEAP_YEAR
        if not FIRST_YEAR <= year <= LAST_YEAR:
            return None
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return None


def day(text: str) -> date | None:
    """Return a date with its year, as people type it; None if the text is not one, or is ambiguous."""
    typed = _date(typed_words.plain(text), None)
    return typed.real if typed and typed.year else None


def read(fields: Fields) -> Hours:
    """Return `holidays` of a pool's record, as Hours without a week.

    Invalid and ambiguous entries are ignored, and reported in the record's `problem`.
    """
    typed = fields.plain("holidays")
    if typed is not None and not isinstance(typed, str | list | Mapping):
        fields.complain(
            "holidays must be a list of dates such as 2026-12-24 and of countries such as DE-BY."
        )
    is_day_first = _is_day_first(typed)
    entries = list(islice(_entries(typed), _MOST_ENTRIES + 1))
    if len(entries) > _MOST_ENTRIES:
        fields.complain(
            f"holidays has more than {_MOST_ENTRIES} entries. The rest is ignored."
        )
    meanings = [
        (entry, _meaning(entry, is_day_first)) for entry in entries[:_MOST_ENTRIES]
    ]
    invalid = [entry for entry, meaning in meanings if meaning is None]
    for entry in invalid[:_MOST_REPORTED]:
        fields.complain(_problem_of(entry, is_day_first))
    values = [meaning for _, meaning in meanings]
    return Hours(
        holidays=_of_kind(Holiday, values),
        moments=frozenset(_of_kind(datetime, values)),
        countries=_of_kind(str, values),
    )


def _meaning(
    entry: _Typed, is_day_first: bool | None
) -> datetime | Holiday | str | None:
    """Return the moment, the days or the country that an entry stands for; None if it
    is invalid or ambiguous."""
    days = entry.days
    if isinstance(days, datetime) and FIRST_YEAR <= days.year <= LAST_YEAR:
        return days
    return _holiday(entry, is_day_first) or _country(entry)


def _of_kind(kind: type[_T], values: list[Any]) -> tuple[_T, ...]:
    """Return the values of one type, each once, in their order."""
    return tuple(dict.fromkeys(value for value in values if isinstance(value, kind)))


def _entries(typed: Any) -> Iterator[_Typed]:
    """Yield each entry of a list, of a map from days to hours, or of one text."""
    match typed:
        case str():
            yield from map(_Typed, _texts(typed))
        case Mapping():
            yield from _in_map(typed)
        case list():
            for entry in typed[: _MOST_ENTRIES + 1]:
                yield from _in_list(entry)


def _in_list(entry: Any) -> Iterator[_Typed]:
    if isinstance(entry, str | Mapping):
        yield from _entries(entry)
    else:
        yield _Typed(entry)


def _texts(typed: str) -> list[str]:
    """Return the entries of one text.

    In "25. and 26.12." the first day takes the month of the second.
    """
    texts = _SEPARATORS.split(typed[:_LONGEST_TEXT])
    parts = list(filter(None, map(str.strip, texts)))
    for at in range(len(parts) - 2, -1, -1):
        if (day := _ONLY_DAY.fullmatch(parts[at])) is not None:
            parts[at] = day[1] + parts[at + 1].lstrip("0123456789")
    return parts


def _in_map(typed: Mapping[Any, Any]) -> Iterator[_Typed]:
    """Yield `{"24.12.": "9-12"}` day by day; `{from, to}` and `{date, hours}` are one
    entry."""
    by_name = {typed_words.plain(str(name)): value for name, value in typed.items()}
    hours = _first_value(by_name, _KEYS_OF_HOURS, "")
    day = _first_value(by_name, _KEYS_OF_DAY, None)
    if {"from", "to"} <= set(by_name):
        yield _Typed(f"{_as_text(by_name['from'])} - {_as_text(by_name['to'])}", hours)
    elif day is not None:
        yield _Typed(day, hours)
    else:
        for name, value in typed.items():
            yield _Typed(str(name), value)


def _first_value(
    by_name: Mapping[str, Any], names: tuple[str, ...], default: str | None
) -> Any:
    return next((by_name[name] for name in names if name in by_name), default)


def _as_text(value: Any) -> str:
    return value.date().isoformat() if isinstance(value, datetime) else str(value)


def _holiday(entry: _Typed, is_day_first: bool | None) -> Holiday | None:
    """Return the days of one entry, closed or with hours of their own; None if it names
    no days."""
    if not isinstance(entry.days, str) or len(entry.days) > _LONGEST_ENTRY:
        return None
    text, hours = typed_words.plain(entry.days), entry.hours
    holiday = _span(text, is_day_first)
    if holiday is None and hours == "":
        holiday, hours = _with_hours(text, is_day_first)
    spans = _hours_of(hours)
    if holiday is None or spans is None:
        return None
    return holiday._replace(spans=spans)


def _hours_of(typed: Any) -> tuple[Span, ...] | None:
    """Return the hours of a day that differs, none for a closed one; None if they are
    invalid.

    `{"24.12.": true}` means that the day is a holiday, so it is closed.
    """
    return () if typed is True else typed_times.read(typed)


def _with_hours(text: str, is_day_first: bool | None) -> tuple[Holiday | None, str]:
    """Return "2026-12-24 9-12" as its days and its hours."""
    for gap in _TIMES_FOLLOW.finditer(text):
        holiday = _span(text[: gap.start()].rstrip(" :"), is_day_first)
        hours = text[gap.end() :]
        if holiday is not None and typed_times.read(hours) is not None:
            return holiday, hours
    return None, ""


def _span(text: str, is_day_first: bool | None) -> Holiday | None:
    """Return one date, or a span of dates with both ends, which may run over the turn
    of the year."""
    if (single := _date(text, is_day_first)) is not None:
        return _between(single, single)
    for gap in _RANGES.finditer(text):
        if (ends := _ends(text, gap, is_day_first)) is not None:
            return _between(*ends)
    return None


def _ends(
    text: str, gap: re.Match[str], is_day_first: bool | None
) -> tuple[_Date, _Date] | None:
    """Return the dates before and after the gap; None if one of them is not a date.

    In "24.-26.12." the first day takes the month of the second.
    """
    before = _FROM.sub("", text[: gap.start()].strip())
    last = _date(text[gap.end() :].strip(), is_day_first)
    if last is None:
        return None
    day = _ONLY_DAY.fullmatch(before)
    first = last._replace(day=int(day[1])) if day else _date(before, is_day_first)
    return (first, last) if first else None


def _between(first: _Date, last: _Date) -> Holiday | None:
    """Return the days from the first date to the last; None if these are no dates, or
    if the last one comes before the first."""
    if first.year is None and last.year is not None:
        turns = (first.month, first.day) > (last.month, last.day)
        first = first._replace(year=last.year - turns)
    begins, ends, is_yearly = first.real, last.real, first.year is None
    if begins is None or ends is None or is_yearly != (last.year is None):
        return None
    is_in_order = is_yearly or begins <= ends
    return Holiday(begins, ends, is_yearly) if is_in_order else None


def _date(text: str, is_day_first: bool | None) -> _Date | None:
    """Return the date; None if the text is not a date, or if it is ambiguous."""
    for form in _DATE:
        if (match := form.fullmatch(text)) is not None:
            return _of_match(match, is_day_first)
    return None


def _of_match(match: re.Match[str], is_day_first: bool | None) -> _Date | None:
    groups = {name: text for name, text in match.groupdict().items() if text}
    if "one" in groups:
        pair = int(groups["one"]), int(groups["two"])
        month, day = _in_order(*pair, is_day_first)
    else:
        month, day = _month(groups), int(groups["day"])
    typed = _Date(_year(groups.get("year")), month, day)
    return typed if typed.real is not None else None


def _month(groups: Mapping[str, str]) -> int:
    if "name" in groups:
        return typed_words.MONTHS[groups["name"]]
    return int(groups["month"])


def _year(text: str | None) -> int | None:
    """Return a year of four digits; 26 is 2026, and None is each year."""
    if text is None:
        return None
    year = int(text)
    return year + _CENTURY if year < 100 else year


def _is_day_first(typed: Any) -> bool | None:
    """Return whether dates such as 24/12 are typed day first, by those that can have
    only one meaning; None if unknown."""
    pairs = _SLASHES.findall(cut(str(typed), _LONGEST_TEXT))
    orders = {_order(int(one), int(two)) for one, two in pairs} - {None}
    return orders.pop() if len(orders) == 1 else None


def _order(one: int, two: int) -> bool | None:
    """Return whether the first of two numbers is the day; None if either may be."""
    if (one > 12) == (two > 12):
        return None
    return one > 12


def _in_order(one: int, two: int, is_day_first: bool | None) -> tuple[int, int]:
    """Return month and day of "24/12" and "12/24".

    (0, 0) for "5/6", unless another date shows the order.
    """
    if one == two:
        return one, two
    order = _order(one, two)
    if order is None:
        order = is_day_first
    return {True: (two, one), False: (one, two), None: (0, 0)}[order]


def _country(entry: _Typed) -> str | None:
    """Return the name of a country or a part of one as typed.

    providers/public_holidays.py knows which of them exist.
    """
    if not isinstance(entry.days, str) or _hours_of(entry.hours) != ():
        return None
    text = " ".join(addresses.visible(entry.days[:_LONGEST_ENTRY]).split())
    return text if _NAME.fullmatch(text) else None


def _problem_of(entry: _Typed, is_day_first: bool | None) -> str:
    name = _quoted(entry.days)
    if _meaning(_Typed(entry.days), is_day_first) is not None:
        return f"holidays: the hours {_quoted(entry.hours)} of {name} are not understood. The entry is ignored."
    return (
        f"holidays: {name} is neither a date such as 2026-12-24 nor a country such as DE-BY, or it is ambiguous. "
        "It is ignored."
    )


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        return "an entry"
    return f"“{cut(addresses.shown(value))}”"
