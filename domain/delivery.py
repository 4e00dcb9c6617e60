"""The delivery of a message to its recipients, and the sentences about it.

Twilio keeps a receipt for each recipient, and reports each change of one: late, twice, and out of order.
https://www.twilio.com/docs/conversations/delivery-receipts
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.delivery_reasons import SENTENCES

SENT, DELIVERED, READ, FAILED, UNDELIVERED = (
    "sent",
    "delivered",
    "read",
    "failed",
    "undelivered",
)
ARRIVED, LOST = (DELIVERED, READ), (FAILED, UNDELIVERED)
_WORST_FIRST = (FAILED, UNDELIVERED, READ, DELIVERED, SENT)
_NO_RECIPIENT = (None, "none")
_UNKNOWN = "The customer's network did not say why."
_DOCUMENTED = "https://www.twilio.com/docs/api/errors/"


@dataclass(frozen=True)
class Receipt:
    """The state of a message for one recipient; `at`: when Twilio reported it."""

    status: str
    code: int = 0
    at: datetime | None = None
    sid: str | None = None
    participant_sid: str | None = None

    @property
    def has_failed(self) -> bool:
        return self.status in LOST

    @property
    def has_arrived(self) -> bool:
        return self.status in ARRIVED


@dataclass(frozen=True)
class Failure:
    """How many of a message's recipients did not get it, and Twilio's code for the first of them."""

    code: int
    failed: int = 1
    recipients: int = 1

    @property
    def is_partial(self) -> bool:
        return self.failed < self.recipients


def merged(listed: Sequence[Receipt], reported: Receipt) -> list[Receipt]:
    """Return the receipts that Twilio lists for a message, with a reported one.

    The later one counts. A report about no listed recipient is added.
    """
    number = _number_of(listed, reported)
    if number is None:
        return [*listed, reported]
    current = listed[number]
    has_changed = current.sid == reported.sid and current.status != reported.status
    if has_changed and _is_outdated(reported, current):
        return list(listed)
    receipts = list(listed)
    receipts[number] = replace(reported, sid=current.sid)
    return receipts


def failure(receipts: Sequence[Receipt]) -> Failure | None:
    """Return how many recipients did not get the message; None if no failure is known."""
    failed = [receipt for receipt in receipts if receipt.has_failed]
    if not failed:
        return None
    codes = filter(None, (receipt.code for receipt in failed))
    return Failure(next(codes, 0), len(failed), len(receipts))


def failure_in(summary: Mapping[str, Any] | None) -> Failure:
    """Return the failure that Twilio's summary describes, if its receipts are unknown."""
    total = _counts(summary).get("total")
    recipients = total if isinstance(total, int) and total > 0 else 1
    is_partial = recipients > 1 and not _is_all(summary, LOST)
    return Failure(0, 1 if is_partial else recipients, recipients)


def has_reached_all(summary: Mapping[str, Any] | None) -> bool:
    """Return whether all recipients have the message, by Twilio's summary."""
    return _is_all(summary, ARRIVED)


def state_of(summary: Mapping[str, Any] | None) -> str | None:
    """Return the worst state in Twilio's summary of receipts; None if it has none.

    A summary is `{"sent": "all", "failed": "none", ...}`.
    """
    counts = _counts(summary)
    states = (state for state in _WORST_FIRST if counts.get(state) not in _NO_RECIPIENT)
    return next(states, None)


def _counts(summary: object) -> Mapping[str, Any]:
    return summary if isinstance(summary, Mapping) else {}


def _is_all(summary: object, states: tuple[str, ...]) -> bool:
    """Return whether one of these states is that of all recipients."""
    return "all" in map(_counts(summary).get, states)


def reason(failure: Failure) -> str:
    """Return the reason in one or two sentences for a worker."""
    why = _why(failure.code)
    if not failure.is_partial:
        return why
    return f"{failure.failed} of {failure.recipients} did not get it. {why}"


def link(code: int) -> str | None:
    """Return the page of Twilio about a code that has no sentence here; else None."""
    return f"{_DOCUMENTED}{code}" if code and code not in SENTENCES else None


def _why(code: int) -> str:
    if code == 0:
        return _UNKNOWN
    return SENTENCES.get(code, f"Twilio reports error {code}.")


def _number_of(listed: Sequence[Receipt], reported: Receipt) -> int | None:
    """Return the position of the listed receipt that the report is about."""
    sids = [receipt.sid for receipt in listed]
    if reported.sid and reported.sid in sids:
        return sids.index(reported.sid)
    participants = [receipt.participant_sid for receipt in listed]
    if reported.participant_sid and reported.participant_sid in participants:
        return participants.index(reported.participant_sid)
    return 0 if len(listed) == 1 else None


def _is_outdated(reported: Receipt, listed: Receipt) -> bool:
    """Return whether the report is older than the list, which has whole seconds."""
    if reported.at is None or listed.at is None:
        return False
    return reported.at.replace(microsecond=0) <= listed.at
