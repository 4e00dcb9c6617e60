"""A message was not delivered, or arrived after all: what the conversation's record says of it.

Reports come late, twice and out of order, and a group message has one for each recipient. So a report of a failure is
laid over the receipts that Twilio lists; which interleaving leads to what: docs/decisions/0016-receipts.md.

A report that a message arrived is the ordinary case and costs nothing, unless this instance has noted a failure of
that message before. Where another instance has, the sweep takes the mark back.
"""

from __future__ import annotations

import threading

from cachetools import TTLCache

from assignment import ledger, opting_out
from domain import delivery, messages, opt_out
from domain.conversation import Conversation
from domain.delivery import Receipt
from providers import clock, conversations, database, twilio
from providers.twilio import Outcome

_failed: TTLCache[str, bool] = TTLCache(
    maxsize=5000, ttl=3600
)  # messages that this instance noted as failed
_lock = threading.Lock()
_TO_LIST = 2.0  # seconds: what was reported is noted in any case


def report(sid: str, message_sid: str, reported: Receipt) -> Conversation | None:
    """Follows one report of Twilio's; returns the record as it was before, None if the report changes nothing."""
    if not reported.has_failed and not (
        reported.has_arrived and _has_failed_before(message_sid)
    ):
        return None
    before = conversations.load(sid)
    if before.exists:
        receipts = delivery.merged(_listed(before, message_sid), reported)
        _write(before, message_sid, receipts)
    return before


def look_up(conversation: Conversation, message_sid: str) -> None:
    """Writes what Twilio lists now; nothing where it doesn't answer."""
    if receipts := _listed(conversation, message_sid):
        _write(conversations.load(conversation.sid), message_sid, receipts)


def arrived(sid: str, message_sid: str) -> None:
    """Takes the mark back: all recipients have the message."""
    _write(conversations.load(sid), message_sid, [])


def _write(seen: Conversation, message_sid: str, receipts: list[Receipt]) -> None:
    failure = delivery.failure(receipts)
    if failure is not None:
        with _lock:
            _failed[message_sid] = True
    now = clock.now()
    at = min(
        max((one.at for one in receipts if one.at and one.has_failed), default=now), now
    )
    records = [seen]

    def step() -> None:
        """What was read before, and after a lost race what is there now."""
        before = records.pop() if records else conversations.load(seen.sid)
        if not before.exists:
            return
        after = (
            messages.not_delivered(before, message_sid, failure, at)
            if failure is not None
            else messages.delivered(before, message_sid, now)
        )
        if failure is not None and failure.code == opt_out.CODE and after != before:
            after = opting_out.refused(after, at)
        ledger.note(before, after)

    database.until_it_holds(step)


def _listed(conversation: Conversation, message_sid: str) -> list[Receipt]:
    with clock.within(_TO_LIST):
        result = twilio.receipts(conversation, message_sid)
    found = result.body if result.outcome is Outcome.DONE else ()
    return [
        Receipt(
            str(one.status or ""),
            one.error_code or 0,
            one.date_updated,
            one.sid,
            one.participant_sid,
        )
        for one in found
    ]


def _has_failed_before(message_sid: str) -> bool:
    with _lock:
        return message_sid in _failed
