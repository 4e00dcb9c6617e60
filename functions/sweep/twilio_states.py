"""The log against Twilio, a few conversations each time: its state there, who is in it, and what was written."""

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
from functions.sweep.run import Run
from providers import clock, conversations, database, settings, twilio, workers
from providers.sweeps import Progress
from providers.twilio import Outcome, Result

_AWAKE = (QUEUED, ASSIGNED)
_AT_ONCE = 50
_ASLEEP_AT_ONCE = 25
_SURELY_THERE = timedelta(
    minutes=1
)  # so long after it began, Twilio shows a conversation with its customer
_MOST_PEOPLE = 100  # looked up of one conversation, or of one round, besides those whom the log names


class Roster:
    """Who counts among the participants: confirmed workers who are no bots, each looked up once."""

    def __init__(self, bots: Collection[str]) -> None:
        self._bots = bots
        self._known: dict[str, bool] = {}

    def learn(self, identities: Iterable[str]) -> list[str]:
        """Look them up; returns those who are no confirmed workers."""
        news = list(dict.fromkeys(one for one in identities if one not in self._known))
        found = workers.confirmed(news) if news else {}
        self._known |= {one: one in found for one in news}
        return [one for one in news if one not in found]

    def is_confirmed(self, identity: str) -> bool:
        return self._known.get(identity, False)

    def counts(self, identity: str) -> bool:
        return identity not in self._bots and self.is_confirmed(identity)


def compare(progress: Progress, run: Run) -> Progress:
    """Two rounds: those who have or want a worker, and those asleep or left out, of which there may be any number."""
    found = conversations.in_states_after(_AWAKE, progress.truth_after, _AT_ONCE)
    awake = _round(found, progress.truth_after, _AT_ONCE, run)
    found = conversations.asleep_or_left_out_after(
        progress.asleep_after, _ASLEEP_AT_ONCE
    )
    asleep = _round(found, progress.asleep_after, _ASLEEP_AT_ONCE, run)
    return replace(
        progress,
        truth_after=awake,
        asleep_after=asleep,
        services=_with_theirs(progress, run),
    )


def _with_theirs(progress: Progress, run: Run) -> tuple[str, ...]:
    """The services in use, with those of the conversations that this run has compared."""
    return tuple(sorted({*progress.services, *run.services}))


def _round(
    found: list[Conversation], after: str | None, at_once: int, run: Run
) -> str | None:
    """Compares the next ones; returns where the round stands, None at its end."""
    roster = Roster(settings.load().bots if found else ())
    run.services |= {
        conversation.service_sid for conversation in found if conversation.service_sid
    }
    _dismiss(found, roster, run)
    look = partial(_look, roster=roster, run=run)
    compared = run.each(
        found, "conversation", lambda one: one.sid, look, otherwise=False
    )
    run.note(
        "conversations that Twilio knows otherwise",
        sum(is_mended for _, is_mended in compared),
    )
    awake = [
        conversation for conversation, _ in compared if conversation.state in _AWAKE
    ]
    heard = run.each(
        awake, "conversation", lambda one: one.sid, unheard.hear, otherwise=False
    )
    run.note(
        "conversations with unheard messages", sum(was_news for _, was_news in heard)
    )
    after = compared[-1][0].sid if compared else after
    at_end = len(found) < at_once and (not found or after == found[-1].sid)
    return None if at_end else after


def _dismiss(found: list[Conversation], roster: Roster, run: Run) -> None:
    """A worker whose record was deleted, and the event of that lost: what they have waits again. A name that a person
    has just typed into a record is none of theirs."""
    holders = [
        one.worker for one in found if one.worker and one.worker == one.claimed_for
    ]
    others = [other for one in found for other in one.others if is_identity(other)]
    for identity in roster.learn([*holders, *others][:_MOST_PEOPLE]):
        run.shielded("worker", identity, partial(membership.dismissed, identity), None)
        run.note("workers without a record who had something")


def _look(listed: Conversation, roster: Roster, run: Run) -> bool:
    if rules.is_left_out(listed):
        return left_out.look(listed)
    return _compare(
        listed, _AWAKE if listed.state in _AWAKE else (INACTIVE,), roster, run
    )


def _compare(
    listed: Conversation, states: tuple[str, ...], roster: Roster, run: Run
) -> bool:
    conversation = conversations.load(listed.sid)
    if conversation.state not in states:
        return False
    result = twilio.state(conversation)
    if _has_ended(conversation, result):
        matching.close(conversation.sid, "Twilio has closed it")
        return True
    people = twilio.participants(conversation)
    if result.outcome is not Outcome.DONE or people.outcome is not Outcome.DONE:
        return False
    if conversation.leaving and (
        conversation.lease_until is None or conversation.lease_until <= clock.now()
    ):
        carry_on = matching.finish if conversation.is_handed_on else claim.let_out
        carry_on(conversation)
        return True
    inside = _workers_in(conversation, people, roster)
    if (holder := _holder_at_twilio(conversation, people)) and not roster.is_confirmed(
        holder
    ):
        membership.dismissed(holder)
        return True
    bound = any((p.messaging_binding or {}).get("address") for p in people.body)
    try:
        if conversation.state == QUEUED and not inside and not bound:
            return _customer_is_missing(conversation, run)
        if conversation.customer_missing_since is not None:
            seen_again = replace(conversation, customer_missing_since=None)
            conversation = ledger.move(conversation, seen_again).conversation
        return _put_right(conversation, result.body.state, inside)
    except (database.LostRace, hand_over.Refused):
        return False  # the log has moved on meanwhile, or Twilio does not tell just now


