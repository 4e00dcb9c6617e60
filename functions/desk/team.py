"""The present state of the team in this instance: the queue, the workers and what they hold.

The first look reads all of it. A later look reads what has changed since: the conversations that the ledger has moved,
and the workers whose status has changed, one query each; and one record more, in turns, which finds what people have
edited or deleted in the console. docs/desk.md says what that costs.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from domain.conversation import HELD, QUEUED, Conversation
from domain.pool import Pool
from domain.pool import parse as parse_pool
from domain.settings import Settings
from domain.worker import Worker
from providers import (
    clock,
    configuration,
    conversations,
    database,
    pools,
    settings,
    workers,
)

MOST_WAITING = 300
MOST_HELD = 1000
MOST_WORKERS = 500
MOST_POOLS = 200
_MOST_CHANGES = 500  # with more than that, everything is read again
_LOOK_LASTS = timedelta(seconds=1)
_RULES_LAST = timedelta(minutes=5)  # pools and settings
_TOO_OLD = timedelta(minutes=15)  # after that, everything is read again
# A record's time is that of the instance that writes it, a moment before Firestore has it. What is later than that,
# such as the time of a status that was set in the console, is found when the record's turn comes.
_OVERLAP = timedelta(seconds=2)


@dataclass
class Team:
    """Conversations that wait or are held by SID, workers by identity, pools by id; `at`: of the latest look."""

    open: dict[str, Conversation] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    at: datetime | None = None

    def waiting(self) -> list[Conversation]:
        """Return the queue: the higher priority first, then the longer wait."""
        waiting = [one for one in self.open.values() if one.state == QUEUED]
        return sorted(waiting, key=turn)

    def held_by(self, identity: str) -> list[Conversation]:
        return [one for one in self.open.values() if one.holder == identity]

    def pool_name(self, pool_id: str) -> str:
        pool = self.pools.get(pool_id)
        return pool.display_name if pool else pool_id

    def name(self, identity: str | None) -> str:
        worker = self.workers.get(identity or "")
        return worker.name if worker else identity or ""


def turn(conversation: Conversation) -> tuple[int, datetime]:
    since = conversation.queued_at or conversations.BEFORE_ALL
    return -conversation.priority, since


class _Watch:
    """Keeps one Team up to date; callers that look at the same time wait for one look."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._team = Team()
        self._rules_at: datetime | None = None
        self._rota: list[tuple[str, str]] = []
        self._looks = 0
        self._overlap = timedelta()

    def look(self) -> Team:
        with self._looking:
            now = clock.now()
            if self._is_over(self._team.at, _TOO_OLD, now) or not self._follow(now):
                self._read_all(now)
            if self._is_over(self._rules_at, _RULES_LAST, now):
                self._read_rules(now)
            return self._team

    def read_again(self, sid: str | None, identity: str | None) -> None:
        """Read a record that was changed a moment ago."""
        with self._looking:
            if self._team.at is None:
                return
            if sid:
                self._put(conversations.load(sid))
            if identity:
                self._put_worker(workers.load(identity))

    @staticmethod
    def _is_over(since: datetime | None, span: timedelta, now: datetime) -> bool:
        return since is None or now - since >= span

    def _read_all(self, now: datetime) -> None:
        waiting, held, everyone = database.together(
            lambda: conversations.waiting(MOST_WAITING),
            lambda: conversations.held(MOST_HELD),
            lambda: workers.every(MOST_WORKERS),
        )
        self._team.open = {one.sid: one for one in (*waiting, *held)}
        self._team.workers = {worker.identity: worker for worker in everyone}
        self._team.at = now
        self._overlap = timedelta()  # what was written before is read

    def _read_rules(self, now: datetime) -> None:
        rules, records = database.together(
            settings.load, lambda: pools.after(None, MOST_POOLS)
        )
        found = {pool.id: pool for pool in records}
        default = rules.default_pool
        found.setdefault(default, parse_pool(default, None))
        self._team.settings, self._team.pools = rules, found
        self._rules_at = now

    def _follow(self, now: datetime) -> bool:
        """Read what has changed since the latest look; return False if that is too much."""
        before = self._team.at or now
        if now - before < _LOOK_LASTS:
            return True
        since = before - self._overlap
        self._overlap = _OVERLAP
        moved, changed, _ = database.together(
            lambda: conversations.moved_since(since, _MOST_CHANGES),
            lambda: workers.changed_status_since(since, _MOST_CHANGES),
            self._check_next,
        )
        for conversation in moved:
            self._put(conversation)
        for worker in changed:
            self._put_worker(worker)
        self._team.at = now
        return max(len(moved), len(changed)) < _MOST_CHANGES

    def _check_next(self) -> None:
        """Read one record of the team again at every second look, each in its turn."""
        self._looks += 1
        if self._looks % 2:
            return
        if not self._rota:
            self._rota = [
                *(("conversation", sid) for sid in self._team.open),
                *(("worker", identity) for identity in self._team.workers),
            ]
        if not self._rota:
            return
        kind, name = self._rota.pop()
        if kind == "worker":
            self._put_worker(workers.load(name))
        elif name in self._team.open:
            current = conversations.load(name)
            self._put(current)

    def _put(self, conversation: Conversation) -> None:
        if conversation.state in (QUEUED, *HELD):
            self._team.open[conversation.sid] = conversation
        else:
            self._team.open.pop(conversation.sid, None)

    def _put_worker(self, worker: Worker) -> None:
        if worker.version is None:
            self._team.workers.pop(worker.identity, None)
        else:
            self._team.workers[worker.identity] = worker


def look() -> Team:
    """Return the team as it is now, at most a second old."""
    return _watch(configuration.firestore()).look()


def read_again(sid: str | None = None, identity: str | None = None) -> None:
    """Read a conversation or a worker again after the desk has changed it."""
    _watch(configuration.firestore()).read_again(sid, identity)


@cache
def _watch(where: configuration.Firestore) -> _Watch:
    return _Watch()
