"""Puts the figures together. Each has its own time in the cache, by how fast it changes and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial

from domain.conversation import Pending
from domain.figures import Answers, Span, Waits
from domain.pool import Pool
from domain.pool import parse as parse_pool
from domain.settings import Settings
from functions.http.cache import Cache
from functions.team import attention as team_attention
from functions.team.attention import Awaited, name_of
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
from functions.wallboard.statistics import Meter
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
FINISHED_FOR = (
    600.0  # the finished part of the day; it changes only while a customer in it waits
)
UNSETTLED_FOR = 60.0
SHOWN = 20  # entries of the queue
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
        """Return today's figures if they are in the cache, else None; never wait."""
        cached: Today | None = self._cache.peek("today", UNSETTLED_FOR)
        return cached

    def stuck(self) -> tuple[Stuck, ...]:
        """Return what needs a person's attention."""
        in_records = self._cache.get("stuck", STUCK_FOR, self._stuck)
        return attention.merged((*attention.in_queue(self.now()), *in_records))

    def _stuck(self) -> tuple[Stuck, ...]:
        by_id = {pool.id: pool for pool in self.pools()}
        return (
            *attention.in_records(self.meter, self.settings(), self.names),
            *attention.customers(self.meter, self.settings(), by_id),
        )

    def awaited(self) -> Awaited:
        """Return how many customers wait for a worker's reply."""
        return self._cache.get("awaited", NOW_FOR, self._awaited)

    def _awaited(self) -> Awaited:
        return team_attention.awaited(self.meter.note)

    def names(self, identities: Iterable[str | None]) -> Mapping[str, str]:
        """Return these workers' names by identity, perhaps with those of other workers."""
        names = self._cache.get("people", RECORDS_FOR, dict[str, str])
        unknown = sorted(set(filter(None, identities)) - names.keys())
        if unknown:
            self.meter.note(len(unknown))
            names.update((w.identity, w.name) for w in workers.load_all(unknown))
        return names

    def settings(self) -> Settings:
        return self._cache.get("settings", RECORDS_FOR, self._settings)

    def pools(self) -> list[Pool]:
        """Return the pools with a record, and the default one, which needs none."""
        return self._cache.get("pools", RECORDS_FOR, self._pools)

    def _settings(self) -> Settings:
        self.meter.note(1)
        return settings.load()

    def _pools(self) -> list[Pool]:
        query = database.client().collection("pools").limit(MOST_POOLS + 1)
        records = list(map(pools.of, statistics.found(self.meter, query)))
        default = self.settings().default_pool
        if default not in (pool.id for pool in records):
            records.insert(0, parse_pool(default, None))
        return sorted(records, key=lambda pool: pool.display_name.casefold())

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
        if not first:
            return 0, None
        return statistics.how_many_wait(self.meter, pool_id), _queue(first)[1]

    def _named(self, entries: list[Pending]) -> Iterator[Waiting]:
        """Yield the queue's entries with the name and the reason from the conversations' records."""
        texts = self._cache.get("names", RECORDS_FOR, dict[str, tuple[str, str]])
        unknown = [entry.sid for entry in entries if entry.sid not in texts]
        if unknown:
            self.meter.note(len(unknown))
            for conversation in conversations.load_all(unknown):
                why = conversation.log[-1]["why"] if conversation.log else ""
                texts[conversation.sid] = (name_of(conversation), why)
        names = self.names(entry.for_worker for entry in entries)
        for entry in entries:
            name, why = texts[entry.sid]
            where = "needs a person" if entry.needs_person else entry.pool
            if entry.for_worker and not entry.pool:
                where = f"for {names.get(entry.for_worker, entry.for_worker)}"
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
        cached: Waits | None = self._cache.peek((span, threshold), FINISHED_FOR)
        is_final = cached is not None and cached.waiting == 0
        return self._cache.get(
            (span, threshold),
            FINISHED_FOR if is_final else UNSETTLED_FOR,
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
        """Count each hour by itself: the last two often, the others seldom."""

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
    """Return how many there are, and the first valid time since when one waits."""
    times = filter(None, (entry.queued_at for entry in entries))
    return len(entries), next(times, None)


def board() -> Board:
    """The one board of this process for the database in the environment."""
    return _board(configuration.firestore())


@cache
def _board(where: configuration.Firestore) -> Board:
    return Board()