def _customer_is_missing(conversation: Conversation, run: Run) -> bool:
    """Close a queued conversation that an earlier sweep, too, saw without its customer; one look may be too early.

    Raises database.LostRace: it has changed since, such as by a message of the customer's.
    """
    now, since = clock.now(), conversation.customer_missing_since
    if since is None:
        ledger.move(conversation, replace(conversation, customer_missing_since=now))
        return False
    if (
        since >= run.started
        or now - (conversation.created_at or since) <= _SURELY_THERE
    ):
        return False
    why = "the customer left it"
    closed = transitions.closed(conversation, now, why, settings.kept_for())
    matching.move(conversation, closed)
    return True


def put_right_who_has_it(conversation: Conversation, bots: Collection[str]) -> bool:
    """For one that cannot wait for its turn: what the log says of who is in it, where Twilio says otherwise.

    False where Twilio does not tell, or somebody else is changing it just now.
    """
    people = twilio.participants(conversation)
    if people.outcome is not Outcome.DONE:
        return False
    try:
        _put_right(
            conversation, "active", _workers_in(conversation, people, Roster(bots))
        )
    except (database.LostRace, hand_over.Refused):
        return False
    return True


def _workers_in(
    conversation: Conversation, people: Result, roster: Roster
) -> dict[str, str]:
    """Confirmed workers by identity, with the participant's SID; without one who is leaving."""
    inside = {
        p.identity: p.sid
        for p in people.body
        if p.identity and p.identity != conversation.leaving
    }
    named = [one for one in (conversation.worker, *conversation.others) if one]
    strangers = [one for one in inside if one not in named]
    roster.learn([*(one for one in named if one in inside), *strangers[:_MOST_PEOPLE]])
    return {
        identity: sid for identity, sid in inside.items() if roster.counts(identity)
    }


def _holder_at_twilio(conversation: Conversation, people: Result) -> str | None:
    """The worker whom both name; None also where the record names somebody else than the participant that it knows."""
    theirs = [p.identity for p in people.body if p.sid == conversation.participant_sid]
    return conversation.worker if conversation.worker in theirs else None


def _has_ended(conversation: Conversation, result: Result) -> bool:
    if result.outcome is Outcome.DONE:
        return bool(result.body.state == "closed")
    return result.outcome is Outcome.MISSING and twilio.is_gone(conversation)


def _put_right(conversation: Conversation, state: str, inside: dict[str, str]) -> bool:
    """Makes the log say what Twilio says; returns whether it said something else."""
    if conversation.state == INACTIVE and conversation.lease_until is not None:
        return _finish_asleep(conversation, inside)
    was_wrong = len(others := _others_inside(conversation, inside)) < len(
        conversation.others
    )
    if was_wrong:
        conversation = ledger.move(
            conversation, replace(conversation, others=others)
        ).conversation
    if edits.of_its_worker(conversation, inside):
        hand_over.edited(
            conversation.sid, conversation.participant_sid, conversation.worker
        )
        return True
    if (
        conversation.worker is not None
        and conversation.worker not in inside
        and conversation.lease_until is None
    ):
        # Who is in it there may be its worker untold, also from before a person's edit of a stay that nobody knows.
        membership.holder_left(replace(conversation, others=tuple(sorted(inside))))
        alone = conversations.load(conversation.sid)
        if alone.state == INACTIVE and state == "active":
            activity.woke_up(alone)
    elif conversation.worker is None and (
        strangers := inside.keys() - set(conversation.others)
    ):
        identity = min(strangers)
        participant_sid = inside[identity]
        membership.joined(
            conversation.sid, conversation.service_sid, identity, participant_sid
        )
    elif conversation.state == ASSIGNED and state == "inactive":
        activity.fell_asleep(conversation)
    elif conversation.state == INACTIVE and state == "active":
        activity.woke_up(conversation)
    elif (
        stay := inside.get(conversation.worker or "")
    ) and stay != conversation.participant_sid:
        membership.joined(
            conversation.sid, conversation.service_sid, conversation.worker or "", stay
        )
    else:
        return was_wrong
    return True


def _others_inside(
    conversation: Conversation, inside: Collection[str]
) -> tuple[str, ...]:
    """Those of `others` whom Twilio shows: an event that they left, or that one joined, may be lost or late."""
    return tuple(
        one
        for one in conversation.others
        if one in inside or one == conversation.leaving
    )


def _finish_asleep(conversation: Conversation, inside: dict[str, str]) -> bool:
    """One that fell asleep while its worker was being added, who is in it or never came."""
    if conversation.lease_until is None or conversation.lease_until > clock.now():
        return False
    identity = conversation.worker or ""
    if identity in inside:
        membership.joined(
            conversation.sid, conversation.service_sid, identity, inside[identity]
        )
    elif conversation.mode == "custom":
        activity.woke_up(conversation)
    else:
        why = f"it fell asleep before {identity} was in it"
        matching.queue(
            conversation, conversation, membership.pool_for(conversation), why
        )
    return True
