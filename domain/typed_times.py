"""One day's opening hours as people type them: "9-17", "9am to noon", "von 9 bis 17 Uhr", "closed"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from domain import typed_words
from domain.hours import ALL_DAY, Span

LONGEST = 200  # characters of one day's hours
_MINUTES_A_DAY = 24 * 60
_NOON_MINUTE = 12 * 60
# Minutes: "1-5" and "4-9" may be meant for the afternoon.
_EARLIEST_PLAIN, _LATEST_EARLY = 6 * 60, 10 * 60
_LONGEST_NIGHT = 13 * 60  # minutes: "20-6" is a night, "8:30-5:30" is a day
_DASHES = "‐‑‒–—―−-"


def _words(words: tuple[str, ...]) -> str:
    """Return a pattern for any of the words, the longest first."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_RANGE = re.compile(
    rf"\s*(?:[{_DASHES}]+|(?<![^\s\d.h])(?:{_words(typed_words.RANGE)})(?=[\s\d])(?!\s?\.?\s?m\b))\s*"
)
_AND = re.compile(rf"\s*[,;/&+|]\s*|\s+(?:{_words(typed_words.AND)})\s+(?=\D*\d)")
_LEADING = re.compile(rf"(?<!\S)(?:{_words(typed_words.LEADING)})\s+(?=\d)")
_NOON = re.compile(rf"\b(?:12\s+)?(?:{_words(typed_words.NOON)})\b")
_MIDNIGHT_AT_END = re.compile(
    rf"(?<=-)\s*(?:12\s+)?(?:{_words(typed_words.MIDNIGHT)})\b"
)
_MIDNIGHT = re.compile(rf"\b(?:{_words(typed_words.MIDNIGHT)})\b")
_UNIT = r"(?:uhr|o'clock|hrs?|hours?|heures?|horas?|ore|uur|h|u)"
_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?:\s*[:.hu]\s*(?P<minute>\d{2})(?::\d{2})?|(?<=\d\d)(?P<minute4>\d{2}))?"
    rf"\s*{_UNIT}?\s*(?:(?P<half>[ap])\.?\s?m\.?)?"
)
_WITHOUT_COMMA = re.compile(
    rf"(-\S+(?:\s(?:[ap]\.?\s?m\.?|{_UNIT}))?)\s+(?=\d)"
)  # “9-12 13-17”
_DECIMAL_COMMA = re.compile(r"(?<!\d)(\d{1,2}),([0-5]\d)(?!\d)")  # “7,30-16,30”
# The names of the two ends of a span in a map, by both of them in any order.
_ENDS = {
    frozenset(names): names
    for names in (
        ("open", "close"),
        ("opens", "closes"),
        ("from", "to"),
        ("start", "end"),
        ("begin", "end"),
        ("von", "bis"),
    )
}
_WHOLE_DAYS: Mapping[str, tuple[Span, ...]] = {
    **dict.fromkeys(typed_words.OPEN, ALL_DAY),
    **dict.fromkeys(typed_words.CLOSED, ()),
}
# The hour of the day by the typed hour, for am, pm and neither.
_HOURS: Mapping[str | None, Mapping[int, int]] = {
    "a": {hour: hour % 12 for hour in range(1, 13)},
    "p": {hour: hour % 12 + 12 for hour in range(1, 13)},
    None: {hour: hour for hour in range(25)},
}


class _Time(NamedTuple):
    """A time as typed. `is_exact`: with two digits. `has_half`: with am or pm."""

    minutes: int
    is_exact: bool
    has_half: bool


def read(value: Any) -> tuple[Span, ...] | None:
    """Return the spans of one day, none for a closed day; None if the value is invalid
    or ambiguous.

    `value` is a text, true or false, a map such as {open, close}, or a list of these;
    null is a closed day.
    """
    match value:
        case None | bool():
            return ALL_DAY if value else ()
        case Mapping():
            text = _from_ends(value)
        case list():
            text = _from_list(value)
        case _:
            text = value
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    return _read_text(text)


def _from_ends(value: Mapping[Any, Any]) -> str | None:
    """Return `{open: "9:00", close: "17:00"}` as one text; None for another map."""
    typed = {typed_words.plain(str(name)): text for name, text in value.items()}
    texts = [typed[name] for name in _ENDS.get(frozenset(typed), ())]
    return " - ".join(texts) if texts and _are_texts(texts) else None


