"""When a pool is open. domain/typed_hours.py reads hours and holidays as people type them.

Hours are those of a clock on the wall. In a night in which summer time skips 02:30, a pool with hours from 02:30
opens when the clock jumps. Hours that summer time repeats count twice. A span past midnight belongs to the day on
which it begins, even if one of the two days is a holiday.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
LEAP_YEAR = 2000  # holds the days of each year, 29 February among them
_DAYS_A_YEAR = 366
_LOOK_AHEAD = 400  # days: enough for a pool that opens for one day a year
_LONGEST_SHIFT = timedelta(hours=3)  # of a zone's clock in one night

IsHoliday: TypeAlias = Callable[[date], bool]


class Span(NamedTuple):
    """From the first open moment to the first closed one, counted from midnight.

    `ends` is above 24 hours if the span runs past midnight.
    """

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
        """Return whether the day is one of these."""
        if not self.is_yearly:
            return self.first <= day <= self.last
        first, last, asked = map(_month_and_day, (self.first, self.last, day))
        if first <= last:
            return first <= asked <= last
        return not last < asked < first

    @property
    def length(self) -> int:
        """Return the number of days."""
        return (self.last - self.first).days % _DAYS_A_YEAR + 1


def _month_and_day(day: date) -> tuple[int, int]:
    return day.month, day.day


@dataclass(frozen=True)
class Hours:
    """`week`: the spans of Monday to Sunday, None for always.

    `holidays`, the days of the `moments`, and the public holidays of the `countries`, such as DE-BY, are exceptions to
    the week. The caller knows the countries' holidays.
    """

    week: tuple[tuple[Span, ...], ...] | None = None
    holidays: tuple[Holiday, ...] = ()
    moments: frozenset[datetime] = frozenset()
    countries: tuple[str, ...] = ()


def open_at(
    hours: Hours, moment: datetime, zone: ZoneInfo, is_holiday: IsHoliday
) -> bool:
    """Return whether the pool is open at this moment.

    `is_holiday` knows the public holidays of `hours.countries`.
    """
    wall = moment.astimezone(zone).replace(tzinfo=None)
    today = wall.date()
    since_midnight = wall - datetime.combine(today, time())
    spans = _spans(hours, today, zone, is_holiday)
    spans_of_yesterday = _spans(hours, today - _DAY, zone, is_holiday)
    return _contain(spans, since_midnight) or _contain(
        spans_of_yesterday, since_midnight + _DAY
    )


def closed_days(
    hours: Hours, first: date, zone: ZoneInfo, is_holiday: IsHoliday, most: int
) -> list[date]:
    """Return the next days that the holidays close all day, from `first` on.

    A day that the week closes is among them if it is a holiday as well. At most 800 days
    are looked at.
    """
    days = (first + number * _DAY for number in range(2 * _LOOK_AHEAD))
    closed = (
        day
        for day in days
        if _is_exception(hours, day, zone, is_holiday)
        and not _spans(hours, day, zone, is_holiday)
    )
    return list(islice(closed, most))


def _is_exception(
    hours: Hours, day: date, zone: ZoneInfo, is_holiday: IsHoliday
) -> bool:
    """Return whether a holiday decides on this day, not the week."""
    if any(holiday.includes(day) for holiday in hours.holidays):
        return True
    closed_moments = {moment.astimezone(zone).date() for moment in hours.moments}
    return day in closed_moments or is_holiday(day)


def _contain(spans: tuple[Span, ...], since_midnight: timedelta) -> bool:
    return any(span.begins <= since_midnight < span.ends for span in spans)


def opens_next(
    hours: Hours, moment: datetime, zone: ZoneInfo, is_holiday: IsHoliday
) -> datetime | None:
    """Return the first moment from this one on at which the pool is open, in UTC.

    None if it does not open within 400 days.
    """
    if open_at(hours, moment, zone, is_holiday):
        return moment.astimezone(UTC)
    today = moment.astimezone(zone).date()
    for ahead in range(_LOOK_AHEAD):
        day = today + ahead * _DAY
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
    """Return for how many seconds the pool is open from `since` to `until`.

    Of a longer time, the last 400 days count.
    """
    since = max(since, until - _LOOK_AHEAD * _DAY)
    return sum(
        (ends - begins).total_seconds()
        for begins, ends in _constant(hours, since, until, zone, is_holiday)
        if open_at(hours, begins, zone, is_holiday)
    )


def open_for(
    hours: Hours, since: datetime, seconds: float, zone: ZoneInfo, is_holiday: IsHoliday
) -> datetime | None:
    """Return the moment at which the pool has been open for so many seconds since then.

    None if that takes more than 400 days.
    """
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


def open_before(
    hours: Hours, until: datetime, seconds: float, zone: ZoneInfo, is_holiday: IsHoliday
) -> datetime | None:
    """Return the latest moment from which the pool was open for so many seconds until `until`.

    None if there is none in the last 400 days.
    """
    left, ends = seconds, until
    while left > 0 and ends > until - _LOOK_AHEAD * _DAY:
        pieces = list(_constant(hours, ends - _WEEK, ends, zone, is_holiday))
        for first, last in reversed(pieces):
            if not open_at(hours, first, zone, is_holiday):
                continue
            length = (last - first).total_seconds()
            if length >= left:
                return last - timedelta(seconds=left)
            left -= length
        ends -= _WEEK
    return until if seconds <= 0 else None


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
        yield from _moments(midnight + span.ends, zone)


def _moments(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return both moments at which a clock shows this time, in UTC.

    They are the same, except in the night in which the clock is changed.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first, second


def _spans(
    hours: Hours, day: date, zone: ZoneInfo, is_holiday: IsHoliday
) -> tuple[Span, ...]:
    """Return the spans that begin on this day.

    The shortest of the pool's own holidays decides, before the public ones and the week. Hours typed for a day of
    each year do not open a day that the week closes.
    """
    spans = ALL_DAY if hours.week is None else hours.week[day.weekday()]
    holidays = [holiday for holiday in hours.holidays if holiday.includes(day)]
    if holidays:
        decisive = min(holidays, key=_by_length)
        return () if decisive.is_yearly and not spans else decisive.spans
    if not spans:
        return ()
    closed_days = {moment.astimezone(zone).date() for moment in hours.moments}
    return () if day in closed_days or is_holiday(day) else spans


def _by_length(holiday: Holiday) -> tuple[bool, int]:
    return holiday.is_yearly, holiday.length


def _beginnings(
    hours: Hours, day: date, zone: ZoneInfo, is_holiday: IsHoliday
) -> Iterator[datetime]:
    """Yield each moment at which the pool may open on this day: the beginnings of its
    spans, and the change of the clock."""
    midnight = datetime.combine(day, time())
    for span in _spans(hours, day, zone, is_holiday):
        yield from _moments(midnight + span.begins, zone)
    if (change := _clock_change(midnight, zone)) is not None:
        yield change


def _clock_change(midnight: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the clock is changed on the day that begins then; None: not that day."""
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
