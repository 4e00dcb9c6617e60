"""A clock that runs only while a pool is open, for the seconds of deadlines, overflow and waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain import hours as opening_hours
from domain.hours import Hours, IsHoliday


@dataclass(frozen=True)
class Opening:
    """A pool's hours, with the time zone and the public holidays by which they are read."""

    hours: Hours
    zone: ZoneInfo
    is_holiday: IsHoliday


def is_open(opening: Opening | None, moment: datetime) -> bool:
    """Return whether a pool is open at this moment; None: it has no hours and is always open."""
    if opening is None:
        return True
    return opening_hours.open_at(
        opening.hours, moment, opening.zone, opening.is_holiday
    )


def seconds(opening: Opening | None, since: datetime, until: datetime) -> float:
    """Return for how many seconds a pool is open from `since` to `until`."""
    if opening is None:
        return (until - since).total_seconds()
    return opening_hours.open_seconds(
        opening.hours, since, until, opening.zone, opening.is_holiday
    )


def after(opening: Opening | None, since: datetime, seconds: float) -> datetime | None:
    """Return the moment at which a pool has been open for so many seconds since then.

    None if that takes more than 400 days.
    """
    if opening is None:
        return since + timedelta(seconds=seconds)
    return opening_hours.open_for(
        opening.hours, since, seconds, opening.zone, opening.is_holiday
    )


def before(opening: Opening | None, until: datetime, seconds: float) -> datetime | None:
    """Return the latest moment from which a pool was open for so many seconds until `until`.

    None if there is none in the last 400 days.
    """
    if opening is None:
        return until - timedelta(seconds=seconds)
    return opening_hours.open_before(
        opening.hours, until, seconds, opening.zone, opening.is_holiday
    )
