"""GET state: who I am, what is mine, how many wait. Asked for every few seconds, so its cost is what is weighed here:
one query and one get; what is asleep and how many wait are kept for a moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from domain import addresses
from domain.conversation import Conversation
from domain.worker import Worker
from functions.http import cache, page_kit, session
from functions.http.answers import Answer
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox.page import PAGE
from providers import configuration, conversations, database, pending, pools, workers

_FOR_A_MOMENT = 3.0  # seconds: how many wait
_ASLEEP_FOR = 60.0  # what fell asleep is told at once all the same: it is missing among what is awake
_POOLS_FOR = 60.0
_MOST_POOLS = 100
Entry: TypeAlias = tuple[
    datetime, dict[str, Any]
]  # when something last happened in it, and what is shown
_TOLD = (
    "assigning",
    "by hand",
    "handed over",
    "queued",
)  # lines of a story that say why it is somebody's


def state(visit: Visit, person: Person) -> Answer:
    record, held = database.together(
        lambda: workers.load(person.identity),
        lambda: conversations.with_worker(person.identity),
    )
    worker = session.worker_of(PAGE, person, record)
    if worker.identity != person.identity:
        held = conversations.with_worker(worker.identity)
    mine = [_entry(one, worker.identity) for one in held]
    mine += _asleep(worker.identity, frozenset(one.sid for one in held))
    waiting = _waiting(worker)
    content = {
        "me": _me(worker),
        "waiting": waiting,
        "empty": None if mine else why_empty(worker, waiting),
        "conversations": [
            one for _, one in sorted(mine, key=lambda entry: entry[0], reverse=True)
        ],
        "pools": _pools(),
        "push_key": _push_key(),
        "push_text": True,
        "sign_out": PAGE.iap() is None,
    }
    tag = f'"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20]}"'
    told = (*page_kit.headers(), ("ETag", tag))
    if tag in visit.request.headers.get("If-None-Match", ""):
        return Answer(None, 304, told)
    return Answer(content, 200, told)


def shown(one: Conversation, identity: str) -> dict[str, Any]:
    """A conversation as the list shows it."""
    last = one.last_message
    shown = {
        "sid": one.sid,
        "name": one.display_name or addresses.called(one.address or "Somebody"),
        "avatar": None,
        "channel": addresses.channel(one.address or ""),
        "address": one.address,
        "state": one.state,
        "mine": one.worker == identity,
        "last": last
        and {
            "at": _iso(last.at),
            "from": last.sender,
            "text": last.text,
            "index": last.index,
        },
        "unread": one.unread,
        "undelivered": sum(
            last is not None and _is_since(lost.at, last.at) for lost in one.undelivered
        ),
        "awaiting_since": _iso(one.awaiting_since),
        "assigned_at": _iso(one.assigned_at),
        "why": why_mine(one.log),
    }
    return shown | ({"opted_out": _iso(one.opted_out_at)} if one.opted_out_at else {})


def _is_since(at: datetime | None, moment: datetime | None) -> bool:
    """What got lost before the last message was written is of the past. Twilio's lists have whole seconds."""
    return at is None or moment is None or at >= moment.replace(microsecond=0)


def why_mine(log: Iterable[Mapping[str, Any]]) -> str:
    """The last line of its story that tells how it came to somebody; empty for none."""
    lines = [line["why"] for line in log if line["what"] in _TOLD]
    return lines[-1] if lines else ""


def why_empty(worker: Worker, waiting: int | None) -> str:
    """Why there is nothing in somebody's list, in one sentence."""
    if not worker.available:
        return "You are Unavailable: switch to Available to get conversations."
    if worker.pools is not None and not worker.pools:
        return "You belong to no pool, so only conversations that are handed to you arrive here."
    if waiting:
        return f"{waiting} {'waits' if waiting == 1 else 'wait'} in your pools; the next one you can take comes here."
    return "Nobody waits."


def _me(worker: Worker) -> dict[str, Any]:
    note = worker.problem or (
        worker.unavailable_because if not worker.available else None
    )
    status = "Available" if worker.available else "Unavailable"
    me = {"identity": worker.identity, "name": worker.name, "status": status}
    return me | ({"note": note} if note else {})


def _asleep(identity: str, awake: frozenset[str]) -> list[Entry]:
    """The latest of those that fell asleep with this worker; looked up anew as soon as one is missing among the
    others, or is awake again."""
    before = cache.peek(("awake", identity))
    cache.put(("awake", identity), awake)
    if before is not None and not before <= awake:
        cache.drop(("asleep", identity))

    def found() -> list[Entry]:
        return [_entry(one, identity) for one in conversations.asleep_with(identity)]

    return [
        one
        for one in cache.get(("asleep", identity), _ASLEEP_FOR, found)
        if one[1]["sid"] not in awake
    ]


def _entry(one: Conversation, identity: str) -> Entry:
    return _newest(one), shown(one, identity)


def _waiting(worker: Worker) -> int | None:
    """How many wait in the worker's pools."""
    mine = worker.pools or ()
    return (
        cache.get(("waiting", mine), _FOR_A_MOMENT, lambda: pending.how_many(mine))
        if mine
        else 0
    )


def _pools() -> list[dict[str, str]]:
    found = cache.get(("pools",), _POOLS_FOR, lambda: pools.after(None, _MOST_POOLS))
    return [{"id": pool.id, "name": pool.display_name} for pool in found]


def _push_key() -> str | None:
    vapid = configuration.vapid()
    if vapid is None:
        return None
    from providers import web_push

    key: str = cache.get(
        ("push key", vapid.private_key), 3600.0, lambda: web_push.public_key(vapid)
    )
    return key


def _newest(one: Conversation) -> datetime:
    last = one.last_message
    times = (last.at if last else None, one.assigned_at, one.created_at)
    return max((time for time in times if time), default=conversations.BEFORE_ALL)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
