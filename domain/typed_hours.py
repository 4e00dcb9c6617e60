"""A pool's weekly opening hours as people type them; typed_times reads one day, typed_holidays the holidays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

from domain import addresses, typed_holidays, typed_times, typed_words
from domain.fields import Fields, cut
from domain.hours import ALL_DAY, DAYS, Hours, Span

_MOST_REPORTED = 3
_LONGEST_WEEK = 7 * typed_times.LONGEST
_MOST_ENTRIES = 50
_UNKNOWN = -1  # instead of a day's number
_SEPARATORS = re.compile(r"[,;\n|]")
_RANGE = re.compile(
    rf"\s*(?:[‐‑‒–—―−-]|\b(?:{'|'.join(map(re.escape, sorted(typed_words.RANGE, key=len, reverse=True)))})\b)\s*"
)
_AND = re.compile(
    rf"\s*[,;/&+\n]\s*|\s+(?:{'|'.join(map(re.escape, typed_words.AND))})\s+"
)
_LEADING = re.compile(
    rf"^(?:{'|'.join(typed_words.LEADING)})\s+|\s+(?:{'|'.join(typed_words.LEADING)})$"
)
_FEIRA = re.compile(r"[\s-]feiras?\b")  # Portuguese “segunda-feira”
_IN_BRACKETS = re.compile(r"\s*[(\[]([^)\]]*)[)\]]\s*")
_BREAK = re.compile(
    r"\s*:\s+|\s+|(?<=[^\W\d]):(?=\d)|(?<=\.)(?=\d)"
)  # where a text's days may end and its hours begin


class _Entry(NamedTuple):
    """One entry of `hours`. `days` and `spans` are None if they are not understood."""

    name: str
    value: Any
    days: tuple[int, ...] | None
    spans: tuple[Span, ...] | None

    @property
    def is_understood(self) -> bool:
        return self.days is not None and self.spans is not None

    @property
    def numbers(self) -> frozenset[int]:
        """Return the days that the entry names, 0 for Monday to 6."""
        return frozenset(self.days or ())

    @property
    def openings(self) -> tuple[Span, ...]:
        return self.spans or ()

    def is_wider_than(self, other: _Entry) -> bool:
        """Return whether it names all days of the other entry, and more."""
        return self.numbers > other.numbers


def read(fields: Fields) -> Hours | None:
    """Return `hours` and `holidays` of a pool's record; None for a pool that never
    closes.

    Invalid and ambiguous entries are reported in the record's `problem`.
    """
    hours = replace(typed_holidays.read(fields), week=_week(fields))
    return hours if hours != Hours() else None


def _week(fields: Fields) -> tuple[tuple[Span, ...], ...] | None:
    """Return the spans of Monday to Sunday; None for always open.

    A day that no entry names is closed, unless an entry's name is not understood: then
    it is open.
    """
    typed = fields.plain("hours")
    if _is_left_out(typed):
        return None
    pairs = _pairs(typed)
    if not pairs:
        fields.complain(
            "hours must be a map such as {mon: “09:00-17:00”}. It is treated as always open."
        )
        return None
    entries = _entries(pairs)
    _report(fields, map(_problem_of, entries))
    _report(fields, (_problem_of_name(name) for name, _ in pairs))
    understood = [entry for entry in entries if entry.is_understood]
    if not understood:
        return None
    _report(fields, _contradictions(understood))
    has_unknown_day = any(entry.days is None for entry in entries)
    others = ALL_DAY if has_unknown_day else ()
    return tuple(_spans_of(day, entries, others) for day in range(len(DAYS)))


def _report(fields: Fields, sentences: Iterable[str | None]) -> None:
    """Report the first few sentences; None stands for no problem."""
    for sentence in islice(filter(None, sentences), _MOST_REPORTED):
        fields.complain(sentence)


def _spans_of(
    day: int, entries: list[_Entry], otherwise: tuple[Span, ...]
) -> tuple[Span, ...]:
    """Return one day's spans; `otherwise` for a day that no entry names.

    Hours that are not understood count as open all day.
    """
    deciding = _deciding(day, entries)
    if not deciding:
        return otherwise
    if any(entry.spans is None for entry in deciding):
        return ALL_DAY
    spans = chain.from_iterable(entry.openings for entry in deciding)
    return tuple(sorted(set(spans)))


def _deciding(day: int, entries: list[_Entry]) -> list[_Entry]:
    """Return the entries that name a day, without those that name a wider range.

    "fri" wins over "mon-fri".
    """
    naming = [entry for entry in entries if day in entry.numbers]
    return [entry for entry in naming if not any(map(entry.is_wider_than, naming))]


def _contradictions(entries: list[_Entry]) -> list[str]:
    """Return a sentence for each day that one entry closes and another one opens.

    A narrower entry is an exception to a wider one, and no contradiction.
    """
    return [
        f"hours: {name} is both closed and open. It is treated as open."
        for day, name in enumerate(DAYS)
        if len({bool(entry.openings) for entry in _deciding(day, entries)}) > 1
    ]


def _pairs(typed: Any) -> list[tuple[str, Any]] | None:
    """Return the entries as (days, hours); None if `hours` is of another kind."""
    match typed:
        case str():
            return _pairs_in_text(typed)
        case list():
            return _pairs_in_list(typed)
        case Mapping():
            return _pairs_in_map(typed)
    return None


def _pairs_in_map(typed: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    return [(str(name), value) for name, value in typed.items()]


def _pairs_in_list(typed: list[Any]) -> list[tuple[str, Any]]:
    """Return a list of one day's spans as those of each day, and a list of texts such
    as "Mon-Fri 9-17" entry by entry."""
    if typed_times.read(typed) is not None:
        return [("daily", typed)]
    pairs: list[tuple[str, Any]] = []
    for entry in typed[:_MOST_ENTRIES]:
        match entry:
            case Mapping():
                pairs += _pairs_in_map(entry)
            case str():
                pairs += _pairs_in_text(entry)
            case _:
                pairs.append(("daily", entry))
    return pairs


def _pairs_in_text(typed: str) -> list[tuple[str, Any]]:
    """Return the hours of each day, or those in a text such as
    "mon-fri 9-17, sat 10-14".

    A text that cannot be taken apart counts for each day, so that it is reported.
    """
    daily: list[tuple[str, Any]] = [("daily", typed)]
    if len(typed) > _LONGEST_WEEK or typed_times.read(typed) is not None:
        return daily
    pairs = _taken_apart(typed)
    return daily if pairs is None else pairs


def _taken_apart(typed: str) -> list[tuple[str, Any]] | None:
    """Return a text as pairs of days and hours; None if a part is not understood."""
    pairs: list[tuple[str, Any]] = []
    pending = ""  # days whose hours follow: “mon, tue 9-17”
    for part in filter(None, map(str.strip, _SEPARATORS.split(typed))):
        pair = _split(pending + part)
        if pair is not None:
            pairs.append(pair)
            pending = ""
        elif _is_name(part):
            pending += f"{part}, "
        elif pending:
            return None
        elif pairs and typed_times.read(part) is not None:
            days, hours = pairs.pop()
            pairs.append((days, f"{hours},{part}"))
        else:
            return None
    return None if pending else pairs


def _split(part: str) -> tuple[str, str] | None:
    """Return a text as its days and its hours, at the first place where both are
    understood; None if there is no such place."""
    for gap in _BREAK.finditer(part):
        days, hours = part[: gap.start()], part[gap.end() :]
        if _is_name(days) and typed_times.read(hours) is not None:
            return days, hours
    return None


def _is_name(text: str) -> bool:
    """Return whether a text names days or the public holidays."""
    return bool(_readings(text)) or _is_about_holidays(text)


def _is_left_out(typed: Any) -> bool:
    """Return whether `hours` has no content: null, an empty map, or only blanks."""
    values = typed if isinstance(typed, list) else [typed]
    return typed in (None, {}) or all(map(_is_blank, values))


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not addresses.visible(value)


def _is_about_holidays(name: str) -> bool:
    return _tidy(name[: typed_times.LONGEST]) in typed_words.PUBLIC_HOLIDAYS


def _entries(pairs: list[tuple[str, Any]]) -> list[_Entry]:
    """Return the entries, without those about public holidays.

    An abbreviation of two languages is read in the one that all names of this record
    fit.
    """
    named = [pair for pair in pairs if not _is_about_holidays(pair[0])]
    understood = filter(None, (_readings(name) for name, _ in named))
    languages = set(typed_words.DAY_NAMES).intersection(*understood)
    return [
        _Entry(name, value, _days_meant(name, languages), typed_times.read(value))
        for name, value in named
    ]


def _days_meant(name: str, languages: set[str]) -> tuple[int, ...] | None:
    """Return the days that a name means in these languages, or in any if there are
    none; None if the name is unknown, or means different days."""
    readings = _readings(name)
    fitting = languages.intersection(readings) or readings
    meant = {readings[language] for language in fitting}
    return meant.pop() if len(meant) == 1 else None


def _problem_of_name(name: str) -> str | None:
    if not _is_about_holidays(name):
        return None
    return f"hours: {cut(name)} belongs to the field holidays. It is ignored."


def _problem_of(entry: _Entry) -> str | None:
    """Return the sentence about an entry; None if it is understood."""
    if entry.is_understood:
        return None
    if entry.days is None:
        return (
            f"hours: {cut(addresses.shown(entry.name))} is not a day such as mon. It is "
            "ignored, and days that no other entry names are treated as open."
        )
    return (
        f"hours: {_quoted(entry.value)} of {cut(entry.name)} is not understood or is ambiguous. Write it as "
        "“09:00-12:00, 13:00-17:00” or “closed”. It is treated as open all day."
    )


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        return "the value"
    return f"“{cut(addresses.shown(value))}”"


@lru_cache(maxsize=500)
def _readings(name: str) -> dict[str, tuple[int, ...]]:
    """Return the days that a name means, 0 for Monday to 6, by language.

    Languages in which the name is not understood are left out.
    """
    text = _tidy(name[: typed_times.LONGEST])
    without_brackets = _tidy(_IN_BRACKETS.sub(" ", text))
    if without_brackets not in ("", text):  # “weekdays (Mon-Fri)”
        return _readings(without_brackets)
    if text in typed_words.GROUPS:
        return dict.fromkeys(typed_words.DAY_NAMES, typed_words.GROUPS[text])
    return {
        language: days
        for language, numbers in typed_words.DAY_NAMES.items()
        if (days := _days(text, numbers))
    }


def _tidy(name: str) -> str:
    text = _FEIRA.sub("", typed_words.plain(name)).replace(".", " ").strip(" :")
    return " ".join(_LEADING.sub("", text).split())


def _days(text: str, numbers: Mapping[str, int]) -> tuple[int, ...]:
    """Return the days of one text in one language; () if it is not understood."""
    days: set[int] = set()
    for part in _AND.split(text.replace("t/m", "-")):
        ends = [_number_of(end, numbers) for end in _RANGE.split(part.strip())]
        if _UNKNOWN in ends or len(ends) > 2:
            return ()
        length = (ends[-1] - ends[0]) % len(DAYS) + 1
        days.update((ends[0] + offset) % len(DAYS) for offset in range(length))
    return tuple(sorted(days))


def _number_of(name: str, numbers: Mapping[str, int]) -> int:
    return numbers.get(_LEADING.sub("", name.strip()), _UNKNOWN)
