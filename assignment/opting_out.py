"""A customer opts out, or in again: what is stored, and what that means for the conversation.

In order, for a message that is only such a word:

    1 store     opt_outs/{hash}, the customers' copies, the copies in other open conversations
    2 note      ONE commit: the message, this conversation's copy, and, if the customer has written nothing else,
                unrouted with the slot free and the queue entry gone
    3 out       Twilio removes the worker's participant (claim.let_out; the sweep repeats it when the lease is over)

Each step can be repeated. A crash before 2 leaves a message that is not noted yet, so a repeated delivery or the sweep
begins again. Every interleaving: docs/decisions/0013-opt-out.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from assignment import arrival, claim, hearing, ledger, matching
from domain import opt_out, rules, transitions
from domain.conversation import (
    ASSIGNED,
    ASSIGNING,
    CUSTOMER,
    INACTIVE,
    QUEUED,
    Conversation,
    Heard,
)
from domain.messages import Message, sender_of
from domain.opt_out import START, STOP, Wish
from providers import clock, conversations, database, log, opt_outs, settings

_ROUTED = ("custom", "pool")
_MOST_OPEN = 20  # conversations with one address
_CAN_BE_LEFT_OUT = (QUEUED, ASSIGNING, ASSIGNED, INACTIVE)


def is_opt_out(message: Message, sid: str) -> bool:
    """Return whether a message is a customer's opt-out word, without a record to compare its author with."""
    is_customer = sender_of(message, Conversation(sid)) == CUSTOMER
    return is_customer and hearing.word_of(message) == STOP


def stored(
    before: Conversation, after: Conversation, told: Iterable[Message]
) -> Conversation:
    """Store the wish of each author of a new opt-out word; return the record with its copy.

    `before` and `after`: the record without and with the new messages. `told`: the messages with their authors.
    Without such a word this reads and writes nothing.
    """
    new = {message.index: message for message in _new(before, after)}
    by_author = {
        message.author: new[message.index]
        for message in told
        if message.index in new and new[message.index].word in (START, STOP)
    }
    for author, word in by_author.items():
        decisive = word if _is_group(after) else _latest_word(after)
        wish = Wish(decisive.word == STOP, decisive.at, after.sid, decisive.index)
        after = _followed(after, author, wish)
    return after


def refused(conversation: Conversation, at: datetime) -> Conversation:
    """Store that Twilio sends nothing to this customer (error 21610); return the record with its copy."""
    if conversation.address is None or _is_group(conversation):
        return conversation
    wish = Wish(True, at, conversation.sid, by=f"Twilio's error {opt_out.CODE}")
    return _followed(conversation, conversation.address, wish)


def note_refused(sid: str) -> None:
    """Do the same for a message that Twilio refused at once, and write it down."""

    def step() -> None:
        before = conversations.load(sid)
        if before.exists:
            ledger.note(before, refused(before, clock.now()))

    database.until_it_holds(step)


def must_be_left_out(before: Conversation, after: Conversation) -> bool:
    """Return whether a new opt-out word leaves the conversation without a reason for a worker."""
    if before.state not in _CAN_BE_LEFT_OUT or before.mode not in _ROUTED:
        return False
    if before.others or len(_stops(after)) <= len(_stops(before)):
        return False
    return rules.is_only_an_opt_out(after)


def leave_out(before: Conversation, after: Conversation) -> None:
    """Remove the conversation from the queue, or from its worker. Raises database.LostRace.

    A claim being finished at the same time finds itself outdated and removes the worker again (claim.confirm). If that
    crashes, the sweep does it when the lease is over.
    """
    moved = ledger.move(before, transitions.left_out(after, clock.now()))
    log.info(
        "unrouted: only an opt-out word was written",
        conversation=after.sid,
        worker=before.worker,
    )
    if moved.conversation.leaving_sid:
        claim.let_out(moved.conversation)
    matching.freed(moved.freed)


def must_be_routed(before: Conversation, after: Conversation) -> bool:
    """Return whether a conversation that was left out has a new message that wants an answer."""
    if not rules.is_left_out(before):
        return False
    return any(message.asks for message in _new(before, after))


def route(after: Conversation) -> None:
    """Route it as any other, with the age of the message that wants an answer. Raises database.LostRace."""
    arrival.route_as(transitions.routed_again(after))


def note_early(before: Conversation, after: Conversation) -> None:
    """Write down an opt-out word that comes before the arrival, which then routes nothing. Raises database.LostRace."""
    why = "an opt-out word came before the conversation was announced"
    keep = settings.kept_for()
    ledger.move(before, transitions.unrouted(after, clock.now(), why, keep))


def _new(before: Conversation, after: Conversation) -> list[Heard]:
    noted = {message.index for message in before.heard}
    return [message for message in after.heard if message.index not in noted]


def _stops(conversation: Conversation) -> list[Heard]:
    return [message for message in conversation.heard if message.word == STOP]


def _latest_word(conversation: Conversation) -> Heard:
    latest_first = reversed(conversation.heard)
    return next(message for message in latest_first if message.word in (STOP, START))


def _is_group(conversation: Conversation) -> bool:
    return conversation.projected_address is not None


def mark_open(address: str, since: datetime | None, but: str = "") -> None:
    """Write `since` into the open conversations with this address, except the conversation `but`.

    `since`: when the customer opted out, None: in again. At most 20 conversations, and only those that differ.
    """
    for conversation in conversations.open_with(address, _MOST_OPEN):
        if conversation.sid != but and conversation.opted_out_at != since:
            copy = partial(_copy, conversation.sid, address, since)
            database.until_it_holds(copy)


def _followed(conversation: Conversation, address: str, wish: Wish) -> Conversation:
    record = opt_outs.follow(address, wish)
    if not record.exists:  # an opt-in without an earlier opt-out
        return conversation
    mark_open(address, record.since, but=conversation.sid)
    is_another_member = conversation.address not in (None, address)
    if _is_group(conversation) and is_another_member:
        return conversation
    return _marked(conversation, record.since)


def _copy(sid: str, address: str, since: datetime | None) -> None:
    before = conversations.load(sid)
    if before.exists and before.address == address:
        ledger.note(before, _marked(before, since))


def _marked(conversation: Conversation, since: datetime | None) -> Conversation:
    if conversation.opted_out_at == since:
        return conversation
    what = "opted out" if since else "opted in"
    why = (
        "nothing is sent to this address"
        if since
        else "the customer takes messages again"
    )
    return replace(conversation, opted_out_at=since).noted(clock.now(), what, why)
