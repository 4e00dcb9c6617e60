"""What needs a person's eye: what waits too long, what cannot move by itself, what makes no sense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.conversation import HELD, Conversation
from domain.rules import in_words
from domain.settings import Settings
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
    """Something that needs a person's eye, and why. `sid` where it is a conversation."""

    what: str
    why: str
    sid: str | None = None


def in_queue(now: Now) -> Iterator[Stuck]:
    """Who waits too long, and pools that nobody can help."""
    for pool in now.pools:
        force = pool.workers
        if pool.waiting and force.available + force.full + force.unavailable == 0:
            yield Stuck(
                pool.name, f"{pool.waiting} waiting, and no one belongs to this pool"
            )
    for one in now.queue:
        age = (now.at - one.since).total_seconds() if one.since else 0.0
        if age > LONG_WAIT:
            yield Stuck(one.name, f"has waited {in_words(age)}; {one.why}", one.sid)


def in_records(meter: Meter, settings: Settings, names: Names) -> tuple[Stuck, ...]:
    """All that the records show; `names`: what people are called by their identities."""
    now = clock.now()
    return (
        *_overdue(meter, now, names),
        *_with_nobody(meter),
        *_problems(meter, settings, names),
    )


def _overdue(meter: Meter, now: datetime, names: Names) -> Iterator[Stuck]:
    overdue = conversations.with_lease_over(now, _MOST)
    meter.note(len(overdue))
    called = names(one.worker for one in overdue)
    for one in overdue:
        late = in_words(
            (now - one.lease_until).total_seconds() if one.lease_until else 0
        )
        who = called.get(one.worker or "", one.worker)
        why = f"{who} was to be added and should have been {late} ago; the sweep goes on with it"
        yield Stuck(name_of(one), why, one.sid)


def _with_nobody(meter: Meter) -> Iterator[Stuck]:
    """Conversations whose worker has no record. Two counts tell that there are none: what the workers hold by their
    records, and what is held."""
    held, counted = statistics.held(meter)
    if held <= counted:
        return
    query = database.filtered("conversations", [("state", "in", list(HELD))]).limit(
        _MOST_LOOKED_AT
    )
    found = [conversations.of(one) for one in statistics.found(meter, query)]
    holders = sorted({one.worker for one in found if one.worker})
    meter.note(len(holders))
    gone = {
        worker.identity
        for worker in workers.load_all(holders)
        if worker.version is None
    }
    for one in [one for one in found if one.worker in gone][:_MOST]:
        yield Stuck(
            name_of(one), f"is with {one.worker}, who has no record any more", one.sid
        )


def _problems(meter: Meter, settings: Settings, names: Names) -> Iterator[Stuck]:
    """Records in which somebody typed what makes no sense, and workers whom the service made Unavailable."""
    if settings.problem:
        yield Stuck("settings/routing", settings.problem)
    for collection in ("pools", "workers", "customers"):
        for record in statistics.with_a_problem(meter, collection, _MOST):
            yield Stuck(str(record.reference.path), str(record.get("problem")))
    idle = {
        str(one.id): one.get("unavailable_because")
        for one in statistics.made_unavailable(meter, _MOST)
    }
    called = names(idle)
    for identity, why in idle.items():
        yield Stuck(called.get(identity, identity), f"is Unavailable: {why}")


def name_of(one: Conversation) -> str:
    return one.display_name or one.address or one.sid
