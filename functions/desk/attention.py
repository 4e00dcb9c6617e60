"""What needs a person's attention, for the page Now: long waits, pools without workers, records with invalid values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from domain.rules import in_words
from functions.desk.formats import name_of
from functions.desk.team import Team
from functions.http import cache
from functions.team import attention
from providers import clock, database

LONG_WAIT = timedelta(minutes=10)
_RECORDS_FOR = 60.0  # seconds
_SELDOM_FOR = 300.0
_MOST = 10  # of each kind


@dataclass(frozen=True)
class Item:
    """One sentence about a thing. `sid`: of a conversation; `record`: the path of a record with a fault."""

    what: str
    why: str
    sid: str | None = None
    record: str | None = None


def items(team: Team) -> list[Item]:
    """Return what needs attention now, the longest waits first."""
    in_records = cache.get(("desk", "problems"), _RECORDS_FOR, _records)
    return [
        *_customers(team),
        *_waits(team),
        *_without_workers(team),
        *_settings(team),
        *in_records,
    ]


def _customers(team: Team) -> list[Item]:
    """Return the customers without a reply, and those to look at for a reason that is read seldom."""
    seldom = cache.get(("desk", "customers"), _SELDOM_FOR, lambda: _seldom(team))
    held = [one for one in team.open.values() if one.holder]
    late = attention.awaited_long_among(held, team.pools, team.workers)
    return [
        Item(one.what, one.why, one.sid) for one in attention.merged((*late, *seldom))
    ]


def _seldom(team: Team) -> tuple[attention.Customer, ...]:
    return attention.seldom(team.settings, lambda reads: None)


def _waits(team: Team) -> Iterator[Item]:
    now = clock.now()
    late = [
        one
        for one in team.waiting()
        if one.queued_at and now - one.queued_at > LONG_WAIT
    ]
    late.sort(key=lambda one: one.queued_at or now)
    for conversation in late[:_MOST]:
        since = conversation.queued_at or now
        minutes = int((now - since).total_seconds()) // 60 * 60
        words = in_words(minutes).removesuffix(" 0 s")
        yield Item(
            name_of(conversation), f"has waited {words} in the queue", conversation.sid
        )


def _without_workers(team: Team) -> Iterator[Item]:
    members = {pool for worker in team.workers.values() for pool in worker.pool_ids}
    for pool_id in sorted({one.pool for one in team.waiting() if one.pool}):
        if pool_id not in members:
            why = "has customers who wait, and no worker belongs to it"
            yield Item(team.pool_name(pool_id), why, record=f"pools/{pool_id}")


def _settings(team: Team) -> Iterator[Item]:
    if team.settings.problem:
        yield Item("Routing", team.settings.problem, record="settings/routing")


def _records() -> tuple[Item, ...]:
    """Return the records that report a fault."""
    found = []
    for collection in ("pools", "workers", "customers"):
        query = database.filtered(collection, [("problem", ">", "")])
        for record in database.find(query.limit(_MOST)):
            path = f"{collection}/{record.id}"
            data = record.to_dict() or {}
            name = data.get("display_name")
            what = name if isinstance(name, str) and name else record.id
            found.append(Item(what, str(data.get("problem")), record=path))
    return tuple(found)
