"""The queue and the log must tell the same; and whoever is free takes what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from assignment import arrival, found, ledger, matching, membership
from assignment.found import Found
from assignment.matching import Ended, Pulled
from domain import edits
from domain.conversation import QUEUED, Conversation, Pending
from domain.pool import Pool
from domain.worker import Worker
from functions.sweep import waiting
from functions.sweep.run import Run
from providers import clock, conversations, database, pending, pools, workers
from providers.backlog import Entry
from providers.sweeps import Progress

_AT_ONCE = 100
_FREE_AT_ONCE = 8
_MOST_TRIED = 200  # workers of one pool


def mend(progress: Progress, run: Run) -> Progress:
    waiting_in, freed = run.take_pools_and_freed()
    entries = pending.after(progress.queue_after, _AT_ONCE)
    looked_at = [*entries, *pending.oldest(_AT_ONCE)]
    wanted = {
        name for entry in looked_at for name in (entry.pool, *entry.open_to) if name
    }
    known = pools.by_id(sorted(wanted))
    first = partial(waiting.since, looked_at, known)
    run.waiting_since = run.shielded("the queue's", "first", first, None)
    both = list(
        zip(
            entries,
            conversations.load_all([entry.sid for entry in entries]),
            strict=True,
        )
    )
    entries = [
        _with_pool_meant(entry, conversation, known) for entry, conversation in both
    ]
    known |= pools.by_id({entry.pool for entry in entries if entry.pool} - set(known))
    for entry, (typed_entry, conversation) in zip(entries, both, strict=True):
        is_spelled_otherwise = entry.pool != typed_entry.pool
        compare = partial(
            _compare, run, entry, conversation, known, is_spelled_otherwise
        )
        run.shielded("queue entry", entry.sid, compare, None)
    queued = conversations.in_states_after((QUEUED,), progress.log_after, _AT_ONCE)
    lacking = {conversation.sid for conversation in pending.missing(queued)}
    typed = {entry.sid: entry.priority for entry in entries}
    for conversation in queued:
        if conversation.sid in lacking or conversation.problem:
            conversation = replace(
                conversation,
                priority=typed.get(conversation.sid, conversation.priority),
            )
            again = partial(_restore, conversation)
            restored = run.shielded("conversation", conversation.sid, again, False)
            run.note("waiting conversations without a queue entry", restored)
    for entry in run.in_time(pending.due(clock.now(), _AT_ONCE)):
        due = partial(database.until_it_holds, partial(_time_is_up, entry))
        run.note(
            "waits whose time was up",
            run.shielded("queue entry", entry.sid, due, False),
        )
    for pool in run.in_time(
        {**known, **pools.by_id(sorted(waiting_in - known.keys()))}.values()
    ):
        run.shielded("pool", pool.id, partial(_pull, run, pool), None)
        run.shielded("pool", pool.id, partial(_reroute, run, pool, entries), None)
    waited_for = {entry.for_worker for entry in looked_at if entry.for_worker}
    _take_next(
        run,
        [
            *freed,
            *workers.load_all(sorted(waited_for - {one.identity for one in freed})),
        ],
    )
    return replace(
        progress,
        queue_after=entries[-1].sid if len(entries) == _AT_ONCE else None,
        log_after=queued[-1].sid if len(queued) == _AT_ONCE else None,
    )


def _time_is_up(entry: Pending) -> bool:
    """Who waited for one worker alone, or long enough in one pool, may be taken by others."""
    if entry.for_worker:
        return arrival.waits_no_more(
            entry.sid, f"{entry.for_worker} was not free in time"
        )
    return matching.overflow(entry.sid)


def _pull(run: Run, pool: Pool) -> None:
    """Free workers of the pool take what waits, in the pool's order: one, then several at a time while that helps."""
    tried: set[str] = set()
    width = 1
    while len(tried) < _MOST_TRIED and (
        free := workers.free(pool, width, not_to_ask=tried)
    ):
        tried |= {worker.identity for worker in free}
        pulled = _take_next(run, free)
        if not pulled or any(one.ended is Ended.FOR_ALL for one in pulled):
            break
        width = _FREE_AT_ONCE


def _take_next(run: Run, free: list[Worker]) -> list[Pulled]:
    """Each of these workers takes what waits for them; how that ended."""
    take = partial(matching.take_next, because="has a free slot")
    came_of_it = run.each(
        free, "worker", lambda worker: worker.identity, take, matching.NOTHING
    )
    pulled = [one for _, one in came_of_it]
    run.note("pulled", sum(one.taken for one in pulled))
    return pulled


def _compare(
    run: Run,
    entry: Pending,
    conversation: Conversation,
    known: Mapping[str, Pool],
    is_spelled_otherwise: bool,
) -> None:
    """`is_spelled_otherwise`: the stored entry names its pool in another spelling than this one."""
    if not conversation.exists and _route_anew(entry.sid):
        conversation = conversations.load(entry.sid)
        run.note("waiting conversations whose record was deleted")
    if conversation.state != QUEUED:
        run.note("queue entries without a waiting conversation", _drop(conversation))
    elif not entry.is_complete:
        restored = _restore(replace(conversation, priority=entry.priority))
        run.note("queue entries with fields missing", restored)
    elif (
        asked := edits.asked_for(entry, conversation, known, clock.now())
    ) != conversation:
        run.note(
            "waiting conversations that follow an edit", _moved(conversation, asked)
        )
    elif is_spelled_otherwise or not edits.is_told_right(entry, conversation):
        run.note(
            "queue entries that did not say what the log says", _restore(conversation)
        )


def _with_pool_meant(
    entry: Pending, conversation: Conversation, known: Mapping[str, Pool]
) -> Pending:
    """Return the entry with the id of the pool that a person typed into it, by id or display name in any spelling."""
    is_edited = bool(entry.pool) and entry.pool != conversation.pool
    if not is_edited or known[entry.pool].exists:
        return entry
    return replace(entry, pool=pools.as_called([entry.pool])[0])


def _moved(before: Conversation, after: Conversation) -> bool:
    try:
        ledger.move(before, after)
    except database.LostRace:
        return False
    return True


def _reroute(run: Run, pool: Pool, entries: list[Pending]) -> None:
    theirs = [entry for entry in entries if entry.pool == pool.id]
    if theirs and workers.how_many(pool.id) == 0:
        for entry in run.in_time(theirs):
            moved = database.until_it_holds(
                partial(membership.waits_for_nobody, entry.sid)
            )
            run.note("conversations in a pool of nobody", moved)


def _route_anew(sid: str) -> bool:
    """By what holds now, if Twilio knows it and nobody is in it."""
    return found.look(Entry(sid, None, clock.now())) is Found.ROUTED


def _drop(conversation: Conversation) -> bool:
    try:
        ledger.drop_stray(conversation)
    except database.LostRace:
        return False
    return True


def _restore(conversation: Conversation) -> bool:
    """Writes the record, and with it its queue entry, anew."""
    try:
        ledger.restore(conversation)
    except database.LostRace:
        return False
    return True
