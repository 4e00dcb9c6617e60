"""Makes the queue and the log agree, and lets free workers take what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from providers import clock, conversations, database, log, pending, pools, workers
from providers.backlog import Entry
from providers.sweeps import Progress

_AT_ONCE = 100
_FREE_AT_ONCE = 8
_MOST_TRIED = 200  # workers of one pool


def mend(progress: Progress, run: Run) -> Progress:
    """Look at the next entries and the next queued conversations of the round, and at every pool with a queue."""
    waiting_in, freed = run.take_pools_and_freed()
    entries = pending.after(progress.queue_after, _AT_ONCE)
    looked_at = [*entries, *pending.oldest(_AT_ONCE)]
    known = _pools_named_in(looked_at)
    first = partial(waiting.since, looked_at, known)
    run.waiting_since = run.shielded("the queue's", "first", first, None)
    entries = _compare_all(run, entries, known)
    queued = conversations.in_states_after((QUEUED,), progress.log_after, _AT_ONCE)
    _restore_missing(run, queued, entries)
    for entry in run.in_time(pending.due(clock.now(), _AT_ONCE)):
        due = partial(database.until_it_holds, partial(_time_is_up, entry))
        is_changed = run.shielded("queue entry", entry.sid, due, False)
        run.note("waits whose time was up", is_changed)
    known |= pools.by_id(sorted(waiting_in - known.keys()))
    for pool in run.in_time(known.values()):
        run.shielded("pool", pool.id, partial(_pull, run, pool), None)
        run.shielded("pool", pool.id, partial(_reroute, run, pool, entries), None)
    waited_for = {entry.for_worker for entry in looked_at if entry.for_worker}
    waited_for -= {worker.identity for worker in freed}
    _take_next(run, [*freed, *workers.load_all(sorted(waited_for))])
    return replace(
        progress, queue_after=_last_sid(entries), log_after=_last_sid(queued)
    )


def _last_sid(listed: Sequence[Pending | Conversation]) -> str | None:
    """Return where the next run goes on; None: this one has reached the end."""
    return listed[-1].sid if len(listed) == _AT_ONCE else None


def _pools_named_in(entries: Iterable[Pending]) -> dict[str, Pool]:
    names: set[str] = set()
    for entry in entries:
        names.update(filter(None, (entry.pool, *entry.open_to)))
    return pools.by_id(sorted(names))


def _compare_all(
    run: Run, typed: list[Pending], known: dict[str, Pool]
) -> list[Pending]:
    """Compare the entries with their conversations; return them with the IDs of the pools that they mean.

    `known`: pools by ID; those that the entries mean are added.
    """
    records = conversations.load_all([entry.sid for entry in typed])
    entries = [
        _with_pool_meant(entry, conversation, known)
        for entry, conversation in zip(typed, records, strict=True)
    ]
    meant = {entry.pool for entry in entries if entry.pool}
    known |= pools.by_id(meant - set(known))
    for entry, typed_entry, conversation in zip(entries, typed, records, strict=True):
        is_spelled_otherwise = entry.pool != typed_entry.pool
        compare = partial(
            _compare, run, entry, conversation, known, is_spelled_otherwise
        )
        run.shielded("queue entry", entry.sid, compare, None)
    return entries


def _restore_missing(
    run: Run, queued: list[Conversation], entries: list[Pending]
) -> None:
    """Write the missing queue entries of these conversations, and repair their records."""
    missing = {conversation.sid for conversation in pending.missing(queued)}
    priorities = {entry.sid: entry.priority for entry in entries}
    for conversation in queued:
        sid = conversation.sid
        if sid in missing or conversation.problem:
            priority = priorities.get(sid, conversation.priority)
            again = partial(_restore, replace(conversation, priority=priority))
            is_restored = run.shielded("conversation", sid, again, False)
            run.note("waiting conversations without a queue entry", is_restored)


def _time_is_up(entry: Pending) -> bool:
    """Let other workers take a conversation that has waited long enough for one worker, or in one pool."""
    if entry.for_worker:
        why = f"{entry.for_worker} was not free in time"
        return arrival.waits_no_more(entry.sid, why)
    return matching.overflow(entry.sid)


def _pull(run: Run, pool: Pool) -> None:
    """Let free workers of the pool take what waits, in the pool's order: one, then several at a time."""
    tried: set[str] = set()
    width = 1
    while len(tried) < _MOST_TRIED:
        free = workers.free(pool, width, not_to_ask=tried)
        if not free:
            break
        tried |= {worker.identity for worker in free}
        ends = {pulled.ended for pulled in _take_next(run, free)}
        if not ends or Ended.FOR_ALL in ends:
            break
        width = _FREE_AT_ONCE


