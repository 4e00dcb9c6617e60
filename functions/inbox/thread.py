"""GET conversations/SID/messages: what was written, by whom, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain import addresses, channels, delivery, json_text, opt_out, window, wordless
from domain.conversation import (
    ASSIGNED,
    ASSIGNING,
    CLOSED,
    CUSTOMER,
    INACTIVE,
    Conversation,
    Undelivered,
)
from domain.delivery import Failure
from domain.messages import Message, sender_of, stranger
from domain.window import Window
from functions.http import access, cache
from functions.http.answers import Answer, BadInput, NotFound, TryAgain
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority
from functions.inbox.authority import Theirs
from functions.inbox.page import PAGE
from providers import clock, settings, windows
from providers import messages as at_twilio
from providers.twilio import Outcome, Result

_PAGE = 50
_MOST_NEW = 200  # messages in one answer; more than that since the last look are read as older ones
_BOTS_FOR = 60.0  # seconds
_WORDS_FOR = 3600.0
_TO_DESCRIBE = 2.0  # seconds for all messages without words of one answer
_ON = (ASSIGNING, ASSIGNED, INACTIVE)


def listed(visit: Visit, person: Person, sid: str) -> Answer:
    """`after=N`: what came after that message; `before=N`: older ones; neither: the newest. In order, the oldest first.

    `deliveries` says of the worker's newest messages what became of them since they were listed.
    """
    theirs = authority.theirs(person, sid)
    conversation = theirs.conversation
    after, before = (_index(visit, name) for name in ("after", "before"))
    is_opened = after is None and before is None
    access.note_thread(PAGE, person, theirs.worker, sid, is_opened)
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
    lost = {one.message_sid: one for one in conversation.undelivered}
    with clock.within(_TO_DESCRIBE):
        messages = [shown(one, theirs, lost) for one in reversed(found)]
    wrote = [
        one.date_created for one in newest if _sender(one, conversation) == CUSTOMER
    ]
    return Answer(
        {
            "messages": messages,
            "deliveries": [
                {"index": one.index, "delivery": told}
                for one in newest
                if (told := _delivery(one, lost)) is not None
            ],
            "more": is_more,
            **rules(conversation, max(filter(None, wrote), default=None)),
        }
    )


def rules(
    conversation: Conversation, wrote_at: datetime | None = None
) -> dict[str, Any]:
    """What may be written there now."""
    channel = addresses.channel(conversation.address or "")
    found = windows.of(conversation, wrote_at)
    return {
        "window": shown_window(found),
        "limit": channels.longest_text(channel),
        "files": list(channels.names_of_files(channel)),
        "largest_file": channels.LARGEST_FILE,
        "opted_out": conversation.opted_out_at.isoformat()
        if conversation.opted_out_at
        else None,
        "write": why_not(conversation) or why_nothing_arrives(found),
    }


def shown_window(found: Window | None) -> dict[str, Any] | None:
    """The window as the page takes it; `why`: the sentence that says what may be sent while it is closed."""
    if found is None:
        return None
    is_open = found.is_open(clock.now())
    until = found.until.isoformat() if found.until else None
    return {
        "open": is_open,
        "until": until,
        "why": None if is_open else found.why_closed,
    }


def why_nothing_arrives(found: Window | None) -> str | None:
    """Why not even a template can be sent: the window of a channel without templates is closed."""
    if (
        found is None
        or found.takes_templates
        or not window.is_closed(found, clock.now())
    ):
        return None
    return found.why_closed


def why_not(conversation: Conversation) -> str | None:
    """Why nothing can be written there, in one sentence; None: something can."""
    if conversation.state == CLOSED:
        return "This conversation has ended; the customer begins another one by writing again."
    if conversation.state not in _ON:
        return "This conversation waits for somebody else now."
    if conversation.opted_out_at is not None:
        return opt_out.sentence(conversation.opted_out_at)
    return None


def shown(
    message: Any, theirs: Theirs, lost: Mapping[str, Undelivered]
) -> dict[str, Any]:
    """One message of Twilio's as the page takes it."""
    conversation = theirs.conversation
    sender = _sender(message, conversation)
    is_customer = sender == CUSTOMER
    name = (
        theirs.worker.name
        if message.author == theirs.worker.identity
        else message.author
    )
    return {
        "index": message.index,
        "sid": message.sid,
        "at": _utc(message.date_created).isoformat() if message.date_created else None,
        "from": sender,
        "author": message.author,
        "name": (conversation.display_name or name) if is_customer else name,
        **_words(message, sender, conversation),
        "media": [
            {
                "sid": file.get("sid"),
                "type": file.get("content_type"),
                "name": file.get("filename"),
                "size": file.get("size"),
            }
            for file in message.media or ()
        ],
        "delivery": None if is_customer else _delivery(message, lost),
        "token": at_twilio.token_of(message),
    }


def _words(message: Any, sender: str, conversation: Conversation) -> dict[str, Any]:
    """The text. `described`: it has none, and no file; these words stand for it."""
    if message.body or message.media:
        return {"body": message.body, "described": False}
    if sender != CUSTOMER:
        return {"body": wordless.TEMPLATE, "described": True}
    last = conversation.last_message
    words = last.text if last is not None and last.index == message.index else ""
    if words != wordless.LOCATION:
        key = ("words", conversation.sid, message.sid)
        words = (
            cache.get(
                key, _WORDS_FOR, lambda: at_twilio.what_it_is(conversation, message.sid)
            )
            or ""
        )
    return {"body": words or wordless.UNKNOWN, "described": True}


def _delivery(message: Any, lost: Mapping[str, Undelivered]) -> dict[str, Any] | None:
    """What became of it. `again`: whether it may be sent again without reaching a recipient twice."""
    known = lost.get(message.sid)
    state = delivery.state_of(message.delivery)
    if known is not None and state not in (delivery.FAILED, *delivery.ARRIVED):
        state = delivery.UNDELIVERED
    if state is None:
        return None
    if state not in delivery.LOST:
        return {"state": state, "reason": None}
    failure = delivery.failure_in(message.delivery)
    if known is not None:
        failure = Failure(known.code, known.failed, known.recipients)
    link, again = delivery.link(failure.code), not failure.is_partial
    return {
        "state": state,
        "reason": delivery.reason(failure),
        "link": link,
        "again": again,
    }


def _sender(message: Any, conversation: Conversation) -> str:
    """From whom it is; somebody who has left the conversation meanwhile is a worker, unless it is one of the bots."""
    attributes = _attributes(message.attributes)
    told = Message(
        message.index, message.date_created, message.author or "", attributes=attributes
    )
    return sender_of(told, conversation) or stranger(told.author, _bots())


def _bots() -> tuple[str, ...]:
    return cache.get(("bots",), _BOTS_FOR, lambda: settings.load().bots)


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
