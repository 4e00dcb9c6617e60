"""Customers that a supervisor has to look at: those without an answer, and those overtaken in the queue.

Every look reads a limited number of documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from domain import delivery_reasons, opening
from domain.conversation import INACTIVE, Conversation, Pending
from domain.pool import Pool
from domain.rules import in_words
from domain.settings import Settings
from domain.worker import Worker
from providers import clock, conversations, database, pools, unanswered, workers

LONG_AWAITED = 600.0  # seconds of open time without a reply
MOST_OVERTAKEN = 5  # later customers with a higher priority
_RECENT = timedelta(days=1)
_LOST_RECENTLY = timedelta(days=7)
_MOST = 10  # of each kind
_MOST_LOOKED_AT = 20
_STILL_WRITING = 2  # messages
_MOST_COUNTED = 100
NoteReads = Callable[[int], None]


@dataclass(frozen=True)
class Customer:
    """A customer to look at: the conversation, what it is called, and why."""

    sid: str
    what: str
    why: str


@dataclass(frozen=True)
class Awaited:
    """How many customers wait for a worker's reply, and since when the first of them does."""

    number: int
    since: datetime | None


def awaited(note_reads: NoteReads) -> Awaited:
    """Count the customers with a worker who wait for a reply."""
    first = unanswered.longest(1)
    note_reads(len(first))
    if not first:
        return Awaited(0, None)
    note_reads(1)
    return Awaited(unanswered.how_many(), first[0].awaiting_since)


def customers(
    settings: Settings, known: Mapping[str, Pool], note_reads: NoteReads
) -> list[Customer]:
    """Return the customers to look at, each conversation once with all of its reasons.

    `known`: pools by id; others that are needed are read.
    """
    awaited_long = _long_awaited(clock.now(), known, note_reads)
    return merged((*seldom(settings, note_reads), *awaited_long))


def seldom(settings: Settings, note_reads: NoteReads) -> tuple[Customer, ...]:
    """Return the customers to look at for another reason than a long wait for a reply."""
    now = clock.now()
    return (
        *_needing_person(note_reads),
        *_with_lost_reply(now, note_reads),
        *_closed(now, note_reads),
        *_unrouted(now, settings, note_reads),
        *_overtaken(note_reads),
    )


def awaited_long_among(
    held: Iterable[Conversation],
    known: Mapping[str, Pool],
    holders: Mapping[str, Worker],
) -> list[Customer]:
    """Return those of these conversations in which a reply has been awaited for too long; reads nothing."""
    now = clock.now()
    waiting = [one for one in held if one.awaiting_since is not None]
    late = [one for one in waiting if _open_wait(one, known, now) >= LONG_AWAITED]
    late.sort(key=lambda one: one.awaiting_since or now)
    return [_entry(one, _why_awaited(one, holders, now)) for one in late[:_MOST]]


def merged(found: Iterable[Customer]) -> list[Customer]:
    """Return each conversation once, with all of its reasons."""
    by_sid: dict[str, Customer] = {}
    for one in found:
        before = by_sid.get(one.sid)
        why = f"{before.why}; {one.why}" if before else one.why
        by_sid[one.sid] = Customer(one.sid, one.what, why)
    return list(by_sid.values())


def name_of(conversation: Conversation) -> str:
    """Return what a page calls a conversation: the customer's name or address, or the SID."""
    return conversation.display_name or conversation.address or conversation.sid


def _entry(conversation: Conversation, why: str) -> Customer:
    return Customer(conversation.sid, name_of(conversation), why)


def _needing_person(note_reads: NoteReads) -> Iterator[Customer]:
    """Yield what came back to the queue so often that no worker is assigned any more."""
    found = unanswered.needing_person(_MOST)
    note_reads(2 * len(found))
    for conversation in found:
        times = conversation.returns
        why = f"came back to the queue {times} times without an answer: give it to a worker"
        yield _entry(conversation, why)


def _with_lost_reply(now: datetime, note_reads: NoteReads) -> Iterator[Customer]:
    """Yield conversations with a last reply that did not reach the customer."""
    found = unanswered.with_lost_reply(now - _LOST_RECENTLY, _MOST)
    note_reads(len(found))
    for conversation in found:
        code = conversation.undelivered[-1].code if conversation.undelivered else 0
        reason = delivery_reasons.SENTENCES.get(code, f"Twilio's error {code}")
        why = f"the last reply did not reach the customer: {reason.rstrip('.')}"
        yield _entry(conversation, why)


