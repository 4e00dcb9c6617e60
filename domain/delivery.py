"""What became of a message on its way to its recipients, and how that is said.

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
_UNKNOWN = "The customer's network did not say why."
_DOCUMENTED = "https://www.twilio.com/docs/api/errors/"


@dataclass(frozen=True)
class Receipt:
    """How far a message came on its way to one recipient, and when that was known."""

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
    """A message's receipts as Twilio lists them, with one that was reported: the later of the two counts."""
    number = _number_of(listed, reported)
    if number is None:
        return [*listed, reported]
    there = listed[number]
    has_changed = there.sid == reported.sid and there.status != reported.status
    if has_changed and _is_outdated(reported, there):
        return list(listed)
    return [*listed[:number], replace(reported, sid=there.sid), *listed[number + 1 :]]


def failure(receipts: Sequence[Receipt]) -> Failure | None:
    """Count the recipients without the message; None for none, as far as is known."""
    failed = [one for one in receipts if one.has_failed]
    if not failed:
        return None
    code = next((one.code for one in failed if one.code), 0)
    return Failure(code, len(failed), len(receipts))


def failure_in(summary: Mapping[str, Any] | None) -> Failure:
    """What Twilio's summary says of a failure whose receipts were not read."""
    counted = summary if isinstance(summary, Mapping) else {}
    total = counted.get("total")
    recipients = total if isinstance(total, int) and total > 0 else 1
    is_partial = recipients > 1 and not any(
        counted.get(state) == "all" for state in LOST
    )
    return Failure(0, 1 if is_partial else recipients, recipients)


def has_reached_all(summary: Mapping[str, Any] | None) -> bool:
    """Whether Twilio's summary says that the message arrived everywhere."""
    counted = summary if isinstance(summary, Mapping) else {}
    return any(counted.get(state) == "all" for state in ARRIVED)


def state_of(summary: Mapping[str, Any] | None) -> str | None:
    """What Twilio's summary of receipts comes to: `{"sent": "all", "failed": "none", ...}`; None: nothing is known."""
    counted = summary if isinstance(summary, Mapping) else {}
    return next(
        (state for state in _WORST_FIRST if counted.get(state) not in (None, "none")),
        None,
    )


def reason(failure: Failure) -> str:
    """One or two sentences for a worker."""
    why = _why(failure.code)
    if not failure.is_partial:
        return why
    return f"{failure.failed} of {failure.recipients} did not get it. {why}"


def link(code: int) -> str | None:
    """Where Twilio explains a code for which there is no sentence here."""
    return f"{_DOCUMENTED}{code}" if code and code not in SENTENCES else None


def _why(code: int) -> str:
    if code == 0:
        return _UNKNOWN
    return SENTENCES.get(code) or f"Twilio reports error {code}."


def _number_of(listed: Sequence[Receipt], reported: Receipt) -> int | None:
    """Which of the listed receipts the report is about."""
    for number, one in enumerate(listed):
        if reported.sid and one.sid == reported.sid:
            return number
    for number, one in enumerate(listed):
        if reported.participant_sid and one.participant_sid == reported.participant_sid:
            return number
    return 0 if len(listed) == 1 else None


def _is_outdated(reported: Receipt, listed: Receipt) -> bool:
    """Whether the report is older than the list, which gives whole seconds."""
    if reported.at is None or listed.at is None:
        return False
    return reported.at.replace(microsecond=0) <= listed.at
