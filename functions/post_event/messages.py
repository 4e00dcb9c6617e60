"""A message was written, or could not be delivered: what the conversation's record says of it.

One read and one write, and none for what is known already or has arrived well. Twilio may send the first message
before the arrival has made the record, or while its worker is being added: it is looked at again a moment later then,
twice at most, so that neither is disturbed. Without a record by that time nothing is kept: the arrival presumes its
first message by itself, and the sweep asks Twilio for the text.
"""

from __future__ import annotations

from assignment import answers, receipts
from domain.conversation import ASSIGNING
from functions.door.forms import Form, parse
from functions.post_event.events import DeliveryUpdated, MessageAdded
from providers import clock, conversations, database

_SETTLES = (0.5, 1.0)  # seconds: an arrival is over within the first, as a rule, or its instance has to start


def added(form: Form) -> None:
    event = parse(MessageAdded, form)
    message = event.message(clock.now())
    before = conversations.load(event.sid)
    for seconds in _SETTLES if event.index == 0 else ():
        if before.exists and before.state != ASSIGNING:
            break
        clock.wait(seconds)
        before = conversations.load(event.sid)
    seen = [before]

    def hear() -> None:
        """What was read above, and after a lost race what is there now."""
        current = seen.pop() if seen else conversations.load(event.sid)
        if current.exists:
            answers.hear(current, [message])

    database.until_it_holds(hear)


def delivery_updated(form: Form) -> None:
    event = parse(DeliveryUpdated, form)
    receipts.report(event.sid, event.message_sid, event.receipt)
