"""When a pool is open: the rule. How people type hours and holidays is read in domain/typed_hours.py.

What counts is what a clock on the wall shows. Hours that summer time skips are not there: who opens at 02:30 in a
night without a 02:30 opens when the clock jumps. Hours that it repeats are there twice. What runs past midnight
belongs to the day on which it begins, also where one of the two days is a holiday.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
LEAP_YEAR = 2000  # holds the days of each year, 29 February among them
_DAYS_A_YEAR = 366
_LOOK_AHEAD = 400  # days: also a pool that opens for one day a year
_LONGEST_SHIFT = timedelta(hours=3)  # of a zone's clock in one night

IsHoliday: TypeAlias = Callable[[date], bool]


class Span(NamedTuple):
    """From the first moment that is open to the first one that is not, counted from the midnight of its day; `ends`
    is beyond 24 h where it runs past midnight."""

    begins: timedelta
    ends: timedelta


ALL_DAY = (Span(timedelta(), _DAY),)


class Holiday(NamedTuple):
    """Days from `first` to `last`, both included, with hours of their own: none where they are closed.

    Where `is_yearly`, only month and day count, and the days may run over the turn of the year.
    """

    first: date
    last: date
    is_yearly: bool = False
    spans: tuple[Span, ...] = ()

    def includes(self, day: date) -> bool:
        if not self.is_yearly:
            return self.first <= day <= self.last
        first, last, asked = (
            (one.month, one.day) for one in (self.first, self.last, day)
        )
        return (
            first <= asked <= last if first <= last else asked >= first or asked <= last
        )

    @property
    def length(self) -> int:
        """The number of days."""
        return (self.last - self.first).days % _DAYS_A_YEAR + 1


@dataclass(frozen=True)
class Hours:
    """`week`: the spans of Monday to Sunday, None for always. `holidays`, the days of the `moments`, and the public
    holidays of the `countries`, such as DE-BY, differ from it; the caller knows the countries' holidays."""

    week: tuple[tuple[Span, ...], ...] | None = None
    holidays: tuple[Holiday, ...] = ()
    moments: frozenset[datetime] = frozenset()
    countries: tuple[str, ...] = ()


def open_at(
    hours: Hours, moment: datetime, zone: ZoneInfo, is_holiday: IsHoliday
) -> bool:
    """Whether it is open at this moment. `is_holiday`: of the public holidays of `hours.countries`."""
    wall = moment.astimezone(zone).replace(tzinfo=None)
    today = wall.date()
    since_midnight = wall - datetime.combine(today, time())
    return any(
        begins <= since_midnight + passed < ends
        for day, passed in ((today, timedelta()), (today - _DAY, _DAY))
        for begins, ends in _spans(hours, day, zone, is_holiday)
    )


def opens_next(
    hours: Hours, moment: datetime, zone: ZoneInfo, is_holiday: IsHoliday
) -> datetime | None:
    """The first moment from this one on at which it is open, in UTC; None: not within a year."""
    if open_at(hours, moment, zone, is_holiday):
        return moment.astimezone(UTC)
    today = moment.astimezone(zone).date()
    for day in (today + ahead * _DAY for ahead in range(_LOOK_AHEAD)):
        for begins in sorted(_beginnings(hours, day, zone, is_holiday)):
            if begins > moment and open_at(hours, begins, zone, is_holiday):
                return begins
    return None


def open_seconds(
    hours: Hours,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    is_holiday: IsHoliday,
) -> float:
    """Return for how many seconds it is open from `since` to `until`; at most the last 400 days count."""
    since = max(since, until - _LOOK_AHEAD * _DAY)
    return sum(
        (ends - begins).total_seconds()
        for begins, ends in _constant(hours, since, until, zone, is_holiday)
        if open_at(hours, begins, zone, is_holiday)
    )


def open_for(
    hours: Hours, since: datetime, seconds: float, zone: ZoneInfo, is_holiday: IsHoliday
) -> datetime | None:
    """Return the moment at which it has been open for so many seconds since then; None: not within 400 days."""
    left, begins = seconds, since
    while left > 0 and begins < since + _LOOK_AHEAD * _DAY:
        for first, last in _constant(hours, begins, begins + _WEEK, zone, is_holiday):
            if not open_at(hours, first, zone, is_holiday):
                continue
            length = (last - first).total_seconds()
            if length >= left:
                return first + timedelta(seconds=left)
            left -= length
        begins += _WEEK
    return since if seconds <= 0 else None


def _constant(
    hours: Hours,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    is_holiday: IsHoliday,
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the time from `since` to `until` in pieces in which it is either open or closed throughout."""
    first, last = since.astimezone(zone).date() - _DAY, until.astimezone(zone).date()
    days = ((first + number * _DAY) for number in range((last - first).days + 1))
    edges = {
        edge
        for day in days
        for edge in _edges(hours, day, zone, is_holiday)
        if since < edge < until
    }
    yield from pairwise([since, *sorted(edges), until])


def _edges(
    hours: Hours, day: date, zone: ZoneInfo, is_holiday: IsHoliday
) -> Iterator[datetime]:
    """Yield each moment at which this day's spans may begin or end."""
    yield from _beginnings(hours, day, zone, is_holiday)
    midnight = datetime.combine(day, time())
    for span in _spans(hours, day, zone, is_holiday):
        for fold in (0, 1):
            yield (midnight + span.ends).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _spans(
    hours: Hours, day: date, zone: ZoneInfo, is_holiday: IsHoliday
) -> tuple[Span, ...]:
    """Return the spans that begin on this day.

    The shortest of the pool's own holidays decides, before the public ones and the week. Hours typed for a day of
    each year do not open a day that the week closes.
    """
    spans = ALL_DAY if hours.week is None else hours.week[day.weekday()]
    own = [holiday for holiday in hours.holidays if holiday.includes(day)]
    if own:
        decisive = min(own, key=lambda holiday: (holiday.is_yearly, holiday.length))
        return () if decisive.is_yearly and not spans else decisive.spans
    if (
        any(moment.astimezone(zone).date() == day for moment in hours.moments)
        or not spans
    ):
        return ()
    return () if is_holiday(day) else spans


def _beginnings(
    hours: Hours, day: date, zone: ZoneInfo, is_holiday: IsHoliday
) -> Iterator[datetime]:
    """When it may begin to be open on this day: where a span begins, and where the clock is changed."""
    midnight = datetime.combine(day, time())
    for span in _spans(hours, day, zone, is_holiday):
        for fold in (0, 1):
            yield (
                (midnight + span.begins).replace(tzinfo=zone, fold=fold).astimezone(UTC)
            )
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
        is_before = _offset(first + timedelta(seconds=middle), zone) == _offset(
            first, zone
        )
        low, high = (middle, high) if is_before else (low, middle)
    return first + timedelta(seconds=high)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
