"""A pool's weekly opening hours as people type them; typed_times reads one day, typed_holidays the holidays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from domain import addresses, typed_holidays, typed_times, typed_words
from domain.fields import Fields, cut
from domain.hours import ALL_DAY, DAYS, Hours, Span

_MOST_REPORTED = 3
_LONGEST_WEEK = 7 * typed_times.LONGEST
_MOST_ENTRIES = 50
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
    """One entry: its days by number (None: the name is not understood), and its spans (None: likewise)."""

    name: str
    value: Any
    days: tuple[int, ...] | None
    spans: tuple[Span, ...] | None


def read(fields: Fields) -> Hours | None:
    """Return `hours` and `holidays` of a pool's record; None for a pool that never closes."""
    found = replace(typed_holidays.read(fields), week=_week(fields))
    return found if found != Hours() else None


def _week(fields: Fields) -> tuple[tuple[Span, ...], ...] | None:
    """Return the spans of Monday to Sunday; None for always open.

    A day that no entry names is closed, unless an entry's name is not understood: then it is open.
    """
    typed = fields.plain("hours")
    if _is_left_out(typed):
        return None
    pairs = _pairs(typed)
    if not pairs:
        fields.complain(
            "hours must be a map such as {mon: “09:00-17:00”}; it is treated as always open."
        )
        return None
    entries = _entries(pairs)
    for entry in [
        entry for entry in entries if entry.days is None or entry.spans is None
    ][:_MOST_REPORTED]:
        fields.complain(_what_is_wrong(entry))
    for name in [name for name, _ in pairs if _is_about_holidays(name)][
        :_MOST_REPORTED
    ]:
        fields.complain(
            f"hours: {cut(name)} belongs to the field holidays; it is ignored."
        )
    understood = [
        entry for entry in entries if entry.days is not None and entry.spans is not None
    ]
    if not understood:
        return None
    for sentence in _contradictions(understood)[:_MOST_REPORTED]:
        fields.complain(sentence)
    others = ALL_DAY if any(entry.days is None for entry in entries) else ()
    return tuple(_spans_of(day, entries, others) for day in range(len(DAYS)))


def _spans_of(
    day: int, entries: list[_Entry], otherwise: tuple[Span, ...]
) -> tuple[Span, ...]:
    """Return one day's spans: those of all entries that name it, but not of a wider one ("mon-fri" beside "fri")."""
    naming = [entry for entry in entries if entry.days and day in entry.days]
    if not naming:
        return otherwise
    deciding = [
        entry
        for entry in naming
        if not any(_is_narrower(other, entry) for other in naming)
    ]
    if any(entry.spans is None for entry in deciding):
        return ALL_DAY
    spans = {span for entry in deciding for span in entry.spans or ()}
    return tuple(sorted(spans))


def _is_narrower(one: _Entry, other: _Entry) -> bool:
    return set(one.days or ()) < set(other.days or ())


def _contradictions(entries: list[_Entry]) -> list[str]:
    """Return a sentence for each day that one entry closes and another one, no narrower, opens."""
    sentences = []
    for day, name in enumerate(DAYS):
        naming = [entry for entry in entries if day in (entry.days or ())]
        deciding = [
            entry
            for entry in naming
            if not any(_is_narrower(other, entry) for other in naming)
        ]
        if len({bool(entry.spans) for entry in deciding}) > 1:
            sentences.append(
                f"hours: {name} is both closed and open; it is treated as open."
            )
    return sentences


def _pairs(typed: Any) -> list[tuple[str, Any]] | None:
    """Return the entries as (days, hours); None if `hours` is of another kind."""
    if isinstance(typed, str):
        return list(_pairs_in_text(typed))
    if isinstance(typed, list):
        return _pairs_in_list(typed)
    if isinstance(typed, Mapping):
        return [(str(name), value) for name, value in typed.items()]
    return None


def _pairs_in_list(typed: list[Any]) -> list[tuple[str, Any]]:
    """Return a list of one day's spans as those of each day, a list of texts such as "Mon-Fri 9-17" entry by entry."""
    if typed_times.read(typed) is not None:
        return [("daily", typed)]
    pairs: list[tuple[str, Any]] = []
    for entry in typed[:_MOST_ENTRIES]:
        if isinstance(entry, Mapping):
            pairs += [(str(name), value) for name, value in entry.items()]
        elif isinstance(entry, str):
            pairs += _pairs_in_text(entry)
        else:
            pairs.append(("daily", entry))
    return pairs


