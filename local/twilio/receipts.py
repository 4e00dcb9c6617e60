"""What became of a message on its way to people's phones: the steps of a receipt for each, and the events about them.

Carriers report, so the events go out however the message was sent, and after the answer to its sender: a message has
no receipt until the first report. The caller holds the account's lock.
https://www.twilio.com/docs/conversations/delivery-receipts
"""

from __future__ import annotations

from dataclasses import dataclass

from local.twilio import contents, events, opt_outs
from local.twilio.account import Account
from local.twilio.errors import ApiError
from local.twilio.events import Event
from local.twilio.records import (
    Conversation,
    Message,
    Participant,
    Receipt,
    address_type,
    new_sid,
)

SENT, DELIVERED, READ, FAILED, UNDELIVERED = (
    "sent",
    "delivered",
    "read",
    "failed",
    "undelivered",
)
STATUSES = (SENT, DELIVERED, READ, FAILED, UNDELIVERED)
LONGEST_TEXT = 1600  # characters, of an SMS or a WhatsApp message
TOO_LONG = 21617


@dataclass(frozen=True)
class Step:
    """One report about one recipient."""

    participant_sid: str
    address: str
    status: str
    code: int = 0


def steps(account: Account, conversation: Conversation, message: Message) -> list[Step]:
    """Every report that carriers will make about a message, for each participant who gets it by a channel."""
    return [
        Step(one.sid, one.address, status, code)
        for one in _recipients(conversation, message)
        if one.address
        for status, code in _way(*_fate(account, message, one))
    ]


def advance(
    account: Account, conversation: Conversation, message: Message, step: Step
) -> Event:
    """Makes the recipient's receipt, or changes it."""
    receipt = next(
        (
            one
            for one in message.receipts
            if one.participant_sid == step.participant_sid
        ),
        None,
    )
    if receipt is None:
        receipt = account.make(
            Receipt,
            conversation_sid=conversation.sid,
            message_sid=message.sid,
            participant_sid=step.participant_sid,
            channel_message_sid=new_sid(
                "SM" if address_type(step.address) == "sms" else "WA"
            ),
            status=step.status,
        )
        message.receipts.append(receipt)
    receipt.status, receipt.error_code, receipt.updated = (
        step.status,
        step.code,
        account.now(),
    )
    return events.delivery_updated(receipt, conversation)


def reported(
    conversation: Conversation, message_sid: str, status: str, code: int, to: str | None
) -> tuple[Message, list[Step]]:
    """Carriers report something new about a message: to everybody, or `to` one address."""
    if status not in STATUSES:
        raise ApiError(20001, f"no status {status}")
    message = next(
        (one for one in conversation.messages if one.sid == message_sid), None
    )
    if message is None:
        raise ApiError(20404, message_sid)
    recipients = [
        one for one in _recipients(conversation, message) if to in (None, one.address)
    ]
    return message, [
        Step(one.sid, one.address or "", status, code) for one in recipients
    ]


def summary(message: Message) -> dict[str, object] | None:
    """How many of the receipts came as far as that: none, some or all; None before the first report."""
    total = len(message.receipts)
    if not total:
        return None
    counts = {
        status: sum(_reached(one.status, status) for one in message.receipts)
        for status in STATUSES
    }
    words = {
        status: "none" if not n else "all" if n == total else "some"
        for status, n in counts.items()
    }
    return {"total": total, **words}


def _recipients(conversation: Conversation, message: Message) -> list[Participant]:
    people = conversation.participants.values()
    return [
        one
        for one in people
        if one.address is not None and message.author not in one.names
    ]


def _fate(
    account: Account, message: Message, recipient: Participant
) -> tuple[str, int]:
    """The last report: a block after STOP, what `undeliverable` says, a text that is too long, a closed window, else
    read or delivered."""
    address = recipient.address or ""
    kind = address_type(address)
    if opt_outs.is_blocked(account, recipient):
        return FAILED, opt_outs.CODE
    if address in account.undeliverable:
        return account.undeliverable[address]
    if kind in ("sms", "whatsapp") and len(message.body or "") > LONGEST_TEXT:
        return FAILED, TOO_LONG
    if refused := contents.refusal(account, message, recipient):
        return FAILED, refused
    return (READ if kind == "whatsapp" else DELIVERED), 0


def _way(status: str, code: int) -> list[tuple[str, int]]:
    """The reports until then; a message that failed was never sent."""
    before = {DELIVERED: (SENT,), READ: (SENT, DELIVERED), UNDELIVERED: (SENT,)}
    return [*((one, 0) for one in before.get(status, ())), (status, code)]


def _reached(now: str, status: str) -> bool:
    way = (SENT, DELIVERED, READ)
    if now in way and status in way:
        return way.index(now) >= way.index(status)
    return now == status or (status == SENT and now == UNDELIVERED)
