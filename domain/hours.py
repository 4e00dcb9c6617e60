"""When a pool is open: the rule. How people type hours and holidays is read in domain/typed_hours.py.

What counts is what a clock on the wall shows. Hours that summer time skips are not there: who opens at 02:30 in a
night without a 02:30 opens when the clock jumps. Hours that it repeats are there twice. What runs past midnight
belongs to the day on which it begins, also where one of the two days is a holiday.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_LOOK_AHEAD = 400  # days: also a pool that opens for one day a year
_LONGEST_SHIFT = timedelta(hours=3)  # of a zone's clock in one night

IsHoliday: TypeAlias = Callable[[date], bool]


class Span(NamedTuple):
    """From the first moment that is open to the first one that is not, counted from the midnight of its day; `ends`
    is beyond 24 h where it runs past midnight."""

    begins: timedelta
    ends: timedelta


ALL_DAY = (Span(timedelta(), _DAY),)


@dataclass(frozen=True)
class Hours:
    """`week`: the spans of Monday to Sunday, None for always. `dates`, the days of the `moments` and
    each year's `yearly` (month, day) are holidays, as are the public ones of the `countries`, such as DE-BY, which
    the caller knows."""

    week: tuple[tuple[Span, ...], ...] | None = None
    dates: frozenset[date] = frozenset()
    moments: frozenset[datetime] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()
    countries: tuple[str, ...] = ()


def open_at(hours: Hours, moment: datetime, zone: ZoneInfo, is_holiday: IsHoliday) -> bool:
    """Whether it is open at this moment. `is_holiday`: of the public holidays of `hours.countries`."""
    wall = moment.astimezone(zone).replace(tzinfo=None)
    today = wall.date()
    since_midnight = wall - datetime.combine(today, time())
    return any(
        begins <= since_midnight + passed < ends
        for day, passed in ((today, timedelta()), (today - _DAY, _DAY))
        for begins, ends in _spans(hours, day, zone, is_holiday)
    )


def opens_next(hours: Hours, moment: datetime, zone: ZoneInfo, is_holiday: IsHoliday) -> datetime | None:
    """The first moment from this one on at which it is open, in UTC; None: not within a year."""
    if open_at(hours, moment, zone, is_holiday):
        return moment.astimezone(UTC)
    today = moment.astimezone(zone).date()
    for day in (today + ahead * _DAY for ahead in range(_LOOK_AHEAD)):
        for begins in sorted(_beginnings(hours, day, zone, is_holiday)):
            if begins > moment and open_at(hours, begins, zone, is_holiday):
                return begins
    return None


def _spans(hours: Hours, day: date, zone: ZoneInfo, is_holiday: IsHoliday) -> tuple[Span, ...]:
    spans = ALL_DAY if hours.week is None else hours.week[day.weekday()]
    closed = day in hours.dates or (day.month, day.day) in hours.yearly
    closed = closed or any(moment.astimezone(zone).date() == day for moment in hours.moments)
    return () if not spans or closed or is_holiday(day) else spans


def _beginnings(hours: Hours, day: date, zone: ZoneInfo, is_holiday: IsHoliday) -> Iterator[datetime]:
    """When it may begin to be open on this day: where a span begins, and where the clock is changed."""
    midnight = datetime.combine(day, time())
    for span in _spans(hours, day, zone, is_holiday):
        for fold in (0, 1):
            yield (midnight + span.begins).replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if (change := _clock_change(midnight, zone)) is not None:
        yield change


def _clock_change(midnight: datetime, zone: ZoneInfo) -> datetime | None:
    """When the clock is put forward or back on the day that begins then, to the second."""
    first = midnight.replace(tzinfo=zone).astimezone(UTC) - _LONGEST_SHIFT
    last = (midnight + _DAY).replace(tzinfo=zone).astimezone(UTC)
    if _offset(first, zone) == _offset(last, zone):
        return None
    low, high = 0, int((last - first).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        is_before = _offset(first + timedelta(seconds=middle), zone) == _offset(first, zone)
        low, high = (middle, high) if is_before else (low, middle)
    return first + timedelta(seconds=high)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
