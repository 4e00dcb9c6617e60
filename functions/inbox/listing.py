"""GET state: the worker, the worker's conversations, and how many customers wait.

The page asks for it every few seconds, so its cost matters: one query and one get. Inactive conversations and the
number of waiting customers are cached for a moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from domain import addresses
from domain.conversation import WORD, Conversation, LastMessage
from domain.worker import Worker
from functions.http import cache, page_kit, session
from functions.http.answers import Answer
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import colleagues
from functions.inbox.formats import channel_of, iso, status_of
from functions.inbox.page import PAGE
from providers import configuration, conversations, database, pending, pools, workers

_WAITING_FOR = 3.0  # seconds
_INACTIVE_FOR = (
    60.0  # a conversation that becomes inactive is noticed at once: see _inactive
)
_POOLS_FOR = 60.0
_KEY_FOR = 3600.0
_MOST_POOLS = 100
# Lines of a conversation's log that say why a worker has it.
_REASONS = ("assigning", "by hand", "handed over", "queued")


class _Entry(NamedTuple):
    """A conversation as the list shows it, and the time of its last event."""

    at: datetime
    shown: dict[str, Any]


def state(visit: Visit, person: Person) -> Answer:
    """GET state, with an ETag; 304 if nothing has changed. Conversations come in order, the latest event first."""
    record, active = database.together(
        lambda: workers.load(person.identity),
        lambda: conversations.with_worker(person.identity),
    )
    worker = session.worker_of(PAGE, person, record)
    if worker.identity != person.identity:
        active = conversations.with_worker(worker.identity)
    content = _content(worker, active)
    tag = f'"{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20]}"'
    headers = (*page_kit.headers(), ("ETag", tag))
    if tag in visit.request.headers.get("If-None-Match", ""):
        return Answer(None, 304, headers)
    return Answer(content, 200, headers)


def _content(worker: Worker, active: list[Conversation]) -> dict[str, Any]:
    """Return the whole state. `empty` says why there are no conversations, else it is None."""
    entries = [_entry(conversation, worker.identity) for conversation in active]
    sids = frozenset(conversation.sid for conversation in active)
    entries += _inactive(worker.identity, sids)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    waiting = _waiting(worker)
    return {
        "me": _me(worker),
        "waiting": waiting,
        "empty": None if entries else why_empty(worker, waiting),
        "conversations": [entry.shown for entry in entries],
        "pools": _pools(),
        "push_key": _push_key(),
        "push_text": True,
        "sign_out": PAGE.iap() is None,
    }


def shown(conversation: Conversation, identity: str) -> dict[str, Any]:
    """Return a conversation as the list shows it to the worker `identity`; times are ISO 8601."""
    fields: dict[str, Any] = {
        "sid": conversation.sid,
        "name": _name(conversation),
        "avatar": None,
        "channel": channel_of(conversation),
        "address": conversation.address,
        "state": conversation.state,
        "mine": conversation.worker == identity,
        "last": _last(conversation.last_message),
        "unread": conversation.unread,
        "undelivered": _undelivered_since_last(conversation),
        "awaiting_since": iso(conversation.awaiting_since),
        "assigned_at": iso(conversation.assigned_at),
        "why": why_mine(conversation.log),
    }
    if conversation.opted_out_at:
        fields["opted_out"] = iso(conversation.opted_out_at)
    if conversation.corrected_at:
        fields["corrected"] = iso(conversation.corrected_at)
    if word := word_to(conversation.log, identity):
        fields["word"] = word
    if others := _others(conversation, identity):
        fields["others"] = others
    return fields


def _name(conversation: Conversation) -> str:
    """Return the customer's name; without one, the readable part of the address."""
    if conversation.display_name:
        return conversation.display_name
    return addresses.called(conversation.address or "Unknown customer")


def _last(message: LastMessage | None) -> dict[str, Any] | None:
    """Return the last message; `from` is customer, worker or service."""
    if message is None:
        return None
    return {
        "at": iso(message.at),
        "from": message.sender,
        "text": message.text,
        "index": message.index,
    }


def _undelivered_since_last(conversation: Conversation) -> int:
    """Count the undelivered messages that were written no earlier than the last message."""
    last = conversation.last_message
    if last is None:
        return 0
    return sum(_is_since(lost.at, last.at) for lost in conversation.undelivered)


