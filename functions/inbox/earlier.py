"""GET conversations/SID/earlier: the customer's earlier conversations, which the page shows above this one.

Their messages stay at Twilio: the page reads them as those of any conversation. One answer costs one query of at most
11 records, and the settings.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.conversation import Conversation
from functions.http.answers import Answer, BadInput
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority, colleagues
from functions.inbox.formats import channel_of, iso
from providers import clock, conversations, settings

_PAGE = 10


def listed(visit: Visit, person: Person, sid: str) -> Answer:
    """Return the ten before this conversation, or before the time `before`, the latest first.

    `next` is the value of `before` for the next ones, None after the last.
    """
    rules_record = settings.reference()
    theirs = authority.theirs(person, sid, rules_record)
    conversation, rules = theirs.conversation, settings.of(theirs.more[0])
    start = _time(visit) or conversation.created_at or clock.now()
    records = conversations.earlier(
        conversation.customer_id, conversation.address, start, _PAGE + 1
    )
    page = records[:_PAGE]
    shown = [
        _shown(earlier)
        for earlier in page
        if earlier.sid != sid and authority.may_read_earlier(earlier, theirs, rules)
    ]
    is_more = len(records) > _PAGE
    return Answer(
        {"conversations": shown, "next": iso(page[-1].created_at) if is_more else None}
    )


def _shown(conversation: Conversation) -> dict[str, Any]:
    """Return an earlier conversation; `with` is the name of its worker, None if it had none."""
    worker = conversation.worker
    return {
        "sid": conversation.sid,
        "at": iso(conversation.created_at),
        "closed_at": iso(conversation.closed_at),
        "state": conversation.state,
        "channel": channel_of(conversation),
        "with": colleagues.name_of(worker) if worker else None,
    }


def _time(visit: Visit) -> datetime | None:
    """Return the parameter `before`. Raises BadInput unless it is a time with its zone."""
    value = visit.request.args.get("before")
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        raise BadInput("before must be a time.") from None
    if moment.tzinfo is None:
        raise BadInput("before must be a time with a time zone.")
    return moment