def _from_list(value: list[Any]) -> str | None:
    """Return a list of spans, or of one opening and one closing time, as one text."""
    texts: list[Any] = [
        _from_ends(entry) if isinstance(entry, Mapping) else entry for entry in value
    ]
    if not _are_texts(texts):
        return None
    is_one_span = len(texts) == 2 and all(map(_is_time, texts))
    return (" - " if is_one_span else ",").join(texts)


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(_without_words(text)) is not None


@lru_cache(maxsize=500)
def _read_text(text: str) -> tuple[Span, ...] | None:
    plain = typed_words.plain(text)
    bare = re.sub(rf"^[{_DASHES}]+$", "-", plain.strip(" .!()"))
    if bare in _WHOLE_DAYS:
        return _WHOLE_DAYS[bare]
    return _spans(plain) or _spans(_DECIMAL_COMMA.sub(r"\1:\2", plain))


def _without_words(plain: str) -> str:
    """Return the text with dashes for range words, and times for noon and midnight."""
    text = _LEADING.sub("", _NOON.sub("12:00", typed_words.plain(plain)))
    text = _RANGE.sub("-", text)
    return _MIDNIGHT.sub("00:00", _MIDNIGHT_AT_END.sub("24:00", text)).strip(" .")


def _spans(plain: str) -> tuple[Span, ...] | None:
    """Return at least one span; None if a part of the text is invalid or ambiguous."""
    text = _WITHOUT_COMMA.sub(r"\1,", _without_words(plain))
    spans: list[Span] = []
    previous = None
    for part in filter(None, map(str.strip, _AND.split(text))):
        previous = _span(_LEADING.sub("", part), after=previous)
        if previous is None:
            return None
        spans.append(previous)
    return tuple(spans) or None


def _span(text: str, after: Span | None) -> Span | None:
    """Return one span; None if it is invalid or ambiguous. `after` is the span typed
    before it."""
    ends = [_TIME.fullmatch(part.strip()) for part in text.split("-")]
    match ends:
        case [re.Match() as opening, re.Match() as closing]:
            return _between(_time(opening, closing), _time(closing, closing), after)
    return None


def _between(
    first: _Time | None, last: _Time | None, after: Span | None
) -> Span | None:
    if first is None or last is None or first.minutes >= _MINUTES_A_DAY:
        return None
    if _is_ambiguous(first, last, after):
        return None
    closes = last.minutes
    if closes == _MINUTES_A_DAY - 1:  # no pool closes for the last minute of the day
        closes = _MINUTES_A_DAY
    if closes <= first.minutes:
        closes += _MINUTES_A_DAY
    return Span(timedelta(minutes=first.minutes), timedelta(minutes=closes))


def _is_ambiguous(first: _Time, last: _Time, after: Span | None) -> bool:
    """Return whether afternoon may be meant: "9-5", "8:30-5:30", "1-5", and "1-5" in
    "9-12, 1-5"."""
    if first.minutes == last.minutes:
        return first.minutes != 0
    if _is_explicit(first, last):
        return False
    if last.minutes < first.minutes <= _NOON_MINUTE:
        return (last.minutes - first.minutes) % _MINUTES_A_DAY >= _LONGEST_NIGHT
    if first.is_exact:
        return False
    return _is_early(first, last) or _is_out_of_order(first, after)


def _is_explicit(first: _Time, last: _Time) -> bool:
    has_half = first.has_half or last.has_half
    return has_half or (first.is_exact and last.is_exact)


def _is_early(first: _Time, last: _Time) -> bool:
    return 0 < first.minutes < _EARLIEST_PLAIN and last.minutes < _LATEST_EARLY


def _is_out_of_order(first: _Time, after: Span | None) -> bool:
    """Return whether it begins before the span that was typed before it."""
    return after is not None and timedelta(minutes=first.minutes) < after.begins


def _time(typed: re.Match[str], closing: re.Match[str]) -> _Time | None:
    """Return the time; None if there is no such time.

    Before "5 pm", a plain 1 is 13:00 and a plain 9 is 09:00.
    """
    digits = typed["hour"]
    half = typed["half"] or _half_before(int(digits), closing)
    hour = _HOURS[half].get(int(digits))
    minute = int(typed["minute"] or typed["minute4"] or 0)
    if hour is None or minute > 59:
        return None
    minutes = hour * 60 + minute
    if minutes > _MINUTES_A_DAY:
        return None
    return _Time(minutes, len(digits) == 2, half is not None)


def _half_before(hour: int, closing: re.Match[str]) -> str | None:
    """Return the half of the day of an hour typed without one, by the closing time."""
    if closing["half"] is None:
        return None
    is_same_half = hour % 12 < int(closing["hour"]) % 12
    return closing["half"] if is_same_half else "a"