def _long_awaited(
    now: datetime, known: Mapping[str, Pool], note_reads: NoteReads
) -> Iterator[Customer]:
    """Yield conversations in which a reply has been awaited for LONG_AWAITED of open time."""
    found = unanswered.longest(_MOST_LOOKED_AT)
    pools_by_id = _with_missing(found, known, note_reads)
    late = [one for one in found if _open_wait(one, pools_by_id, now) >= LONG_AWAITED]
    note_reads(len(found))
    holders = _workers_of(late[:_MOST], note_reads)
    for conversation in late[:_MOST]:
        yield _entry(conversation, _why_awaited(conversation, holders, now))


def _with_missing(
    found: Iterable[Conversation], known: Mapping[str, Pool], note_reads: NoteReads
) -> Mapping[str, Pool]:
    missing = {one.pool for one in found if one.pool} - known.keys()
    if not missing:
        return known
    note_reads(len(missing))
    return {**known, **pools.by_id(sorted(missing))}


def _open_wait(
    conversation: Conversation, known: Mapping[str, Pool], now: datetime
) -> float:
    pool = known.get(conversation.pool or "")
    since = conversation.awaiting_since or now
    return opening.seconds(pool.opening if pool else None, since, now)


def _workers_of(
    found: Iterable[Conversation], note_reads: NoteReads
) -> Mapping[str, Worker]:
    identities = sorted({one.worker for one in found if one.worker})
    if not identities:
        return {}
    note_reads(len(identities))
    return {worker.identity: worker for worker in workers.load_all(identities)}


def _why_awaited(
    conversation: Conversation, holders: Mapping[str, Worker], now: datetime
) -> str:
    since = conversation.awaiting_since or now
    waited = f"has waited {in_words((now - since).total_seconds())} for a reply"
    worker = holders.get(conversation.worker or "")
    if worker is None:
        return f"{waited}, and no worker has it"
    why = f"{waited} from {worker.name}"
    if not worker.available:
        why += ", who is Unavailable"
    return f"{why} (inactive)" if conversation.state == INACTIVE else why


def _closed(now: datetime, note_reads: NoteReads) -> Iterator[Customer]:
    """Yield conversations that were closed in the last day before any reply."""
    found = unanswered.closed_without_reply(now - _RECENT, _MOST_LOOKED_AT)
    note_reads(len(found))
    never_answered = [one for one in found if _was_to_be_answered(one)]
    for conversation in never_answered[:_MOST]:
        ago = in_words((now - (conversation.closed_at or now)).total_seconds())
        why = f"was closed {ago} ago before any reply"
        if conversation.log:
            why += f": {conversation.log[-1]['why']}"
        yield _entry(conversation, why)


def _was_to_be_answered(conversation: Conversation) -> bool:
    """Return whether the customer awaited an answer, in a conversation for which a worker was looked for."""
    is_routed = conversation.mode != "none" or conversation.no_fallback
    return is_routed and conversation.awaiting_since is not None


def _unrouted(
    now: datetime, settings: Settings, note_reads: NoteReads
) -> Iterator[Customer]:
    """Yield conversations without a worker whose customers have gone on writing in the last day.

    Where nothing is routed, only those of a pool that is routed.
    """
    found = unanswered.unrouted_since(now - _RECENT, _MOST_LOOKED_AT)
    note_reads(len(found))
    listed = [one for one in found if _is_still_writing(one, settings)]
    for conversation in listed[:_MOST]:
        wrote_at = conversation.customer_wrote_at or now
        ago = in_words((now - wrote_at).total_seconds())
        why = f"is not routed, and the customer wrote again {ago} ago"
        yield _entry(conversation, why)


def _is_still_writing(conversation: Conversation, settings: Settings) -> bool:
    if conversation.starting or conversation.left_out:
        return False
    if settings.mode == "none" and not conversation.no_fallback:
        return False
    asked = [message for message in conversation.heard if message.asks]
    is_awaited = conversation.awaiting_since is not None
    return is_awaited and len(asked) >= _STILL_WRITING


def _counts(entries: Iterable[Pending]) -> tuple[int, ...]:
    counts = [
        partial(unanswered.how_many_overtook, entry, _MOST_COUNTED) for entry in entries
    ]
    return database.together(*counts) if counts else ()


def _overtaken(note_reads: NoteReads) -> Iterator[Customer]:
    """Yield those who wait while MOST_OVERTAKEN later customers with a higher priority were assigned."""
    entries = unanswered.longest_queued(_MOST)
    note_reads(len(entries))
    complete = [entry for entry in entries if entry.pool and entry.is_complete]
    overtaken = {
        entry.sid: number
        for entry, number in zip(complete, _counts(complete), strict=True)
        if number >= MOST_OVERTAKEN
    }
    note_reads(len(complete) + len(overtaken))
    if not overtaken:
        return
    for conversation in conversations.load_all(list(overtaken)):
        number = overtaken[conversation.sid]
        times = "100 or more" if number >= _MOST_COUNTED else str(number)
        why = f"was overtaken by {times} later customers with a higher priority"
        yield _entry(conversation, why)