def _take_next(run: Run, free: list[Worker]) -> list[Pulled]:
    """Let each of these workers take what waits for them; return how that ended."""
    take = partial(matching.take_next, because="has a free slot")
    outcomes = run.each(
        free, "worker", lambda worker: worker.identity, take, matching.NOTHING
    )
    run.note("pulled", sum(pulled.taken for _, pulled in outcomes))
    return [pulled for _, pulled in outcomes]


def _compare(
    run: Run,
    entry: Pending,
    conversation: Conversation,
    known: Mapping[str, Pool],
    is_spelled_otherwise: bool,
) -> None:
    """Make one entry and its conversation agree.

    `is_spelled_otherwise`: the stored entry names its pool in another spelling than `entry`.
    """
    if not conversation.exists and _route_anew(entry.sid):
        conversation = conversations.load(entry.sid)
        run.note("waiting conversations whose record was deleted")
    if conversation.state != QUEUED:
        run.note("queue entries without a waiting conversation", _drop(conversation))
        return
    if not entry.is_complete:
        _log_not_understood(entry)
        restored = _restore(replace(conversation, priority=entry.priority))
        run.note("queue entries with fields missing", restored)
        return
    edited = edits.asked_for(entry, conversation, known, clock.now())
    if edited != conversation:
        is_moved = _moved(conversation, edited)
        run.note("waiting conversations that follow an edit", is_moved)
    elif is_spelled_otherwise or not edits.is_told_right(entry, conversation):
        if not is_spelled_otherwise:
            _log_not_editable(entry)
        is_restored = _restore(conversation)
        run.note("queue entries that did not say what the log says", is_restored)
    elif conversation.for_worker:
        is_followed = _follows(conversation)
        run.note("waits that follow an edit of settings or customer", is_followed)


def _follows(conversation: Conversation) -> bool:
    try:
        return arrival.follow_wait(conversation)
    except database.LostRace:
        return False


def _log_not_understood(entry: Pending) -> None:
    """Log which values of a queue entry are replaced."""
    why = entry.problem or "pool, queued_at or priority is missing."
    log.warning(
        f"A queue entry is restored from its conversation: {why}",
        conversation=entry.sid,
    )


def _log_not_editable(entry: Pending) -> None:
    """Log that an edit of the other fields changes nothing."""
    log.warning(
        "A queue entry is restored from its conversation: for_worker, open_to or due_at differs; "
        "edit pool or priority instead.",
        conversation=entry.sid,
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
    return _holds(partial(ledger.move, before, after))


def _reroute(run: Run, pool: Pool, entries: list[Pending]) -> None:
    """Move what waits in a pool without workers to the pool that it would be routed to now."""
    in_pool = [entry for entry in entries if entry.pool == pool.id]
    if not in_pool or workers.how_many(pool.id) > 0:
        return
    for entry in run.in_time(in_pool):
        move = partial(membership.waits_for_nobody, entry.sid)
        run.note("conversations in a pool of nobody", database.until_it_holds(move))


def _route_anew(sid: str) -> bool:
    """Route it by the current settings, if Twilio has it and no worker is in it; return whether it was routed."""
    return found.look(Entry(sid, None, clock.now())) is Found.ROUTED


def _drop(conversation: Conversation) -> bool:
    return _holds(partial(ledger.drop_stray, conversation))


def _restore(conversation: Conversation) -> bool:
    """Write the record, and with it its queue entry, again."""
    return _holds(partial(ledger.restore, conversation))


def _holds(write: Callable[[], object]) -> bool:
    """Return whether this write won: after a lost race the next run looks again."""
    try:
        write()
    except database.LostRace:
        return False
    return True
