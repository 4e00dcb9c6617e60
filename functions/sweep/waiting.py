"""The longest wait in the queue: the figure that an alert watches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from domain import hours
from domain.conversation import Pending
from domain.pool import Pool
from providers import clock, public_holidays, settings

_OPEN_FOR = timedelta(
    minutes=30
)  # so that a night's wait is not overdue as soon as the pool opens


def since(oldest: Iterable[Pending], known: Mapping[str, Pool]) -> datetime | None:
    """Return when the longest-waiting customer arrived, by entries of open pools; None if there is none.

    `known`: the entries' pools by ID.
    """
    open_pools = {pool.id for pool in known.values() if _has_been_open(pool)}
    waiting = (entry for entry in oldest if not entry.pool or entry.pool in open_pools)
    return min((entry.queued_at for entry in waiting if entry.queued_at), default=None)


def _has_been_open(pool: Pool) -> bool:
    """Return whether the pool is open, and was half an hour ago."""
    week = pool.hours
    if week is None:
        return True
    zone, is_holiday = settings.load().zone, public_holidays.of(week.countries)
    moments = (clock.now() - _OPEN_FOR, clock.now())
    return all(hours.open_at(week, moment, zone, is_holiday) for moment in moments)
