"""A message was written, or could not be delivered: what the conversation's record says of it.

One read and one write, and none for what is known already or has arrived well. Twilio may send the first message
before the arrival has made the record, or while its worker is being added: it is looked at again a moment later then,
twice at most, so that neither is disturbed. A customer's message in a conversation that has no record by that time, or
whose record says closed, leads to a look at Twilio, which may route it (docs/decisions/0014-outages.md). An opt-out
word waits for nothing and leads to no look: the arrival sees it and routes nothing.
"""

from __future__ import annotations

from assignment import answers, found, opting_out, receipts
from assignment.found import Found
from domain import messages, rules
from domain.conversation import ASSIGNING, Conversation
from domain.messages import Message
from functions.http.forms import Form, parse
from functions.post_event import failures
from functions.post_event.events import DeliveryUpdated, MessageAdded
from providers import clock, conversations, database, log

_SETTLES = (
    0.5,
    1.0,
)  # seconds: an arrival is over within the first, as a rule, or its instance has to start


def added(form: Form) -> None:
    event = parse(MessageAdded, form)
    message = event.message(clock.now())
    before = conversations.load(event.sid)
    is_opt_out = not rules.is_in_hand(before) and opting_out.is_opt_out(
        message, event.sid
    )
    if not is_opt_out:
        before = _settled(event, before)
        if _asks_for_a_route(before, message):
            came_of_it = found.by_message(event.sid, event.service_sid, message)
            if came_of_it is Found.LATER:
                why = (
                    "Twilio does not describe this conversation; the sweep asks again."
                )
                log.warning(why, conversation=event.sid)
                return
            before = conversations.load(event.sid)
    seen = [before]

    def hear() -> None:
        """What was read above, and after a lost race what is there now."""
        current = seen.pop() if seen else conversations.load(event.sid)
        if current.exists or is_opt_out:
            answers.hear(current, [message])

    database.until_it_holds(hear)


def _settled(event: MessageAdded, before: Conversation) -> Conversation:
    """The record; a first message waits a moment for the arrival."""
    for seconds in _SETTLES if event.index == 0 else ():
        if before.exists and before.state != ASSIGNING:
            break
        clock.wait(seconds)
        before = conversations.load(event.sid)
    return before


def _asks_for_a_route(before: Conversation, message: Message) -> bool:
    """Whether it is news from a customer about whom no worker hears: without a record, or with one that is closed."""
    is_known = any(one.index >= message.index for one in before.heard)
    return (
        not rules.is_in_hand(before)
        and not is_known
        and messages.may_be_customers(message, before)
    )


def delivery_updated(form: Form) -> None:
    event = parse(DeliveryUpdated, form)
    before = receipts.report(event.sid, event.message_sid, event.receipt)
    if before is not None and event.receipt.has_failed:
        failures.follow(before, event)
