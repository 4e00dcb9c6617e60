"""Keeps a worker's record complete and true: missing fields, the count of conversations, the problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from assignment import ledger
from domain import confirmation, rules
from domain.pool import Pool
from domain.settings import Settings
from domain.worker import FRONTLINE, SERVICE, Worker, is_away
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

_MOST_LOOKED_AT = 20  # conversations


def put_right(
    worker: Worker,
    *,
    status_since: datetime | None = None,
    known: Mapping[str, Pool] = ledger.NO_POOLS,
    held: int | None = None,
    called: tuple[str, ...] | None = None,
) -> Worker:
    """Complete the record with everything that the service keeps; write it only if something changes.

    `status_since`: when the status changed, if a change of status is the reason for this call. `known`: pools that are
    loaded already. `held`: the number of conversations of this worker, counted after the record was read. `called`: the
    IDs of their pools, where the record names pools in another spelling. Raises database.LostRace.
    """
    right = _completed(worker)
    has_turned = status_since is not None
    if right.available and (right.unavailable_because or has_turned):
        # The worker has set the status to Available again.
        right = replace(right, missed=0, missed_at=None, unavailable_because=None)
    given: dict[str, Any] = {
        "active": held,
        "pools": called,
        "status_since": status_since,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    right = replace(right, **changes)
    right = replace(right, full=rules.is_full(right, pools.deciding(right, known)))
    right = ledger.put_right(worker, right)
    return replace(right, is_complete=True, reported_problem=worker.problem)


class Meant(NamedTuple):
    """The confirmed worker that a typed name means; or None, and the reason in a few words."""

    worker: Worker | None
    why_not: str = ""


def meant_by(identity: str, service_sid: str | None) -> Meant:
    """Find the worker by a record, or by the user at Twilio, who then gets a record because a person named them.

    `identity`: a name as a person typed it. `service_sid`: the Conversations service to ask, None: the default one. The
    new record is not written here: its `version` is None.
    """
    worker = workers.called(identity)
    if worker is not None:
        return Meant(worker) if worker.confirmed else _unconfirmed(worker)
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
    return Meant(None, f"{identity} is neither a worker here nor a user at Twilio")


def _unconfirmed(worker: Worker) -> Meant:
    why = f"{worker.identity} waits for confirmation: set confirmed: true in that worker's record"
    return Meant(None, why)


def is_former(identity: str) -> bool:
    """Return whether a person has deleted the record of this worker.

    While the event of that is on its way, or if it is lost, open conversations still show that they were a worker.
    """
    if former_workers.includes(identity):
        return True
    involved = conversations.involving(identity, _MOST_LOOKED_AT)
    return any(
        identity in (conversation.claimed_for, *conversation.others)
        for conversation in involved
    )


def first_confirmed(identities: Iterable[str]) -> Worker | None:
    """Return the first of them with a confirmed record, None if there is none. Reads nothing for no identities."""
    names = tuple(identities)
    workers_by_id = workers.confirmed(names) if names else {}
    return next((workers_by_id[name] for name in names if name in workers_by_id), None)


def answers_again(worker: Worker) -> None:
    """Reset the count of conversations that went back from this worker unanswered. Raises database.LostRace."""
    ledger.put_right(worker, replace(worker, missed=0, missed_at=None))


def create(worker: Worker) -> None:
    """Make the record of a worker that a person has named; an existing record stays as it is."""
    with suppress(database.AlreadyThere):
        ledger.register(worker)


def admit(identity: str, display_name: str | None) -> None:
    """Make a record for a new user of the Conversations service: unconfirmed, unless Frontline knows the user.

    Bots and former workers get none; an existing record stays as it is. The record is written before Frontline is
    asked, so that after a crash in between the sweep asks again.
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
    newcomer = ledger.newcomer(identity, display_name, confirmed=False)
    try:
        ledger.register(replace(newcomer, ask_frontline_at=clock.now()))
    except database.AlreadyThere:
        return
    log.info(
        "a new user: Unavailable, in the default pool, and unconfirmed", worker=identity
    )
    database.until_it_holds(partial(ask_frontline, identity))


def ask_frontline(identity: str) -> Outcome | None:
    """Confirm an unconfirmed worker if Frontline knows the user; else note when to ask again.

    Returns the outcome at Frontline, None if it is not due. Raises database.LostRace.
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
    """Load the current record and, in the same round trip, the pools that decide its capacity.

    `worker`: an earlier version of the record, which names those pools.
    """
    references = map(pools.reference, worker.decisive_pools)
    record, *pool_records = database.read(
        workers.reference(worker.identity), *references
    )
    return workers.of(record), {pool.id: pools.of(pool) for pool in pool_records}


def _completed(worker: Worker) -> Worker:
    """Fill in what the record lacks; counts the worker's conversations only if `active` is missing."""
    if worker.is_complete:
        return worker
    changes: dict[str, Any] = {
        "status_since": worker.status_since or clock.now(),
        "ask_frontline_at": None,
    }
    if worker.pools is None:
        changes["pools"] = (settings.load().default_pool,)
    if worker.active is None:
        changes["active"] = conversations.how_many_held(worker.identity)
    if worker.made_by == SERVICE and not worker.confirmed:
        changes["ask_frontline_at"] = clock.now()
    return replace(worker, **changes)


def deputy_of(worker: Worker, settings: Settings) -> Worker | None:
    """Return the deputy of a worker who is away today; None without a deputy who is confirmed and present.

    A deputy's own deputy does not count.
    """
    now, zone = clock.now(), settings.zone
    if worker.deputy is None or not is_away(worker, now, zone):
        return None
    deputy = workers.called(worker.deputy)
    if deputy is None or not deputy.confirmed or is_away(deputy, now, zone):
        return None
    return None if deputy.identity == worker.identity else deputy
