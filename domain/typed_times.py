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
_EARLIEST_PLAIN, _LATEST_EARLY = (
    6 * 60,
    10 * 60,
)  # "1-5" and "4-9" may be meant for the afternoon
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
    r"(?:(?P<hour>\d{1,2})(?:\s*[:.hu]\s*(?P<minute>\d{2})(?::\d{2})?)?|(?P<hour4>\d{2})(?P<minute4>\d{2}))"
    rf"\s*{_UNIT}?\s*(?:(?P<half>[ap])\.?\s?m\.?)?"
)
_WITHOUT_COMMA = re.compile(
    rf"(-\S+(?:\s(?:[ap]\.?\s?m\.?|{_UNIT}))?)\s+(?=\d)"
)  # “9-12 13-17”
_DECIMAL_COMMA = re.compile(r"(?<!\d)(\d{1,2}),([0-5]\d)(?!\d)")  # “7,30-16,30”
_ENDS = (
    ("open", "close"),
    ("opens", "closes"),
    ("from", "to"),
    ("start", "end"),
    ("begin", "end"),
    ("von", "bis"),
)


class _Time(NamedTuple):
    """A time as typed. `is_exact`: with am or pm, or with two digits, so that no other time can be meant."""

    minutes: int
    is_exact: bool
    has_half: bool


def read(value: Any) -> tuple[Span, ...] | None:
    """Return the spans of one day, none for a closed day; None if the value is invalid or ambiguous."""
    if value is None or isinstance(value, bool):
        return ALL_DAY if value else ()
    if isinstance(value, Mapping):
        value = _from_ends(value)
    if isinstance(value, list):
        value = _from_list(value)
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    return _read_text(value)


def _from_ends(value: Mapping[Any, Any]) -> str | None:
    """Return `{open: "9:00", close: "17:00"}` as one text."""
    typed = {typed_words.plain(str(name)): text for name, text in value.items()}
    for first, last in _ENDS:
        if set(typed) == {first, last} and all(
            isinstance(text, str) for text in typed.values()
        ):
            return f"{typed[first]} - {typed[last]}"
    return None


def _from_list(value: list[Any]) -> str | None:
    """Return a list of spans, or of one opening and one closing time, as one text."""
    typed = [
        _from_ends(entry) if isinstance(entry, Mapping) else entry for entry in value
    ]
    texts = [text for text in typed if isinstance(text, str)]
    if len(texts) < len(typed):
        return None
    if len(texts) == 2 and all(_TIME.fullmatch(_without_words(text)) for text in texts):
        return " - ".join(texts)
    return ",".join(texts)


@lru_cache(maxsize=500)
def _read_text(text: str) -> tuple[Span, ...] | None:
    plain = typed_words.plain(text)
    bare = re.sub(rf"^[{_DASHES}]+$", "-", plain.strip(" .!()"))
    if bare in typed_words.CLOSED:
        return ()
    if bare in typed_words.OPEN:
        return ALL_DAY
    spans = _spans(plain)
    return spans if spans is not None else _spans(_DECIMAL_COMMA.sub(r"\1:\2", plain))


def _without_words(plain: str) -> str:
    """Return the text with dashes for range words, and times for noon and midnight."""
    text = _LEADING.sub("", _NOON.sub("12:00", typed_words.plain(plain)))
    text = _RANGE.sub("-", text)
    return _MIDNIGHT.sub("00:00", _MIDNIGHT_AT_END.sub("24:00", text)).strip(" .")


def _spans(plain: str) -> tuple[Span, ...] | None:
    text = _WITHOUT_COMMA.sub(r"\1,", _without_words(plain))
    parts = [
        _LEADING.sub("", part.strip()) for part in _AND.split(text) if part.strip()
    ]
    spans: list[Span] = []
    for part in parts:
        span = _span(part, after=spans[-1] if spans else None)
        if span is None:
            return None
        spans.append(span)
    return tuple(spans) or None


def _span(text: str, after: Span | None) -> Span | None:
    """Return one span; None if it is invalid or ambiguous. `after` is the span typed before it."""
    ends = [_TIME.fullmatch(part.strip()) for part in text.split("-")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    first, last = _time(ends[0], closing=ends[1]), _time(ends[1], closing=None)
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
    """Return whether afternoon may be meant: "9-5", "8:30-5:30", "1-5", and "1-5" in "9-12, 1-5"."""
    if first.minutes == last.minutes:
        return first.minutes != 0
    length = (last.minutes - first.minutes) % _MINUTES_A_DAY
    if first.has_half or last.has_half:
        return False
    if first.is_exact and last.is_exact:
        return False
    if last.minutes < first.minutes and first.minutes <= 12 * 60:
        return length >= _LONGEST_NIGHT
    if first.is_exact:
        return False
    is_out_of_order = (
        after is not None and timedelta(minutes=first.minutes) < after.begins
    )
    is_early = 0 < first.minutes < _EARLIEST_PLAIN and last.minutes < _LATEST_EARLY
    return is_out_of_order or is_early


def _time(typed: re.Match[str], closing: re.Match[str] | None) -> _Time | None:
    """Return the time; None if there is none such. Before "5 pm", a plain 1 is 13:00 and a plain 9 is 09:00."""
    digits = typed["hour"] or typed["hour4"]
    hour, minute = int(digits), int(typed["minute"] or typed["minute4"] or 0)
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
    return _Time(hour * 60 + minute, len(digits) == 2, half is not None)
