"""Compares records with Twilio, a few in each run: the state there, the participants, and the messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from assignment import activity, claim, hand_over, ledger, matching, membership
from domain import edits, rules, transitions
from domain.conversation import ASSIGNED, INACTIVE, QUEUED, Conversation
from domain.worker import is_identity
from functions.sweep import left_out, unheard
from functions.sweep.run import Run, next_after
from providers import clock, conversations, database, settings, twilio, workers
from providers.sweeps import Progress
from providers.twilio import Outcome, Result

_AWAKE = (QUEUED, ASSIGNED)
_AT_ONCE = 50
_ASLEEP_AT_ONCE = 25
_SURELY_THERE = timedelta(
    minutes=1
)  # after it began; from then on Twilio lists its customer
_MOST_PEOPLE = 100  # strangers looked up in one conversation, or in one round


class Roster:
    """The participants that count: confirmed workers that are no bots, each looked up once."""

    def __init__(self, bots: Collection[str]) -> None:
        self._bots = bots
        self._confirmed: dict[str, bool] = {}

    def learn(self, identities: Iterable[str]) -> list[str]:
        """Look up the new ones; return those without a confirmed record."""
        new = dict.fromkeys(identities).keys() - self._confirmed.keys()
        confirmed = workers.confirmed(new) if new else {}
        self._confirmed |= {identity: identity in confirmed for identity in new}
        return sorted(new - confirmed.keys())

    def is_confirmed(self, identity: str) -> bool:
        """Return whether a looked-up identity has a confirmed record."""
        return self._confirmed.get(identity, False)

    def counts(self, identity: str) -> bool:
        """Return whether it is a confirmed worker and no bot."""
        return identity not in self._bots and self.is_confirmed(identity)


def compare(progress: Progress, run: Run) -> Progress:
    """Go on with two rounds: conversations with a worker or in the queue; and those inactive or left out, of which
    there may be any number."""
    listed = conversations.in_states_after(_AWAKE, progress.truth_after, _AT_ONCE)
    awake = _round(listed, progress.truth_after, _AT_ONCE, run)
    listed = conversations.asleep_or_left_out_after(
        progress.asleep_after, _ASLEEP_AT_ONCE
    )
    asleep = _round(listed, progress.asleep_after, _ASLEEP_AT_ONCE, run)
    services = tuple(sorted({*progress.services, *run.services}))
    return replace(progress, truth_after=awake, asleep_after=asleep, services=services)


def _round(
    listed: list[Conversation], after: str | None, at_once: int, run: Run
) -> str | None:
    """Compare these conversations; return where the round goes on, None at its end."""
    roster = Roster(settings.load().bots if listed else ())
    run.services.update(filter(None, (record.service_sid for record in listed)))
    _dismiss(listed, roster, run)
    look = partial(_look, roster=roster, run=run)
    compared = run.each(listed, "conversation", _sid, look, otherwise=False)
    run.note(
        "conversations that Twilio knows otherwise",
        sum(is_mended for _, is_mended in compared),
    )
    begun = [conversation for conversation, _ in compared]
    awake = [conversation for conversation in begun if conversation.state in _AWAKE]
    heard = run.each(awake, "conversation", _sid, unheard.hear, otherwise=False)
    run.note("conversations with unheard messages", sum(is_new for _, is_new in heard))
    if begun:
        after = begun[-1].sid
    return next_after([conversation.sid for conversation in listed], after, at_once)


def _sid(conversation: Conversation) -> str:
    return conversation.sid


def _dismiss(listed: list[Conversation], roster: Roster, run: Run) -> None:
    """Queue what deleted workers have, because the event of the deletion may be lost.

    A name that a person has typed into a record is left out: it never had that conversation.
    """
    holders: list[str] = []
    others: list[str] = []
    for conversation in listed:
        if conversation.worker and conversation.worker == conversation.claimed_for:
            holders.append(conversation.worker)
        others += filter(is_identity, conversation.others)
    for identity in roster.learn([*holders, *others][:_MOST_PEOPLE]):
        run.shielded("worker", identity, partial(membership.dismissed, identity), None)
        run.note("workers without a record who had something")


def _look(listed: Conversation, roster: Roster, run: Run) -> bool:
    if rules.is_left_out(listed):
        return left_out.look(listed)
    states = _AWAKE if listed.state in _AWAKE else (INACTIVE,)
    return _compare(listed, states, roster, run)


def _compare(
    listed: Conversation, states: tuple[str, ...], roster: Roster, run: Run
) -> bool:
    """Compare one conversation with Twilio; return whether the record was changed.

    A record that has left these states since it was listed is left alone.
    """
    conversation = conversations.load(listed.sid)
    if conversation.state not in states:
        return False
    result = twilio.state(conversation)
    if left_out.has_ended(conversation, result):
        matching.close(conversation.sid, "Twilio has closed it")
        return True
    people = twilio.participants(conversation)
    if result.outcome is not Outcome.DONE or people.outcome is not Outcome.DONE:
        return False
    if _is_leaving_overdue(conversation):
        carry_on = matching.finish if conversation.is_handed_on else claim.let_out
        carry_on(conversation)
        return True
    inside = _workers_in(conversation, people, roster)
    holder = _holder_at_twilio(conversation, people)
    if holder and not roster.is_confirmed(holder):
        membership.dismissed(holder)
        return True
    try:
        if _lacks_people(conversation, people, inside):
            return _customer_is_missing(conversation, run)
        if conversation.customer_missing_since is not None:
            present = replace(conversation, customer_missing_since=None)
            conversation = ledger.move(conversation, present).conversation
        return _put_right(conversation, result.body.state, inside)
    except (database.LostRace, hand_over.Refused):
        return False  # the record has changed meanwhile, or Twilio doesn't respond


def _is_leaving_overdue(conversation: Conversation) -> bool:
    """Return whether a participant was to be removed, and the lease for that is over."""
    if not conversation.leaving:
        return False
    lease = conversation.lease_until
    return lease is None or lease <= clock.now()


def _lacks_people(
    conversation: Conversation, people: Result, inside: Collection[str]
) -> bool:
    """Return whether a queued conversation has neither a customer nor a worker in it."""
    if conversation.state != QUEUED or inside:
        return False
    bindings = (participant.messaging_binding or {} for participant in people.body)
    return not any(binding.get("address") for binding in bindings)


def _customer_is_missing(conversation: Conversation, run: Run) -> bool:
    """Close a queued conversation if an earlier run has seen it without its customer, too: one look may be too early.

    Raises database.LostRace if it has changed since, such as by a customer's message.
    """
    now, since = clock.now(), conversation.customer_missing_since
    if since is None:
        ledger.move(conversation, replace(conversation, customer_missing_since=now))
        return False
    age = now - (conversation.created_at or since)
    if since >= run.started or age <= _SURELY_THERE:
        return False
    why = "the customer left it"
    closed = transitions.closed(conversation, now, why, settings.kept_for())
    matching.move(conversation, closed)
    return True


def put_right_who_has_it(conversation: Conversation, bots: Collection[str]) -> bool:
    """Correct the worker in the record of a conversation that cannot wait for its turn.

    Returns False if Twilio doesn't respond, or another writer is changing it.
    """
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        return False
    try:
        inside = _workers_in(conversation, people, Roster(bots))
        is_inactive = conversation.state == INACTIVE
        _put_right(conversation, INACTIVE if is_inactive else "active", inside)
    except (database.LostRace, hand_over.Refused):
        return False
    return True


def _workers_in(
    conversation: Conversation, people: Result, roster: Roster
) -> dict[str, str]:
    """Return the participant SIDs of the confirmed workers in it by identity, without a leaving one."""
    inside = {person.identity: person.sid for person in people.body if person.identity}
    inside.pop(conversation.leaving, None)
    named = {conversation.worker, *conversation.others}
    strangers = [identity for identity in inside if identity not in named]
    roster.learn([*inside.keys() & named, *strangers[:_MOST_PEOPLE]])
    return {
        identity: sid for identity, sid in inside.items() if roster.counts(identity)
    }


def _holder_at_twilio(conversation: Conversation, people: Result) -> str | None:
    """Return the worker if record and participant SID agree, else None."""
    sid = conversation.participant_sid
    identities = [person.identity for person in people.body if person.sid == sid]
    return conversation.worker if conversation.worker in identities else None


def _put_right(conversation: Conversation, state: str, inside: dict[str, str]) -> bool:
    """Make the record say what Twilio says; return whether it differed.

    `state`: Twilio's. `inside`: participant SIDs of the workers in it by identity.
    """
    if conversation.state == INACTIVE and conversation.lease_until is not None:
        return _finish_asleep(conversation, inside)
    others = _others_inside(conversation, inside)
    has_fewer = len(others) < len(conversation.others)
    if has_fewer:
        after = replace(conversation, others=others)
        conversation = ledger.move(conversation, after).conversation
    if edits.of_its_worker(conversation, inside):
        hand_over.edited(
            conversation.sid, conversation.participant_sid, conversation.worker
        )
        return True
    return _follow_participants(conversation, state, inside) or has_fewer


def _follow_participants(
    conversation: Conversation, state: str, inside: dict[str, str]
) -> bool:
    """Make up for a lost event of a worker who left or joined, or of a change of state; return whether one was lost."""
    worker = conversation.worker
    strangers = inside.keys() - set(conversation.others)
    is_confirmed = worker is not None and conversation.lease_until is None
    if is_confirmed and worker not in inside:
        _worker_has_left(conversation, state, inside)
    elif worker is None and strangers:
        _join(conversation, min(strangers), inside)
    elif conversation.state == ASSIGNED and state == "inactive":
        activity.fell_asleep(conversation)
    elif conversation.state == INACTIVE and state == "active":
        activity.woke_up(conversation)
    elif worker in inside and inside[worker] != conversation.participant_sid:
        _join(conversation, worker, inside)
    else:
        return False
    return True


def _worker_has_left(
    conversation: Conversation, state: str, inside: Collection[str]
) -> None:
    """Assign it to a worker in it, even if no event reported that one, else queue it.

    The participant may be the real worker, after an edit while the participant SID was unknown.
    """
    with_present = replace(conversation, others=tuple(sorted(inside)))
    membership.holder_left(with_present)
    current = conversations.load(conversation.sid)
    if current.state == INACTIVE and state == "active":
        activity.woke_up(current)


def _join(conversation: Conversation, identity: str, inside: dict[str, str]) -> None:
    membership.joined(
        conversation.sid, conversation.service_sid, identity, inside[identity]
    )


def _others_inside(
    conversation: Conversation, inside: Collection[str]
) -> tuple[str, ...]:
    """Return those of `others` that Twilio shows, or that are leaving: the event that one left may be lost or late."""
    present = {*inside, conversation.leaving}
    return tuple(other for other in conversation.others if other in present)


def _finish_asleep(conversation: Conversation, inside: dict[str, str]) -> bool:
    """Finish the claim of a conversation that turned inactive before its worker was confirmed; return whether the lease
    was over."""
    if conversation.lease_until is None or conversation.lease_until > clock.now():
        return False
    identity = conversation.worker or ""
    if identity in inside:
        _join(conversation, identity, inside)
    elif conversation.mode == "custom":
        activity.woke_up(conversation)
    else:
        why = f"it turned inactive before {identity} was in it"
        pool = membership.pool_for(conversation)
        matching.queue(conversation, conversation, pool, why)
    return True
