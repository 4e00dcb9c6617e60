"""How long the first in the queue has waited: the figure that an alert looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from domain import hours
from domain.conversation import Pending
from domain.pool import Pool
from providers import clock, public_holidays, settings

_OPEN_FOR = timedelta(
    minutes=30
)  # so that who has waited all night is not called late when the day begins


def since(oldest: Iterable[Pending], known: Mapping[str, Pool]) -> datetime | None:
    """The arrival of whoever waits longest while somebody could come; None: nobody."""
    open_pools = {pool.id for pool in known.values() if _has_been_open(pool)}
    waiting = (entry for entry in oldest if not entry.pool or entry.pool in open_pools)
    return min((entry.queued_at for entry in waiting if entry.queued_at), default=None)


def _has_been_open(pool: Pool) -> bool:
    week = pool.hours
    if week is None:
        return True
    zone, is_holiday = settings.load().zone, public_holidays.of(week.countries)
    moments = (clock.now() - _OPEN_FOR, clock.now())
    return all(hours.open_at(week, moment, zone, is_holiday) for moment in moments)