def _pairs_in_text(typed: str) -> Iterator[tuple[str, Any]]:
    """Yield the hours of each day, or those in a text such as "mon-fri 9-17, sat 10-14"."""
    if len(typed) > _LONGEST_WEEK or typed_times.read(typed) is not None:
        yield "daily", typed
        return
    found: list[tuple[str, str]] = []
    waiting = ""  # days whose hours follow: “mon, tue 9-17”
    for part in map(str.strip, _SEPARATORS.split(typed)):
        split = _split(waiting + part)
        if split is not None:
            found.append(split)
            waiting = ""
        elif _days_or_holidays(part):
            waiting += f"{part}, "
        elif found and not waiting and typed_times.read(part) is not None:
            found[-1] = (found[-1][0], f"{found[-1][1]},{part}")
        elif part or waiting:
            yield "daily", typed
            return
    if waiting:
        yield "daily", typed
        return
    yield from found


def _split(part: str) -> tuple[str, str] | None:
    """Return a text as its days and its hours, at the first place where both are understood; None if there is none."""
    for gap in _BREAK.finditer(part):
        days, hours = part[: gap.start()], part[gap.end() :]
        if _days_or_holidays(days) and typed_times.read(hours) is not None:
            return days, hours
    return None


def _days_or_holidays(name: str) -> bool:
    return bool(_readings(name)) or _is_about_holidays(name)


def _is_left_out(typed: Any) -> bool:
    if isinstance(typed, list):
        return all(
            isinstance(entry, str) and not addresses.visible(entry) for entry in typed
        )
    return (
        typed is None
        or typed == {}
        or (isinstance(typed, str) and not addresses.visible(typed))
    )


def _is_about_holidays(name: str) -> bool:
    return _tidy(name[: typed_times.LONGEST]) in typed_words.PUBLIC_HOLIDAYS


def _entries(pairs: list[tuple[str, Any]]) -> list[_Entry]:
    """Return the entries. An abbreviation of two languages is read in the one that all names of this record fit."""
    named = [(name, value) for name, value in pairs if not _is_about_holidays(name)]
    readings = [_readings(name) for name, _ in named]
    fitting = [
        language
        for language in typed_words.DAY_NAMES
        if all(not known or language in known for known in readings)
    ]
    entries = []
    for (name, value), known in zip(named, readings, strict=True):
        meant = {known[language] for language in fitting or known if language in known}
        days = meant.pop() if len(meant) == 1 else None
        entries.append(_Entry(name, value, days, typed_times.read(value)))
    return entries


def _what_is_wrong(entry: _Entry) -> str:
    if entry.days is None:
        return (
            f"hours: {cut(addresses.shown(entry.name))} is not a day such as mon; it is ignored, and days that no "
            "other entry names are treated as open."
        )
    shown = (
        f"“{cut(addresses.shown(entry.value))}”"
        if isinstance(entry.value, str)
        else "the value"
    )
    return (
        f"hours: {shown} of {cut(entry.name)} is not understood, or may be meant in two ways; write it as “09:00-"
        "12:00, 13:00-17:00” or “closed”. It is treated as open all day."
    )


@lru_cache(maxsize=500)
def _readings(name: str) -> dict[str, tuple[int, ...]]:
    """Return the days, 0 for Monday to 6, by each language in which the name is understood; none if it is in none."""
    text = _tidy(name[: typed_times.LONGEST])
    bare = _tidy(_IN_BRACKETS.sub(" ", text))
    if bare and bare != text:  # “weekdays (Mon-Fri)”
        return _readings(bare)
    if text in typed_words.GROUPS:
        return dict.fromkeys(typed_words.DAY_NAMES, typed_words.GROUPS[text])
    found = {
        language: _days(text, numbers)
        for language, numbers in typed_words.DAY_NAMES.items()
    }
    return {language: days for language, days in found.items() if days}


def _tidy(name: str) -> str:
    text = _FEIRA.sub("", typed_words.plain(name)).replace(".", " ").strip(" :")
    return " ".join(_LEADING.sub("", text).split())


def _days(text: str, numbers: Mapping[str, int]) -> tuple[int, ...]:
    """Return the days of one text in one language; () if it is not understood."""
    found: list[int] = []
    for part in _AND.split(text.replace("t/m", "-")):
        ends = [
            numbers.get(_LEADING.sub("", end.strip()))
            for end in _RANGE.split(part.strip())
        ]
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2:
            return ()
        found += [(first + further) % 7 for further in range((last - first) % 7 + 1)]
    return tuple(sorted(set(found)))