def _is_since(at: datetime | None, moment: datetime | None) -> bool:
    """Compare in whole seconds, because Twilio's lists have no smaller unit. An unknown time counts as since."""
    return at is None or moment is None or at >= moment.replace(microsecond=0)


def why_mine(log: Iterable[Mapping[str, Any]]) -> str:
    """Return the last line of the log that says why a worker has the conversation; empty for none."""
    reasons = [line["why"] for line in log if line["what"] in _REASONS]
    return reasons[-1] if reasons else ""


def word_to(log: Iterable[Mapping[str, Any]], identity: str) -> dict[str, Any] | None:
    """Return the latest word at a hand-over as {text, by, at}; None if there is none, or if the worker wrote it."""
    word = next((line for line in reversed([*log]) if line["what"] == WORD), None)
    if word is None or word.get("by") == identity:
        return None
    by = word.get("by")
    name = colleagues.name_of(by) if by else None
    return {"text": word["why"], "by": name, "at": iso(word["at"])}


def _others(conversation: Conversation, identity: str) -> list[str]:
    """Return the names of the other workers in the conversation."""
    inside = dict.fromkeys((conversation.worker, *conversation.others))
    return [
        colleagues.name_of(other) for other in inside if other and other != identity
    ]


def wait_first(conversation: Conversation) -> tuple[bool, float]:
    """Sort the longest-waiting customer first, then the latest event."""
    since = conversation.awaiting_since
    if since is not None:
        return (False, since.timestamp())
    event = max(_last_event(conversation), datetime.fromtimestamp(0, UTC))
    return (True, -event.timestamp())


def why_empty(worker: Worker, waiting: int | None) -> str:
    """Say in one sentence why the worker's list is empty."""
    if not worker.available:
        return "You are Unavailable. Switch to Available to get conversations."
    if worker.pools is not None and not worker.pools:
        return "You aren't in a pool yet, so you only get conversations that are handed to you."
    if waiting:
        return f"Customers waiting in your pools: {waiting}. The next one you can take will appear here."
    return "No customers are waiting."


def _me(worker: Worker) -> dict[str, Any]:
    """Return the worker. `note`, if present, is a problem of the record or why the worker was made Unavailable."""
    fields: dict[str, Any] = {
        "identity": worker.identity,
        "name": worker.name,
        "status": status_of(worker),
    }
    note = worker.problem
    if not note and not worker.available:
        note = worker.unavailable_because
    return fields | {"note": note} if note else fields


def _inactive(identity: str, active: frozenset[str]) -> list[_Entry]:
    """Return the worker's latest inactive conversations.

    They are queried again as soon as one is missing among the active ones, and an active one is left out.
    """
    before = cache.peek(("awake", identity))
    cache.put(("awake", identity), active)
    key = ("asleep", identity)
    if before is not None and not before <= active:
        cache.drop(key)
    inactive = cache.get(
        key, _INACTIVE_FOR, lambda: conversations.asleep_with(identity)
    )
    return [
        _entry(conversation, identity)
        for conversation in inactive
        if conversation.sid not in active
    ]


def _entry(conversation: Conversation, identity: str) -> _Entry:
    return _Entry(_last_event(conversation), shown(conversation, identity))


def _waiting(worker: Worker) -> int | None:
    """Return how many customers wait in the worker's pools; None if they cannot be counted now."""
    own_pools = worker.pools or ()
    if not own_pools:
        return 0
    key = ("waiting", own_pools)
    return cache.get(key, _WAITING_FOR, lambda: pending.how_many(own_pools))


def _pools() -> list[dict[str, str]]:
    """Return the pools that a conversation can be handed to, as {id, name}."""
    records = cache.get(("pools",), _POOLS_FOR, lambda: pools.after(None, _MOST_POOLS))
    return [{"id": pool.id, "name": pool.display_name} for pool in records]


def _push_key() -> str | None:
    """Return the key for Web Push subscriptions; None if notifications are not set up."""
    vapid = configuration.vapid()
    if vapid is None:
        return None
    from providers import web_push

    key = ("push key", vapid.private_key)
    return cache.get(key, _KEY_FOR, lambda: web_push.public_key(vapid))


def _last_event(conversation: Conversation) -> datetime:
    """Return when something last happened: a message, the assignment or the creation."""
    last = conversation.last_message
    times = (
        last.at if last else None,
        conversation.assigned_at,
        conversation.created_at,
    )
    return max(filter(None, times), default=conversations.BEFORE_ALL)
