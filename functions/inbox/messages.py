"""GET conversations/SID/messages: what was written, by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain import addresses, channels, delivery, json_text
from domain.conversation import ASSIGNED, ASSIGNING, CLOSED, CUSTOMER, INACTIVE, Conversation
from domain.messages import Message, sender_of, stranger
from functions.door.answers import Answer, BadInput, NotFound, TryAgain
from functions.door.webhook import Visit
from functions.inbox import authority, kept
from functions.inbox.authority import Theirs
from functions.inbox.session import Person
from providers import clock, settings
from providers import messages as at_twilio
from providers.twilio import Outcome, Result

_PAGE = 50
_MOST_NEW = 200  # messages in one answer; more than that since the last look are read as older ones
_BOTS_FOR = 60.0  # seconds
_ON = (ASSIGNING, ASSIGNED, INACTIVE)


def listed(visit: Visit, person: Person, sid: str) -> Answer:
    """`after=N`: what came after that message; `before=N`: older ones; neither: the newest. In order, the oldest first.

    `deliveries` says of the worker's newest messages what became of them since they were listed.
    """
    theirs = authority.theirs(person, sid)
    conversation = theirs.conversation
    after, before = (_index(visit, name) for name in ("after", "before"))
    newest: list[Any] = []
    if before is not None:
        found = _read(at_twilio.before(conversation, before, _PAGE + 1))
        is_more = len(found) > _PAGE
        found = found[:_PAGE]
    else:
        newest = _read(at_twilio.after(conversation, -1, _PAGE + 1))
        is_more = len(newest) > _PAGE
        found = newest[:_PAGE]
        if after is not None and newest and newest[-1].index > after + 1:
            newest = _read(at_twilio.after(conversation, after, _MOST_NEW))
            found = newest
        if after is not None:
            found = [one for one in found if one.index > after]
    reasons = {one.message_sid: one.code for one in conversation.undelivered}
    wrote = [one.date_created for one in newest if _sender(one, conversation) == CUSTOMER]
    return Answer(
        {
            "messages": [shown(one, theirs, reasons) for one in reversed(found)],
            "deliveries": [
                {"index": one.index, "delivery": told}
                for one in newest
                if (told := _delivery(one, reasons)) is not None
            ],
            "more": is_more,
            **rules(conversation, max(filter(None, wrote), default=None)),
        }
    )


def rules(conversation: Conversation, wrote_at: datetime | None = None) -> dict[str, Any]:
    """What may be written there now."""
    channel, now = addresses.channel(conversation.address or ""), clock.now()
    wrote_at = max(filter(None, (wrote_at, customer_wrote_at(conversation))), default=None)
    ends = channels.window_ends(channel, wrote_at)
    is_open = wrote_at is None or channels.is_open(channel, wrote_at, now)
    window = {"open": is_open, "until": ends.isoformat() if ends else None} if channel == "whatsapp" else None
    return {
        "window": window,
        "limit": channels.longest_text(channel),
        "files": list(channels.files(channel)),
        "largest_file": channels.LARGEST_FILE,
        "write": why_not(conversation),
    }


def why_not(conversation: Conversation) -> str | None:
    """Why nothing can be written there, in one sentence; None: something can."""
    if conversation.state == CLOSED:
        return "This conversation has ended; the customer begins another one by writing again."
    if conversation.state not in _ON:
        return "This conversation waits for somebody else now."
    return None


def customer_wrote_at(conversation: Conversation) -> datetime | None:
    """When the customer wrote last, as far as the record knows."""
    times = [one.at for one in conversation.heard if one.sender == CUSTOMER]
    last = conversation.last_message
    if last is not None and last.sender == CUSTOMER and last.at is not None:
        times.append(last.at)
    return max(times, default=conversation.awaiting_since)


def shown(message: Any, theirs: Theirs, reasons: Mapping[str, int]) -> dict[str, Any]:
    """One message of Twilio's as the page takes it."""
    conversation = theirs.conversation
    sender = _sender(message, conversation)
    is_customer = sender == CUSTOMER
    name = theirs.worker.name if message.author == theirs.worker.identity else message.author
    return {
        "index": message.index,
        "sid": message.sid,
        "at": _utc(message.date_created).isoformat() if message.date_created else None,
        "from": sender,
        "author": message.author,
        "name": (conversation.display_name or name) if is_customer else name,
        "body": message.body,
        "media": [
            {
                "sid": file.get("sid"),
                "type": file.get("content_type"),
                "name": file.get("filename"),
                "size": file.get("size"),
            }
            for file in message.media or ()
        ],
        "delivery": None if is_customer else _delivery(message, reasons),
        "token": at_twilio.token_of(message),
    }


def _delivery(message: Any, reasons: Mapping[str, int]) -> dict[str, Any] | None:
    code = reasons.get(message.sid)
    state = delivery.state_of(message.delivery)
    if code is not None and state not in (delivery.FAILED, delivery.READ, delivery.DELIVERED):
        state = delivery.UNDELIVERED
    if state is None:
        return None
    failed = state in (delivery.FAILED, delivery.UNDELIVERED)
    return {"state": state, "reason": delivery.reason(code or 0) if failed else None}


def _sender(message: Any, conversation: Conversation) -> str:
    """From whom it is; somebody who has left the conversation meanwhile is a worker, unless it is one of the bots."""
    attributes = _attributes(message.attributes)
    told = Message(message.index, message.date_created, message.author or "", attributes=attributes)
    return sender_of(told, conversation) or stranger(told.author, _bots())


def _bots() -> tuple[str, ...]:
    return kept.get(("bots",), _BOTS_FOR, lambda: settings.load().bots)


def _attributes(text: str | None) -> Mapping[str, Any]:
    try:
        found = json_text.parsed(text or "{}", json_text.MOST_ATTRIBUTES)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(result: Result) -> list[Any]:
    if result.outcome is Outcome.DONE:
        return list(result.body)
    if result.outcome in (Outcome.MISSING, Outcome.GONE):
        raise NotFound("Twilio does not know this conversation any more.")
    raise TryAgain("Twilio does not answer just now; try again in a moment.")


def _index(visit: Visit, name: str) -> int | None:
    value = visit.request.args.get(name)
    if value is None:
        return None
    if not value.isdecimal() or len(value) > 15:
        raise BadInput(f"{name} must be the index of a message.")
    return int(value)
