"""What became of a message on its way to people's phones: a receipt each, and the events that tell of it.

Carriers tell, so the events go out however the message was sent. The caller holds the account's lock.
"""

from __future__ import annotations

from local.twilio import contents, events, opt_outs
from local.twilio.account import Account
from local.twilio.errors import ApiError
from local.twilio.events import Event, Origin
from local.twilio.records import Conversation, Message, Receipt, address_type, new_sid

STATUSES = ("sent", "delivered", "read", "failed", "undelivered")
CARRIERS = Origin("SMS")


def send(account: Account, conversation: Conversation, message: Message) -> list[Event]:
    """Receipts of all who get the message by a channel: delivered, or failed outside the channel's window, or what
    `undeliverable` says."""
    made: list[Event] = []
    for one in conversation.participants.values():
        if one.address is None or message.author in one.names:
            continue
        refused = contents.refusal(account, message, one)
        status, code = ("failed", refused) if refused else ("delivered", 0)
        status, code = account.undeliverable.get(one.address, (status, code))
        if opt_outs.is_blocked(account, one):
            status, code = "failed", opt_outs.CODE
        receipt = account.make(
            Receipt,
            conversation_sid=conversation.sid,
            message_sid=message.sid,
            participant_sid=one.sid,
            channel_message_sid=new_sid("SM" if address_type(one.address) == "sms" else "WA"),
            status=status,
            error_code=code,
        )
        message.receipts.append(receipt)
        made.append(events.delivery_updated(receipt, conversation))
    return made


def update(
    account: Account, conversation: Conversation, message_sid: str, status: str, code: int
) -> list[Event]:
    """Carriers tell something new about a message."""
    if status not in STATUSES:
        raise ApiError(20001, f"no status {status}")
    message = next((one for one in conversation.messages if one.sid == message_sid), None)
    if message is None:
        raise ApiError(20404, message_sid)
    for receipt in message.receipts:
        receipt.status, receipt.error_code, receipt.updated = status, code, account.now()
    return [events.delivery_updated(one, conversation) for one in message.receipts]


def summary(message: Message) -> dict[str, object] | None:
    """How many of the receipts came as far as that: none, some or all."""
    total = len(message.receipts)
    if not total:
        return None
    counts = {status: sum(_reached(one.status, status) for one in message.receipts) for status in STATUSES}
    words = {status: "none" if not n else "all" if n == total else "some" for status, n in counts.items()}
    return {"total": total, **words}


def _reached(now: str, status: str) -> bool:
    way = ("sent", "delivered", "read")
    if now in way and status in way:
        return way.index(now) >= way.index(status)
    return now == status or status == "sent"
