"""Twilio's own opt-out: after a word such as STOP by SMS nothing more reaches that number from ours, until START.

Per pair of numbers, and for SMS only; the message itself arrives like any other. A later message is accepted, and its
receipt says failed, 21610. https://www.twilio.com/docs/api/errors/21610
"""

from __future__ import annotations

from collections.abc import Iterable

from local.twilio.account import Account
from local.twilio.records import Participant, address_type

CODE = 21610
_STOPS = frozenset(
    ("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT")
)
_LIFTS = frozenset(("START", "YES", "UNSTOP"))


def hear(
    account: Account, customer: str, ours: Iterable[str], body: str | None
) -> None:
    """Notes what a customer's message means for the pairs of numbers that it goes between."""
    word = (body or "").strip().upper()
    if address_type(customer) != "sms":
        return
    pairs = {(customer, number) for number in ours}
    if word in _STOPS:
        account.opted_out |= pairs
    elif word in _LIFTS:
        account.opted_out -= pairs


def is_blocked(account: Account, participant: Participant) -> bool:
    """Whether Twilio refuses to send to this participant."""
    return (
        participant.address or "",
        participant.proxy_address or "",
    ) in account.opted_out
