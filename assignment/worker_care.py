"""Keeps a worker's record complete and true: missing fields, the count of conversations, the problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from assignment import ledger
from domain import confirmation, rules
from domain.pool import Pool
from domain.worker import FRONTLINE, SERVICE, Worker
from providers import (
    clock,
    conversations,
    database,
    former_workers,
    log,
    pools,
    settings,
    twilio,
    workers,
)
from providers.twilio import Outcome


def put_right(
    worker: Worker,
    *,
    status_since: datetime | None = None,
    known: Mapping[str, Pool] = ledger.NO_POOLS,
    held: int | None = None,
    called: tuple[str, ...] | None = None,
) -> Worker:
    """The record with everything that the service keeps, written only if something changes.

    `status_since`: when the status changed, if that is what woke us. `known`: pools that are loaded already.
    `held`: the conversations of this worker, counted after the record was read. `called`: the names of their pools, as
    those are called. Raises database.LostRace.
    """
    right = _completed(worker)
    if (
        right.available and right.unavailable_because
    ):  # their own word that they are there again
        right = replace(right, missed=0, missed_at=None, unavailable_because=None)
    if held is not None:
        right = replace(right, active=held)
    if called is not None:
        right = replace(right, pools=called)
    right = replace(right, full=rules.is_full(right, pools.deciding(right, known)))
    if status_since is not None:
        right = replace(right, status_since=status_since)
    right = ledger.put_right(worker, right)
    return replace(right, is_complete=True, reported_problem=worker.problem)


_MOST_LOOKED_AT = 20


class Meant(NamedTuple):
    """The confirmed worker meant by a name that a person has typed; or None, and why in a few words."""

    worker: Worker | None
    why_not: str = ""


def meant_by(identity: str, service_sid: str | None) -> Meant:
    """Find the worker: by a record, or by the user at Twilio, who then gets a record, because a person named them."""
    worker = workers.called(identity)
    if worker is not None and worker.confirmed:
        return Meant(worker)
    if worker is not None:
        return Meant(
            None,
            f"{worker.identity} waits for confirmation: set confirmed: true in that worker's record",
        )
    if is_former(identity):
        return Meant(
            None,
            f"the record of {identity} was deleted: make it again, or name another worker",
        )
    result = twilio.user(identity, service_sid)
    if result.outcome is Outcome.DONE:
        return Meant(
            ledger.newcomer(identity, result.body.friendly_name, confirmed=True)
        )
    return Meant(None, f"nobody is called {identity}, neither here nor at Twilio")


def is_former(identity: str) -> bool:
    """Whether a person has deleted the record of this name, which has none now. Before the event of that arrives, or
    where it is lost, conversations that are not over still show that they were a worker."""
    if former_workers.includes(identity):
        return True
    named_in = conversations.involving(identity, _MOST_LOOKED_AT)
    return any(identity in (one.claimed_for, *one.others) for one in named_in)


def first_confirmed(identities: Iterable[str]) -> Worker | None:
    """The first of them who may be assigned a customer."""
    names = tuple(identities)
    found = workers.confirmed(names) if names else {}
    return next((found[name] for name in names if name in found), None)


def answers_again(worker: Worker) -> None:
    """Begins to count anew what went back from them. Raises database.LostRace."""
    ledger.put_right(worker, replace(worker, missed=0, missed_at=None))


def create(worker: Worker) -> None:
    """Make the record of a worker whom a person has named; one that exists stays as it is."""
    with suppress(database.AlreadyThere):
        ledger.register(worker)


def admit(identity: str, display_name: str | None) -> None:
    """Make a record for a new user of the Conversations service: unconfirmed, unless Frontline knows the user.

    Bots and former workers get none; a record that exists stays as it is. The record is written before Frontline is
    asked, so that a crash in between leaves one about which the sweep asks.
    """
    worker = workers.load(identity)
    if worker.version is not None or identity in settings.load().bots:
        return
    if is_former(identity):
        log.info(
            "a user whose worker's record was deleted: no record is made",
            worker=identity,
        )
        return
    made = replace(
        ledger.newcomer(identity, display_name, confirmed=False),
        ask_frontline_at=clock.now(),
    )
    try:
        made = ledger.register(made)
    except database.AlreadyThere:
        return
    log.info(
        "a new user: Unavailable, in the default pool, and unconfirmed", worker=identity
    )
    database.until_it_holds(partial(ask_frontline, identity))


def ask_frontline(identity: str) -> Outcome | None:
    """Confirm an unconfirmed worker whom Frontline knows; else note when it is asked again. None: not to be asked.

    Raises database.LostRace.
    """
    worker, now = workers.load(identity), clock.now()
    if not confirmation.is_due(worker, now):
        return None
    result = twilio.frontline_user(identity)
    if result.outcome is Outcome.DONE and result.body.state != "deactivated":
        right = replace(
            worker, made_by=FRONTLINE, confirmed=True, ask_frontline_at=None
        )
        put_right(ledger.put_right(worker, right))
        log.info("confirmed: Frontline knows this user", worker=identity)
        return Outcome.DONE
    ledger.put_right(worker, confirmation.asked_again(worker, now))
    return result.outcome


def load_with_pools(worker: Worker) -> tuple[Worker, dict[str, Pool]]:
    """The record as it is now, and in the same round trip the pools that it named a moment ago."""
    asked = map(pools.reference, worker.decisive_pools)
    record, *found = database.read(workers.reference(worker.identity), *asked)
    return workers.of(record), {pool.id: pools.of(pool) for pool in found}


def _completed(worker: Worker) -> Worker:
    if worker.is_complete:
        return worker
    return replace(
        worker,
        pools=(settings.load().default_pool,) if worker.pools is None else worker.pools,
        active=conversations.how_many_held(worker.identity)
        if worker.active is None
        else worker.active,
        status_since=worker.status_since or clock.now(),
        ask_frontline_at=clock.now()
        if worker.made_by == SERVICE and not worker.confirmed
        else None,
    )
