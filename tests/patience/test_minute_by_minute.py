"""Opening hours agree with a reading of their own for each minute, around each change of the clock of 2026."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from domain import hours
from domain.hours import DAYS, Hours, Span
from domain.pool import parse
from providers import public_holidays

ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
)
SHIFTS = (
    "00:00-02:30",
    "00:30-24:00",
    "01:59-03:01",
    "02:30-06:00",
    "09:00-12:00, 13:00-17:00",
    "18:00-24:00",
    "22:00-02:00",
    "22:00-06:00",
    "0-24",
    "closed",
)
MINUTE = timedelta(minutes=1)
MINUTES = 36 * 60
ORDINARY_DAYS = 2
NO_HOLIDAYS = public_holidays.of(())


@dataclass(frozen=True)
class Case:
    """One week of hours, read minute by minute."""

    read: Hours
    zone: ZoneInfo
    moments: Sequence[datetime]
    is_open: Sequence[bool]


def spans_of(read: Hours, day: date) -> Sequence[Span]:
    """Return the day's spans; a holiday's go before the week's."""
    assert read.week is not None
    for holiday in read.holidays:
        if holiday.first <= day <= holiday.last:
            return holiday.spans
    return read.week[day.weekday()]


def is_open(read: Hours, moment: datetime, zone: ZoneInfo) -> bool:
    """Return whether a span of the wall's day, or of the day before, holds the wall's minute."""
    wall = moment.astimezone(zone)
    today = timedelta(hours=wall.hour, minutes=wall.minute)
    yesterday = wall.date() - timedelta(days=1)
    is_in_today = any(
        span.begins <= today < span.ends for span in spans_of(read, wall.date())
    )
    return is_in_today or any(
        span.begins <= today + timedelta(days=1) < span.ends
        for span in spans_of(read, yesterday)
    )


def changes_of_the_clock(zone: ZoneInfo) -> list[datetime]:
    """Return a moment up to a day before each change of the zone's offset in 2026."""
    year = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    offsets = [moment.astimezone(zone).utcoffset() for moment in year]
    pairs = zip(year, offsets, offsets[1:], strict=False)
    return [moment for moment, before, after in pairs if before != after]


def week_around(
    begins: datetime, zone: ZoneInfo, chance: random.Random
) -> tuple[Hours, object]:
    """Return random hours with a holiday on one of the days that are read, and what was typed."""
    day = begins.astimezone(zone).date() + timedelta(days=chance.choice((-1, 0, 1, 2)))
    typed = {
        "hours": {name: chance.choice(SHIFTS) for name in DAYS},
        "holidays": {day.isoformat(): chance.choice(("closed", "10:00-11:00", "22-3"))},
    }
    pool = parse("p", typed)
    assert pool.hours is not None and pool.problem is None
    return pool.hours, typed


def first_open(case: Case, start: int) -> datetime | None:
    pairs = zip(case.moments[start:], case.is_open[start:], strict=True)
    return next((moment for moment, is_open in pairs if is_open), None)


def check_opens_next(case: Case, start: int) -> None:
    expected = first_open(case, start)
    found = hours.opens_next(case.read, case.moments[start], case.zone, NO_HOLIDAYS)
    if expected is not None:
        assert found == expected
    else:
        assert found is None or found > case.moments[-1]


def check_open_time(case: Case, start: int, end: int, wanted: int) -> None:
    """Compare open_seconds between two minutes, and open_for with so many open minutes."""
    begins, ends = case.moments[start], case.moments[end]
    counted = list(accumulate(case.is_open[start:end], initial=0))
    seconds = hours.open_seconds(case.read, begins, ends, case.zone, NO_HOLIDAYS)
    assert seconds == counted[-1] * 60
    until = hours.open_for(case.read, begins, wanted * 60.0, case.zone, NO_HOLIDAYS)
    if counted[-1] >= wanted:
        assert until == begins + counted.index(wanted) * MINUTE
    else:
        assert until is None or until > ends


@pytest.mark.parametrize("zone_name", ZONES)
def test_hours_agree_with_a_reading_minute_by_minute(zone_name: str) -> None:
    zone, chance = ZoneInfo(zone_name), random.Random(zone_name)
    days = changes_of_the_clock(zone)
    ordinary = [
        datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=chance.randrange(365))
        for _ in range(ORDINARY_DAYS)
    ]
    for begins in (*days, *ordinary):
        read, typed = week_around(begins, zone, chance)
        moments = [begins + number * MINUTE for number in range(MINUTES)]
        expected = [is_open(read, moment, zone) for moment in moments]
        found = [hours.open_at(read, moment, zone, NO_HOLIDAYS) for moment in moments]
        assert found == expected, (begins, typed)
        case = Case(read, zone, moments, expected)
        for start in chance.sample(range(MINUTES - 1), 20):
            check_opens_next(case, start)
            end = chance.randrange(start, MINUTES)
            check_open_time(case, start, end, wanted=chance.choice((1, 5, 60, 300)))


def test_the_zones_have_changes_of_the_clock() -> None:
    changes = {name: len(changes_of_the_clock(ZoneInfo(name))) for name in ZONES}
    assert sum(count > 0 for count in changes.values()) >= 13, changes
