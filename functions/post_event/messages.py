"""Messages and deliveries, recorded in their conversation's record.

One read and one write; no write for a message that is recorded already, or a delivery that succeeded. Twilio may send
the first message before the arrival has made the record, or while its worker is being added: this handler then reads
the record again a moment later, twice at most, so that neither is disturbed. If there is no record by that time, or it
is closed, a customer's message makes the service ask Twilio, and possibly route the conversation
(docs/decisions/0014-outages.md). An opt-out word neither waits nor asks: the arrival sees it and routes nothing.
"""

from __future__ import annotations

from itertools import chain, repeat

from assignment import answers, found, opting_out, receipts
from assignment.found import Found
from domain import messages, rules
from domain.conversation import ASSIGNING, Conversation
from domain.messages import Message
from functions.http.forms import Form, parse
from functions.post_event import failures
from functions.post_event.events import DeliveryUpdated, MessageAdded
from providers import clock, conversations, database, log

# Seconds to wait: usually an arrival is over after the first, unless its instance has to start.
_SETTLES = (0.5, 1.0)


def added(form: Form) -> None:
    """Record a message; ask Twilio first about a customer's message that reaches no worker."""
    event = parse(MessageAdded, form)
    message = event.message(clock.now())
    before = conversations.load(event.sid)
    is_opt_out = not rules.is_in_hand(before) and opting_out.is_opt_out(
        message, event.sid
    )
    if not is_opt_out:
        before = _settled(event, before)
        if _asks_for_a_route(before, message):
            if not _route(event, message):
                return
            before = conversations.load(event.sid)
    versions = chain([before], map(conversations.load, repeat(event.sid)))

    def record() -> None:
        """Record the message in the conversation as read above; after a lost race, in the current one."""
        current = next(versions)
        if current.exists or is_opt_out:
            answers.hear(current, [message])

    database.until_it_holds(record)


def _route(event: MessageAdded, message: Message) -> bool:
    """Ask Twilio for the conversation and route it if needed; return False if Twilio doesn't respond."""
    result = found.by_message(event.sid, event.service_sid, message)
    if result is not Found.LATER:
        return True
    why = "Twilio does not describe this conversation; the sweep asks again."
    log.warning(why, conversation=event.sid)
    return False


def _settled(event: MessageAdded, before: Conversation) -> Conversation:
    """Return the record; for a first message, wait a moment until its arrival is over."""
    if event.index != 0:
        return before
    for seconds in _SETTLES:
        if before.exists and before.state != ASSIGNING:
            break
        clock.wait(seconds)
        before = conversations.load(event.sid)
    return before


def _asks_for_a_route(before: Conversation, message: Message) -> bool:
    """Return whether this is a customer's new message that reaches no worker: no record, or a closed one."""
    if rules.is_in_hand(before):
        return False
    latest = max((heard.index for heard in before.heard), default=-1)
    return latest < message.index and messages.may_be_customers(message, before)


def delivery_updated(form: Form) -> None:
    """Record a delivery, and follow it up if it failed."""
    event = parse(DeliveryUpdated, form)
    before = receipts.report(event.sid, event.message_sid, event.receipt)
    if before is not None and event.receipt.has_failed:
        failures.follow(before, event)
