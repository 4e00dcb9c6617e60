"""Sends a pool's own texts to a customer: that they are queued, that the pool is closed, or which worker they have now.

Off as long as the pool has none: then a conversation that turns queued or assigned costs one read, of the pool. A
conversation that was never to be routed, or that a worker began, gets none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from domain import channels, opt_out
from domain import sent_texts as rules
from domain.conversation import ASSIGNED, CUSTOMER, MOST_HEARD, QUEUED, Conversation
from domain.messages import Message, sender_of
from domain.pool_texts import ASSIGNED_TEXT, AWAY_TEXT
from functions.http.answers import Again
from functions.texts import sending, wording
from functions.texts.wording import Seen
from providers import conversations, database, log, messages, pools, twilio, windows
from providers.twilio import Outcome

_SID = re.compile(r"CH[0-9a-fA-F]{32}")
_ROUTED = ("custom", "pool")


def send(
    conversation: Conversation, kinds: Sequence[str], has_returned: bool = False
) -> None:
    """Send the first of these texts that applies, unless it was sent in this wait.

    `has_returned`: the worker has become Available, so `assigned` is news also after `away`. Raises Again while it is
    not known whether a text has arrived.
    """
    if not conversation.pool or not _SID.fullmatch(conversation.sid):
        return
    pool = pools.load(conversation.pool)
    if not pool.texts.keys().isdisjoint(kinds):
        _send(wording.look(conversation, pool), kinds, has_returned)


def announce(given: Sequence[Conversation]) -> None:
    """Send the text `assigned` to customers whose worker was Unavailable when assigned, and is Available now.

    Raises Again after the last customer, while it is not known whether a text has arrived.
    """
    later: list[str] = []
    for conversation in given:
        try:
            send(conversation, (ASSIGNED_TEXT,), has_returned=True)
        except Again as again:
            log.warning(
                f"To be tried again (texts): {again}", conversation=conversation.sid
            )
            later.append(str(again))
        except database.Unwritable as error:  # another try would fail, too
            log.error(f"Not done (texts): {error}", conversation=conversation.sid)
    if later:
        raise Again("; ".join(later))


def _send(seen: Seen, kinds: Sequence[str], has_returned: bool) -> None:
    kind = next((kind for kind in kinds if _applies(kind, seen)), None)
    if kind is None or not _may_be_written_to(seen):
        return
    if kind == ASSIGNED_TEXT and not has_returned and _is_closed_and_told(seen):
        return
    conversation = seen.conversation
    wait = _wait(kind, seen)
    worker = conversation.worker if kind == ASSIGNED_TEXT else None
    if wait is None or not sending.is_due(seen.sent, kind, wait, worker):
        return
    content = _content(kind, seen)
    if content and _is_in_it(conversation) and not _asked_for_no_text(seen):
        text = sending.Text(
            conversation,
            kind,
            wait,
            content,
            seen.count,
            is_still_so=partial(_is_as_it_was, conversation, kind),
            worker=worker,
        )
        sending.send_once(text, seen.sent)


def _content(kind: str, seen: Seen) -> Mapping[str, str] | None:
    """Return what to send; outside WhatsApp's and Messenger's window a template that the pool names, or None."""
    is_closed = windows.is_closed(seen.conversation)
    content = wording.content(kind, seen, is_closed)
    if content is None and is_closed:
        log.info(
            f"the text {kind} is not sent: the customer has not written in the last 24 hours",
            conversation=seen.conversation.sid,
        )
    return content


def _applies(kind: str, seen: Seen) -> bool:
    """Return whether the pool has this text, and it is true now.

    Outside the hours the text `away` takes the place of the text `queued`. A customer whose worker is Unavailable
    waits, too.
    """
    if kind not in seen.pool.texts:
        return False
    has_worker = seen.conversation.state == ASSIGNED
    is_worker_there = has_worker and seen.worker is not None and seen.worker.available
    if kind == ASSIGNED_TEXT:
        return is_worker_there
    if seen.conversation.awaiting_since is None:
        return False
    if kind == AWAY_TEXT:
        is_waiting = seen.conversation.state == QUEUED or has_worker
        return is_waiting and not seen.is_open and not is_worker_there
    return seen.conversation.state == QUEUED


def _is_closed_and_told(seen: Seen) -> bool:
    """Return whether the pool is closed and the customer had the text `away` in this closing time."""
    away = seen.sent.sendings.get(AWAY_TEXT)
    return not seen.is_open and away is not None and seen.now < away.wait


def _wait(kind: str, seen: Seen) -> datetime | None:
    """Return the time that identifies the wait in which each text is sent once."""
    if kind != AWAY_TEXT:
        return rules.wait_of(seen.conversation)
    return seen.opens or seen.now + rules.CLOSED_FOR_LONG


def _may_be_written_to(seen: Seen) -> bool:
    conversation, customer = seen.conversation, seen.customer
    if conversation.mode not in _ROUTED or (customer and customer.do_not_contact):
        return False
    if _has_opted_out(seen):
        return False
    return channels.can_be_read(conversation.address or "")


def _has_opted_out(seen: Seen) -> bool:
    address = seen.conversation.address or ""
    by_record = seen.customer.opted_out_since(address) if seen.customer else None
    return any((seen.conversation.opted_out_at, seen.opt_out.since, by_record))


def _asked_for_no_text(seen: Seen) -> bool:
    """Return whether the customer's messages at Twilio opt out, or end with a word that Twilio answers itself (HELP).

    The webhook of an opt-out word may still be on its way or lost, also when the customer has written something else
    since. A word that the opt-out's record already counts changes nothing.
    """
    listed = twilio.messages(seen.conversation, MOST_HEARD)
    if listed.outcome is Outcome.RETRY:
        raise Again(listed.why)
    found = listed.body if listed.outcome is Outcome.DONE else ()
    newest_first = [
        message
        for message in map(messages.of_twilio, found)
        if sender_of(message, seen.conversation) == CUSTOMER
    ]
    return _ends_with_help(newest_first, seen) or _opts_out(newest_first, seen)


def _ends_with_help(newest_first: Sequence[Message], seen: Seen) -> bool:
    newest = newest_first[0].text if newest_first else ""
    return opt_out.word_in(newest, seen.opt_out_words) == opt_out.HELP


def _opts_out(newest_first: Sequence[Message], seen: Seen) -> bool:
    current = seen.opt_out
    for message in reversed(newest_first):
        word = opt_out.word_in(message.text, seen.opt_out_words)
        if word in (opt_out.STOP, opt_out.START):
            is_out, sid = word == opt_out.STOP, seen.conversation.sid
            wish = opt_out.Wish(is_out, message.at, sid, message.index)
            current = opt_out.decided(current, wish)
    return current.since is not None


def _is_in_it(conversation: Conversation) -> bool:
    """Return whether a customer is in the conversation at Twilio. Raises Again if it doesn't respond."""
    people = twilio.participants(conversation)
    if people.outcome is Outcome.RETRY:
        raise Again(people.why)
    if people.outcome is Outcome.MISCONFIGURED:
        log.error(
            f"The customer cannot be written to: {people.why}",
            conversation=conversation.sid,
        )
    if people.outcome is not Outcome.DONE:
        return False
    bindings = (person.messaging_binding or {} for person in people.body)
    return any(binding.get("address") for binding in bindings)


def _is_as_it_was(before: Conversation, kind: str) -> bool:
    """Return whether the text is still true, right before it is sent."""
    now = conversations.load(before.sid)
    is_about_waiting = kind != ASSIGNED_TEXT
    if now.opted_out_at is not None:
        return False
    if is_about_waiting and now.awaiting_since is None:
        return False
    return (now.state, now.pool, now.worker) == (
        before.state,
        before.pool,
        before.worker,
    )
