"""The queue and the log must tell the same; and whoever is free takes what waits."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from assignment import ledger, matching, membership
from domain.conversation import QUEUED, Conversation, Pending
from domain.pool import Pool
from functions.sweep import missed
from functions.sweep.run import Run
from providers import configuration, conversations, database, pending, pools, twilio, workers
from providers.sweeps import Progress
from providers.twilio import Outcome, Place

_AT_ONCE = 100
_MARGIN = 5.0


def mend(progress: Progress, run: Run) -> Progress:
    entries = pending.after(progress.queue_after, _AT_ONCE)
    known = zip(entries, conversations.load_all([entry.sid for entry in entries]), strict=True)
    for entry, conversation in known:
        run.shielded("queue entry", entry.sid, partial(_compare, run, entry, conversation), None)
    waiting = conversations.in_states_after((QUEUED,), progress.log_after, _AT_ONCE)
    lacking = {conversation.sid for conversation in pending.missing(waiting)}
    typed = {entry.sid: entry.priority for entry in entries}
    for conversation in waiting:
        if conversation.sid in lacking or conversation.problem:
            conversation = replace(conversation, priority=typed.get(conversation.sid, conversation.priority))
            again = partial(_restore, conversation)
            restored = run.shielded("conversation", conversation.sid, again, False)
            run.note("waiting conversations without a queue entry", restored)
    wanted = {entry.pool for entry in [*entries, *pending.oldest(_AT_ONCE)]}
    for pool in run.in_time(pools.load(*sorted(filter(None, wanted))).values(), _MARGIN):
        run.note("pulled", run.shielded("pool", pool.id, partial(matching.drain, pool), 0))
        run.shielded("pool", pool.id, partial(_reroute, run, pool, entries), None)
    return replace(
        progress,
        queue_after=entries[-1].sid if len(entries) == _AT_ONCE else None,
        log_after=waiting[-1].sid if len(waiting) == _AT_ONCE else None,
    )


def _compare(run: Run, entry: Pending, conversation: Conversation) -> None:
    if not conversation.exists and _route_anew(entry.sid):
        conversation = conversations.load(entry.sid)
        run.note("waiting conversations whose record was deleted")
    if conversation.state != QUEUED:
        run.note("queue entries without a waiting conversation", _drop(conversation))
    elif not entry.is_complete:
        restored = _restore(replace(conversation, priority=entry.priority))
        run.note("queue entries with fields missing", restored)


def _reroute(run: Run, pool: Pool, entries: list[Pending]) -> None:
    theirs = [entry for entry in entries if entry.pool == pool.id]
    if theirs and workers.how_many(pool.id) == 0:
        for entry in run.in_time(theirs, _MARGIN):
            moved = database.until_it_holds(partial(membership.waits_for_nobody, entry.sid))
            run.note("conversations in a pool of nobody", moved)


def _route_anew(sid: str) -> bool:
    """By what holds now, if Twilio knows it and nobody is in it."""
    result = twilio.state(Place(configuration.service_in_use(None), sid))
    return (
        result.outcome is Outcome.DONE and result.body.state != "closed" and bool(missed.route(result.body))
    )


def _drop(conversation: Conversation) -> bool:
    try:
        ledger.drop_stray(conversation)
    except database.LostRace:
        return False
    return True


def _restore(conversation: Conversation) -> bool:
    """Writes the record, and with it its queue entry, anew."""
    try:
        ledger.move(conversation, conversation)
    except database.LostRace:
        return False
    return True
