"""Puts the figures together, each counted no more often than it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial

from domain.conversation import Pending
from domain.pool import Pool
from domain.pool import parse as parse_pool
from domain.settings import Settings
from functions.http.cache import Cache
from functions.wallboard import attention, statistics
from functions.wallboard.attention import Stuck
from functions.wallboard.figures import (
    Hour,
    Now,
    PoolRow,
    Today,
    Waiting,
    hours_of_day,
    parts_of_day,
)
from functions.wallboard.statistics import Answers, Meter, Span, Waits
from providers import (
    clock,
    configuration,
    conversations,
    database,
    pools,
    settings,
    workers,
)

NOW_FOR = 5.0  # seconds
STUCK_FOR = 10.0
TODAY_FOR = 30.0
RECORDS_FOR = 30.0  # settings and pools, which people edit
FINISHED_FOR = 600.0  # the part of the day that is over; it changes only while somebody in it still waits
UNSETTLED_FOR = 60.0
SHOWN = 20  # of those waiting
MOST_POOLS = 30


class Board:
    """The figures of one database; `meter` says what they cost."""

    def __init__(self) -> None:
        self.meter = Meter()
        self._cache = Cache()

    def now(self) -> Now:
        return self._cache.get("now", NOW_FOR, self._now)

    def today(self) -> Today:
        return self._cache.get("today", TODAY_FOR, self._today)

    def today_if_known(self) -> Today | None:
        """For a page that is shown at once and completed a moment later."""
        known: Today | None = self._cache.peek("today", UNSETTLED_FOR)
        return known

    def stuck(self) -> tuple[Stuck, ...]:
        """What needs a person's eye."""
        told = self._cache.get("stuck", STUCK_FOR, self._stuck)
        return (*attention.in_queue(self.now()), *told)

    def _stuck(self) -> tuple[Stuck, ...]:
        return attention.in_records(self.meter, self.settings(), self.names)

    def names(self, identities: Iterable[str | None]) -> Mapping[str, str]:
        """What these workers are called, by identity."""
        known = self._cache.get("people", RECORDS_FOR, dict[str, str])
        unknown = sorted({one for one in identities if one and one not in known})
        if unknown:
            self.meter.note(len(unknown))
            known.update({one.identity: one.name for one in workers.load_all(unknown)})
        return known

    def settings(self) -> Settings:
        return self._cache.get("settings", RECORDS_FOR, self._settings)

    def pools(self) -> list[Pool]:
        """The pools with a record, and the default one, which needs none."""
        return self._cache.get("pools", RECORDS_FOR, self._pools)

    def _settings(self) -> Settings:
        self.meter.note(1)
        return settings.load()

    def _pools(self) -> list[Pool]:
        query = database.client().collection("pools").limit(MOST_POOLS + 1)
        found = [pools.of(one) for one in statistics.found(self.meter, query)]
        default = self.settings().default_pool
        if default not in (pool.id for pool in found):
            found.insert(0, parse_pool(default, None))
        return sorted(found, key=lambda pool: pool.display_name.casefold())

    def _now(self) -> Now:
        meter, shown = self.meter, self.pools()[:MOST_POOLS]
        first = statistics.longest_waiting(meter, None, SHOWN)
        waiting = (
            len(first) if len(first) < SHOWN else statistics.how_many_wait(meter, None)
        )
        asked = (None, *(pool.id for pool in shown))
        total, *forces = statistics.every(
            [partial(statistics.workforce, meter, name) for name in asked]
        )
        if waiting > len(first):
            queues = statistics.every(
                [partial(self._queue_of, pool.id) for pool in shown]
            )
        else:
            queues = [
                _queue([one for one in first if one.pool == pool.id]) for pool in shown
            ]
        return Now(
            at=clock.now(),
            waiting=waiting,
            since=_queue(first)[1],
            workers=total,
            pools=tuple(
                PoolRow(pool.id, pool.display_name, *queue, force)
                for pool, queue, force in zip(shown, queues, forces, strict=True)
            ),
            more_pools=len(self.pools()) > MOST_POOLS,
            queue=tuple(self._named(first)),
        )

    def _queue_of(self, pool_id: str) -> tuple[int, datetime | None]:
        first = statistics.longest_waiting(self.meter, pool_id, 1)
        return statistics.how_many_wait(self.meter, pool_id) if first else 0, _queue(
            first
        )[1]

    def _named(self, entries: list[Pending]) -> Iterator[Waiting]:
        """Those waiting, with the name and the reason that the log of conversations has."""
        known = self._cache.get("names", RECORDS_FOR, dict[str, tuple[str, str]])
        unknown = [entry.sid for entry in entries if entry.sid not in known]
        if unknown:
            self.meter.note(len(unknown))
            for one in conversations.load_all(unknown):
                known[one.sid] = (
                    attention.name_of(one),
                    one.log[-1]["why"] if one.log else "",
                )
        called = self.names(entry.for_worker for entry in entries)
        for entry in entries:
            name, why = known[entry.sid]
            where = (
                f"for {called.get(entry.for_worker, entry.for_worker)}"
                if entry.for_worker and not entry.pool
                else entry.pool
            )
            yield Waiting(entry.sid, where, name, entry.queued_at, why)

    def _today(self) -> Today:
        now, wanted = clock.now(), self.settings()
        hours = hours_of_day(now, wanted.time_zone)
        parts = parts_of_day(hours, now)
        total = sum((self._waits(span, wanted, now) for span in parts), Waits())
        answers = (
            sum((self._answers(span, wanted, now) for span in parts), Answers())
            if total.arrived
            else Answers()
        )
        return Today(
            at=now,
            zone=wanted.time_zone,
            threshold=wanted.service_level_seconds,
            waits=total,
            answers=answers,
            not_routed=statistics.not_routed(
                self.meter, Span(hours[0].start, hours[-1].end)
            ),
            hours=tuple(
                self._hours(hours)
                if total.arrived
                else (Hour(h.start, 0, None) for h in hours)
            ),
        )

    def _waits(self, span: Span, wanted: Settings, now: datetime) -> Waits:
        threshold = wanted.service_level_seconds
        if span.end > now:
            return statistics.waits(self.meter, span, threshold)
        known: Waits | None = self._cache.peek((span, threshold), FINISHED_FOR)
        keep = (
            FINISHED_FOR if known is not None and known.waiting == 0 else UNSETTLED_FOR
        )
        return self._cache.get(
            (span, threshold),
            keep,
            lambda: statistics.waits(self.meter, span, threshold),
        )

    def _answers(self, span: Span, wanted: Settings, now: datetime) -> Answers:
        threshold = wanted.service_level_seconds
        if span.end > now:
            return statistics.answers(self.meter, span, threshold)
        key = ("answers", span, threshold)
        return self._cache.get(
            key, UNSETTLED_FOR, lambda: statistics.answers(self.meter, span, threshold)
        )

    def _hours(self, hours: list[Span]) -> list[Hour]:
        """Each hour counted by itself: the last two often, the others seldom."""

        def counted(index: int) -> Hour:
            span = hours[index]
            keep = TODAY_FOR if index >= len(hours) - 2 else FINISHED_FOR
            arrived, average = self._cache.get(
                ("hour", span), keep, lambda: statistics.arrivals(self.meter, span)
            )
            return Hour(span.start, arrived, average)

        return statistics.every(
            [partial(counted, index) for index in range(len(hours))]
        )


def _queue(entries: Sequence[Pending]) -> tuple[int, datetime | None]:
    """How many, and since when the first of them waits whose time makes sense."""
    return len(entries), next((one.queued_at for one in entries if one.queued_at), None)


def board() -> Board:
    """The one board of this process for the database in the environment."""
    return _board(configuration.firestore())


@cache
def _board(where: configuration.Firestore) -> Board:
    return Board()
