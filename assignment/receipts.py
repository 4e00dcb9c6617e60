"""A message was not delivered, or arrived after all: the failure is noted in the record, or cleared.

Reports come late, twice and out of order, and a group message has one for each recipient. So a report of a failure is
combined with the receipts that Twilio lists; every interleaving is in docs/decisions/0016-receipts.md.

A report that a message arrived is the ordinary case and costs nothing, unless this instance has noted a failure of
that message before. If another instance has, the sweep clears the mark.
"""

from __future__ import annotations

import threading
from datetime import datetime

from cachetools import TTLCache

from assignment import ledger, opting_out
from domain import delivery, messages, opt_out
from domain.conversation import Conversation
from domain.delivery import Failure, Receipt
from providers import clock, conversations, database, twilio
from providers.twilio import Outcome

_failed: TTLCache[str, bool] = TTLCache(
    maxsize=5000, ttl=3600
)  # messages that this instance noted as failed
_lock = threading.Lock()
_TO_LIST = 2.0  # seconds: what was reported is noted in any case


def report(sid: str, message_sid: str, reported: Receipt) -> Conversation | None:
    """Follow one of Twilio's delivery reports.

    Returns the record as it was before, None if the report changes nothing.
    """
    if not reported.has_failed and not _clears_failure(message_sid, reported):
        return None
    before = conversations.load(sid)
    if before.exists:
        receipts = delivery.merged(_listed(before, message_sid), reported)
        _write(before, message_sid, receipts)
    return before


def look_up(conversation: Conversation, message_sid: str) -> None:
    """Write what Twilio lists now; nothing if it doesn't respond."""
    if receipts := _listed(conversation, message_sid):
        _write(conversations.load(conversation.sid), message_sid, receipts)


def arrived(sid: str, message_sid: str) -> None:
    """Clear the mark of a failure: all recipients have the message."""
    _write(conversations.load(sid), message_sid, [])


def _write(read: Conversation, message_sid: str, receipts: list[Receipt]) -> None:
    """Write the outcome of these receipts; `read`: the record as the caller has read it."""
    failure = delivery.failure(receipts)
    if failure is not None:
        with _lock:
            _failed[message_sid] = True
    at = _failed_at(receipts)
    records = [read]

    def step() -> None:
        """Use the caller's record first; after a lost race, load the current one."""
        before = records.pop() if records else conversations.load(read.sid)
        if before.exists:
            ledger.note(before, _with_outcome(before, message_sid, failure, at))

    database.until_it_holds(step)


def _with_outcome(
    before: Conversation, message_sid: str, failure: Failure | None, at: datetime
) -> Conversation:
    if failure is None:
        return messages.delivered(before, message_sid, clock.now())
    after = messages.not_delivered(before, message_sid, failure, at)
    if failure.code == opt_out.CODE and after != before:
        return opting_out.refused(after, at)
    return after


def _failed_at(receipts: list[Receipt]) -> datetime:
    """Return the time of the latest failure, never in the future; now if Twilio gives none."""
    now = clock.now()
    failures = (receipt.at for receipt in receipts if receipt.at and receipt.has_failed)
    return min(max(failures, default=now), now)


def _listed(conversation: Conversation, message_sid: str) -> list[Receipt]:
    with clock.within(_TO_LIST):
        result = twilio.receipts(conversation, message_sid)
    if result.outcome is not Outcome.DONE:
        return []
    return [
        Receipt(
            str(receipt.status or ""),
            receipt.error_code or 0,
            receipt.date_updated,
            receipt.sid,
            receipt.participant_sid,
        )
        for receipt in result.body
    ]


def _clears_failure(message_sid: str, reported: Receipt) -> bool:
    """Return whether it has arrived after a failure that this instance has noted."""
    if not reported.has_arrived:
        return False
    with _lock:
        return message_sid in _failed
