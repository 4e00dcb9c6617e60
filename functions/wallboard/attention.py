"""What needs a person's attention: long waits, conversations that cannot move by themselves, invalid records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.conversation import HELD
from domain.pool import Pool
from domain.rules import in_words
from domain.settings import Settings
from functions.team import attention as team_attention
from functions.team.attention import name_of
from functions.wallboard import statistics
from functions.wallboard.figures import Now
from functions.wallboard.statistics import Meter
from providers import clock, conversations, database, workers

LONG_WAIT = 600.0  # seconds in the queue after which a conversation counts as stuck
_MOST = 10  # of each kind
_MOST_LOOKED_AT = 100
Names = Callable[[Iterable[str | None]], Mapping[str, str]]


@dataclass(frozen=True)
class Stuck:
    """Something that needs a person's attention, and why. `sid`: of a conversation, else None."""

    what: str
    why: str
    sid: str | None = None


def in_queue(now: Now) -> Iterator[Stuck]:
    """Yield pools with a queue and no workers, and conversations that have waited longer than LONG_WAIT."""
    for pool in now.pools:
        if pool.waiting and pool.workers.members == 0:
            why = f"{pool.waiting} waiting, and no one belongs to this pool"
            yield Stuck(pool.name, why)
    for entry in now.queue:
        age = _seconds(entry.since, now.at)
        if age > LONG_WAIT:
            why = f"has waited {in_words(age)}; {entry.why}"
            yield Stuck(entry.name, why, entry.sid)


def _seconds(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since else 0.0


def in_records(meter: Meter, settings: Settings, names: Names) -> tuple[Stuck, ...]:
    """Return what the records show. `names`: returns workers' names by their identities."""
    return (
        *_overdue(meter, clock.now(), names),
        *_with_nobody(meter),
        *_problems(meter, settings, names),
    )


def _overdue(meter: Meter, now: datetime, names: Names) -> Iterator[Stuck]:
    """Yield conversations whose worker was not added before the lease was over."""
    overdue = conversations.with_lease_over(now, _MOST)
    meter.note(len(overdue))
    names_by_identity = names(conversation.worker for conversation in overdue)
    for conversation in overdue:
        late = in_words(_seconds(conversation.lease_until, now))
        worker = conversation.worker
        name = names_by_identity.get(worker or "", worker)
        why = f"{name} was to be added and should have been {late} ago; the sweep goes on with it"
        yield Stuck(name_of(conversation), why, conversation.sid)


def _with_nobody(meter: Meter) -> Iterator[Stuck]:
    """Yield conversations whose worker has no record.

    There are none while the workers' counts add up to the number of assigned conversations: two counts rule them out.
    """
    held, counted = statistics.held(meter)
    if held <= counted:
        return
    is_held = [("state", "in", list(HELD))]
    query = database.filtered("conversations", is_held).limit(_MOST_LOOKED_AT)
    candidates = list(map(conversations.of, statistics.found(meter, query)))
    holders = sorted(set(filter(None, (candidate.worker for candidate in candidates))))
    meter.note(len(holders))
    missing = {
        worker.identity
        for worker in workers.load_all(holders)
        if worker.version is None
    }
    stuck = [candidate for candidate in candidates if candidate.worker in missing]
    for conversation in stuck[:_MOST]:
        why = f"is with {conversation.worker}, who has no record any more"
        yield Stuck(name_of(conversation), why, conversation.sid)


def _problems(meter: Meter, settings: Settings, names: Names) -> Iterator[Stuck]:
    """Yield records with invalid values, and workers that the service made Unavailable."""
    if settings.problem:
        yield Stuck("settings/routing", settings.problem)
    for collection in ("pools", "workers", "customers"):
        for record in statistics.with_a_problem(meter, collection, _MOST):
            yield Stuck(str(record.reference.path), str(record.get("problem")))
    reasons = {
        str(record.id): record.get("unavailable_because")
        for record in statistics.made_unavailable(meter, _MOST)
    }
    names_by_identity = names(reasons)
    for identity, why in reasons.items():
        name = names_by_identity.get(identity, identity)
        yield Stuck(name, f"is Unavailable: {why}")


def customers(
    meter: Meter, settings: Settings, pools: Mapping[str, Pool]
) -> Iterator[Stuck]:
    """Yield the customers without an answer, and those overtaken in the queue."""
    for one in team_attention.customers(settings, pools, meter.note):
        yield Stuck(one.what, one.why, one.sid)


def merged(found: Iterable[Stuck]) -> tuple[Stuck, ...]:
    """Return each conversation once, with all of its reasons."""
    by_name: dict[tuple[str | None, str], Stuck] = {}
    for one in found:
        key = (one.sid, "" if one.sid else f"{one.what} {one.why}")
        before = by_name.get(key)
        why = f"{before.why}; {one.why}" if before else one.why
        by_name[key] = Stuck(one.what, why, one.sid)
    return tuple(by_name.values())
