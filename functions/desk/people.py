"""People, workers: the table, adding one, removing one, and ending their sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assignment import ledger
from domain import addresses
from domain.sessions import Ended
from domain.worker import PERSON, Worker, is_identity
from functions.desk import authority, records, supervisors
from functions.desk.kinds import kind_of
from functions.desk.requests import NewWorker, Remove
from functions.http import requests
from functions.http.answers import Answer, BadInput, Conflict, NotFound
from functions.http.router import Route
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import (
    audit,
    clock,
    conversations,
    customers,
    database,
    pools,
    workers,
)
from providers.audit import Entry

if TYPE_CHECKING:
    from providers.database import Snapshot

_AT_ONCE = 50
_MOST_POOLS = 100
_NO_EMAIL = "email must be an e-mail address such as john@example.com."


def table(visit: Visit, person: Person) -> Answer:
    """GET workers?after=IDENTITY: 50 workers in the order of their names, and the pools by id."""
    authority.supervisor(person)
    found = workers.after(visit.request.args.get("after"), _AT_ONCE)
    listed = [{"id": pool.id, "name": pool.display_name} for pool in _pools()]
    following = found[-1].identity if len(found) == _AT_ONCE else None
    rows = [_row(worker) for worker in found]
    return Answer({"workers": rows, "pools": listed, "next": following})


def _pools() -> list[Any]:
    return sorted(
        pools.after(None, _MOST_POOLS), key=lambda pool: pool.display_name.casefold()
    )


def _row(worker: Worker) -> dict[str, Any]:
    return {
        "identity": worker.identity,
        "name": worker.name,
        "status": "Available" if worker.available else "Unavailable",
        "since": _iso(worker.status_since),
        "last_assigned_at": _iso(worker.last_assigned_at),
        "pools": list(worker.pools or ()),
        "active": worker.active or 0,
        "full": bool(worker.full),
        "role": worker.role,
        "confirmed": worker.confirmed,
        "problem": worker.problem,
    }


def add(visit: Visit, person: Person) -> Answer:
    """POST workers {email, ...}: make a confirmed worker's record. Raise BadInput with the field that is invalid."""
    supervisor = authority.supervisor(person)
    wanted = requests.read(visit, NewWorker)
    identity = _identity(wanted.email)
    kind = kind_of("workers")
    typed = wanted.model_dump(exclude={"email"}, exclude_none=True)
    records.refuse_invalid(kind, identity, {}, typed)
    fields = {"status": "Unavailable", "made_by": PERSON, "confirmed": True, **typed}
    try:
        entry = Entry(
            supervisor.identity, "made", f"workers/{identity}", tuple(sorted(typed))
        )
        audit.write(_snapshot(identity), fields, (), entry)
    except database.LostRace:
        raise BadInput(f"{identity} is a worker already.", field="email") from None
    return Answer({"identity": identity, "said": f"{identity} is added."})


def _identity(typed: str) -> str:
    identity = addresses.visible(typed).lower()
    if not addresses.is_email(identity) or not is_identity(identity):
        raise BadInput(_NO_EMAIL, field="email")
    existing = workers.called(identity)
    if existing is not None:
        raise BadInput(f"{existing.identity} is a worker already.", field="email")
    return identity


def removal(visit: Visit, person: Person, identity: str) -> Answer:
    """GET workers/IDENTITY/removal: what would follow from removing this worker."""
    authority.supervisor(person)
    held, assigned = database.together(
        lambda: conversations.how_many_held(identity),
        lambda: customers.how_many(identity),
    )
    return Answer({"held": held, "customers": assigned})


def remove(visit: Visit, person: Person, identity: str) -> Answer:
    """POST workers/IDENTITY/remove {version}: delete the record; what they hold goes back to the queue.

    The trigger on workers' records and the sweep do what follows. Raise Conflict if the record has changed.
    """
    supervisor = authority.supervisor(person)
    wanted = requests.read(visit, Remove)
    snapshot = _existing(identity)
    other = supervisors.other_than(identity, snapshot.to_dict() or {}, {})
    if records.version_of(snapshot) != wanted.version:
        raise Conflict(
            "This record has changed in the meantime.", records.shown(snapshot)
        )
    entry = Entry(supervisor.identity, "removed", f"workers/{identity}")
    try:
        audit.remove(snapshot, entry, other)
    except database.LostRace:
        now = records.shown(_snapshot(identity))
        raise Conflict("This record has changed in the meantime.", now) from None
    return Answer({"said": f"{identity} is removed."})


def sign_out(visit: Visit, person: Person, identity: str) -> Answer:
    """POST workers/IDENTITY/sign-out: end all sessions of this worker and stop their notifications."""
    supervisor = authority.supervisor(person)

    def step() -> None:
        worker = workers.of(_existing(identity))
        now = clock.now()
        ended = Ended((), max(now, worker.ended.before or now))
        ledger.end_sessions(worker, ended, everywhere=True)

    database.until_it_holds(step)
    audit.note(
        Entry(supervisor.identity, "signed out everywhere", f"workers/{identity}")
    )
    return Answer({"said": f"{identity} is signed out everywhere."})


def reset_account(visit: Visit, person: Person, identity: str) -> Answer:
    """POST workers/IDENTITY/reset-account: let another account with this e-mail address sign in."""
    supervisor = authority.supervisor(person)
    entry = Entry(
        supervisor.identity, "reset the account", f"workers/{identity}", ("subject",)
    )
    database.until_it_holds(
        lambda: audit.write(_existing(identity), {"subject": None}, (), entry)
    )
    return Answer({"said": f"Another account can sign in as {identity} now."})


def _snapshot(identity: str) -> Snapshot:
    return database.read(workers.reference(identity))[0]


def _existing(identity: str) -> Snapshot:
    snapshot = _snapshot(identity) if is_identity(identity) else None
    if snapshot is None or not snapshot.exists:
        raise NotFound("This worker has no record.")
    return snapshot


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None


_WORKER = "workers/<identity>"
ROUTES = (
    Route("GET", "workers", table),
    Route("POST", "workers", add),
    Route("GET", f"{_WORKER}/removal", removal),
    Route("POST", f"{_WORKER}/remove", remove),
    Route("POST", f"{_WORKER}/sign-out", sign_out),
    Route("POST", f"{_WORKER}/reset-account", reset_account),
)
