"""onParticipantRemoved: a worker left; the conversation goes to who else is in it, or back into the queue."""

from __future__ import annotations

from dataclasses import replace

from functions import assignment, decisions, worker_records
from functions.answers import NOTHING_TO_DO, Answer
from functions.parameters import ParticipantEvent, parse
from functions.webhook import Form
from providers import clock, conversations, database, log, pools, settings
from providers.conversations import HELD, INACTIVE, UNROUTED, Conversation, Load


def handle(form: Form) -> Answer:
    event = parse(ParticipantEvent, form)
    if event.identity:
        database.until_it_holds(lambda: _left(event, event.identity or ""))
    return NOTHING_TO_DO


def _left(event: ParticipantEvent, identity: str) -> None:
    before = conversations.load(event.sid)
    if identity in before.others:
        rest = tuple(other for other in before.others if other != identity)
        conversations.move(before, replace(before, others=rest))
    elif before.worker == identity and not _is_old_membership(before, event):
        _worker_left(before, identity)


def _is_old_membership(before: Conversation, event: ParticipantEvent) -> bool:
    """Whether this tells of an earlier stay of a worker who has come back since."""
    return before.participant_sid is not None and before.participant_sid != event.participant_sid


def _worker_left(before: Conversation, identity: str) -> None:
    log.info("the worker left", conversation=before.sid, worker=identity)
    now = clock.now()
    if before.others and before.state in (*HELD, INACTIVE):
        _goes_to(before, before.others[0])
    elif before.state in HELD and before.mode is not None and before.mode != "none":
        gone = decisions.without(before, identity, now)
        pool_id = before.pool or settings.load().default_pool
        assignment.queue(before, gone, pools.load(pool_id)[pool_id], f"{identity} left it")
    elif before.state in (*HELD, INACTIVE):
        state = INACTIVE if before.state == INACTIVE else UNROUTED
        after = replace(before, state=state, worker=None, participant_sid=None).noted(
            now, "left", f"{identity} left it"
        )
        _, freed = conversations.move(before, after, assignment.loads(before.holder))
        for worker in freed:
            assignment.take_next(worker, "has a free slot")


def _goes_to(before: Conversation, heir: str) -> None:
    """Somebody else is in it: it counts as theirs now."""
    worker = worker_records.load_or_new(heir)
    now = clock.now()
    after = replace(
        before, worker=heir, others=before.others[1:], participant_sid=None, lease_until=None
    ).noted(now, "handed over", f"{before.worker} left it, {worker.name} is in it")
    held = before.state in HELD
    gains = [Load(worker, worker_records.capacity_of(worker), assigned_at=now)] if held else []
    _, changed = conversations.move(before, after, [*gains, *assignment.loads(before.holder)])
    for freed in changed[len(gains) :]:
        assignment.take_next(freed, "has a free slot")
