"""Messages that a person has edited or removed at Twilio: the record, the list and the open page follow."""

from __future__ import annotations

from functools import partial

from assignment import corrections
from functions.http.forms import Form, parse
from functions.post_event.events import MessageChanged
from providers import clock, database


def edited(form: Form) -> None:
    """Follow onMessageUpdated."""
    event = parse(MessageChanged, form)
    now = clock.now()
    at = event.changed_at(now)
    database.until_it_holds(
        partial(corrections.follow_edit, event.sid, event.message(now), at)
    )


def removed(form: Form) -> None:
    """Follow onMessageRemoved."""
    event = parse(MessageChanged, form)
    at = event.changed_at(clock.now())
    database.until_it_holds(
        partial(
            corrections.follow_removal, event.sid, event.index, event.changed_sid, at
        )
    )
