"""The page Now: who waits and why, what each worker does, what needs attention."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from typing import Any

from assignment import ledger
from domain import rules
from domain.conversation import Conversation
from domain.worker import Worker
from functions.desk import attention, authority, team
from functions.desk.formats import iso, name_of, reason_of, status_of
from functions.desk.requests import SetStatus
from functions.desk.team import Team
from functions.http import page_kit, requests
from functions.http.answers import Answer, Impossible, NotFound
from functions.http.session import Person
from functions.http.webhook import Visit
from providers import database, log, workers
from providers.audit import Entry

_MOST_SHOWN = 50  # conversations of one worker
_UNKNOWN = "No worker has this name."


def state(visit: Visit, person: Person) -> Answer:
    """GET now, with an ETag; 304 if nothing has changed. Times are since when, so that ages do not change it."""
    authority.supervisor(person)
    content = _content(team.look())
    tag = f'"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20]}"'
    headers = (*page_kit.headers(), ("ETag", tag))
    if tag in visit.request.headers.get("If-None-Match", ""):
        return Answer(None, 304, headers)
    return Answer(content, 200, headers)


def set_status(visit: Visit, person: Person) -> Answer:
    """POST now/status {worker, status}: set a worker Available or Unavailable."""
    supervisor = authority.supervisor(person)
    wanted = requests.read(visit, SetStatus)
    worker = workers.called(wanted.worker)
    if worker is None or worker.version is None:
        raise NotFound(_UNKNOWN)
    if wanted.status == "Available" and not worker.confirmed:
        raise Impossible(f"{worker.name} waits for confirmation. Confirm them first.")
    record = f"workers/{worker.identity}"
    entry = Entry(supervisor.identity, "changed", record, ("status",))
    try:
        ledger.set_status(worker.identity, wanted.status, supervisor.identity, entry)
    except database.LostRace:
        raise NotFound(_UNKNOWN) from None
    log.info(f"turned {wanted.status} by a supervisor", worker=worker.identity)
    team.read_again(identity=worker.identity)
    return Answer({"status": wanted.status})


def _content(shown: Team) -> dict[str, Any]:
    waiting = shown.waiting()
    names = sorted(shown.workers.values(), key=lambda one: one.name.casefold())
    pools = sorted(shown.pools.values(), key=lambda one: one.display_name.casefold())
    return {
        "waiting": _waiting(shown, waiting),
        "more_waiting": len(waiting) >= team.MOST_WAITING,
        "workers": [_worker(shown, worker) for worker in names],
        "more_workers": len(names) >= team.MOST_WORKERS,
        "attention": [vars(item) for item in attention.items(shown)],
        "pools": [{"id": pool.id, "name": pool.display_name} for pool in pools],
        "zone": shown.settings.time_zone,
    }


def _waiting(shown: Team, waiting: list[Conversation]) -> list[dict[str, Any]]:
    """Return the queue with each entry's position in its pool; one that waits for a worker alone has none."""
    positions: Counter[str] = Counter()
    rows = []
    for one in waiting:
        pool_id = one.pool or ""
        positions[pool_id] += one.for_worker is None
        rows.append(
            {
                "sid": one.sid,
                "name": name_of(one),
                "since": iso(one.queued_at),
                "pool": shown.pool_name(pool_id) if pool_id else "",
                "for": shown.name(one.for_worker) or None,
                "position": None if one.for_worker else positions[pool_id],
                "priority": one.priority,
                "why": reason_of(one),
            }
        )
    return rows


def _worker(shown: Team, worker: Worker) -> dict[str, Any]:
    held = sorted(shown.held_by(worker.identity), key=_assigned)
    capacity = rules.capacity_of(worker, shown.pools)
    return {
        "identity": worker.identity,
        "name": worker.name,
        "status": status_of(worker),
        "since": iso(worker.status_since),
        "confirmed": worker.confirmed,
        "load": len(held),
        "capacity": None if math.isinf(capacity) else int(capacity),
        "pools": [shown.pool_name(pool_id) for pool_id in worker.pool_ids],
        "note": None if worker.available else worker.unavailable_because,
        "held": [{"sid": one.sid, "name": name_of(one)} for one in held[:_MOST_SHOWN]],
    }


def _assigned(conversation: Conversation) -> str:
    return iso(conversation.assigned_at) or ""
