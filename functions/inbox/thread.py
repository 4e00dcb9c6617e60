"""GET conversations/SID/messages: the messages of a conversation, their senders and their deliveries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from domain import channels, delivery, json_text, opt_out, wordless
from domain.conversation import (
    ASSIGNED,
    ASSIGNING,
    CLOSED,
    CUSTOMER,
    INACTIVE,
    WORKER,
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
from functions.inbox import authority, colleagues, media
from functions.inbox.authority import Theirs
from functions.inbox.formats import channel_of, closed, iso
from functions.inbox.page import PAGE
from functions.inbox.twilio_results import ENDED, NO_RESPONSE, UNKNOWN_TO_TWILIO
from providers import clock, settings, windows
from providers import messages as at_twilio
from providers.twilio import Outcome, Result

_PAGE = 50
_MOST_NEW = 200  # messages in one answer; the page reads the rest as older ones
_TOKEN = re.compile(r"[!-~]{1,500}")  # opaque, made by Twilio
_LONGEST_INDEX = 15  # digits
_PAST_ALL = 10**_LONGEST_INDEX  # an index after all messages
_BOTS_FOR = 60.0  # seconds
_WORDS_FOR = 3600.0
_TO_DESCRIBE = 2.0  # seconds for all messages without words of one answer
_WITH_A_WORKER = (ASSIGNING, ASSIGNED, INACTIVE)


class _Slice(NamedTuple):
    """Messages of Twilio's, the newest first. `newest`: the newest ones that were read on the way.

    `page`: Twilio's token of the older ones.
    """

    messages: list[Any]
    newest: list[Any]
    is_more: bool
    page: str | None = None


def listed(visit: Visit, person: Person, sid: str) -> Answer:
    """Return the newest messages; `after=N`: those after message N; `before=N`: the ones before it; oldest first.

    `deliveries` reports what became of the newest messages since they were listed. `page`, a token of Twilio's, says
    where the older ones begin, so that the later ones need not be read again.
    """
    theirs = authority.readable(person, sid)
    conversation = theirs.conversation
    after, before = _index(visit, "after"), _index(visit, "before")
    is_opened = after is None and before is None
    access.note_thread(PAGE, person, theirs.worker, sid, is_opened)
    part = _part(conversation, after, before, _page_token(visit))
    media.note_files(conversation, part.messages)
    lost = {entry.message_sid: entry for entry in conversation.undelivered}
    with clock.within(_TO_DESCRIBE):
        messages = [shown(message, theirs, lost) for message in reversed(part.messages)]
    wrote_at = _customer_wrote_at(part.newest, conversation)
    return Answer(
        {
            "messages": messages,
            "deliveries": _deliveries(part.newest, lost),
            "more": part.is_more,
            "page": part.page,
            **rules(conversation, wrote_at),
        }
    )


def _part(
    conversation: Conversation,
    after: int | None,
    before: int | None,
    token: str | None,
) -> _Slice:
    """Read the messages from Twilio. Raises NotFound and TryAgain."""
    if before is not None:
        return _earlier(conversation, before, token)
    latest = _found_page(at_twilio.earlier(conversation, _PAST_ALL, _PAGE, None))
    newest, is_more = latest.messages, latest.is_more
    if after is None:
        return _Slice(newest, newest, is_more, latest.token)
    if newest and newest[-1].index > after + 1:  # the page has missed more than these
        all_new = _read(at_twilio.after(conversation, after, _MOST_NEW))
        return _Slice(all_new, all_new, is_more)
    unread = [message for message in newest if message.index > after]
    return _Slice(unread, newest, is_more)


def _earlier(conversation: Conversation, before: int, token: str | None) -> _Slice:
    """Read the messages before this index; without Twilio's token for them all later ones are read, too."""
    page = _found_page(at_twilio.earlier(conversation, before, _PAGE, token))
    return _Slice(page.messages, [], page.is_more, page.token)


def _found_page(result: Result) -> at_twilio.Page:
    """Return a page of Twilio's list. Raises NotFound, TryAgain, and BadInput for a token that Twilio doesn't know."""
    if result.outcome is Outcome.REFUSED:
        raise BadInput("page is not a token of this list.")
    _refuse_missing(result)
    page: at_twilio.Page = result.body
    return page


def _customer_wrote_at(
    messages: list[Any], conversation: Conversation
) -> datetime | None:
    """Return the time of the customer's latest message; None if none of them is the customer's."""
    times = [
        message.date_created
        for message in messages
        if _sender(message, conversation) == CUSTOMER
    ]
    return max(filter(None, times), default=None)


def _deliveries(
    messages: list[Any], lost: Mapping[str, Undelivered]
) -> list[dict[str, Any]]:
    """Return {index, delivery} for each message with a report."""
    reports = [(message.index, _delivery(message, lost)) for message in messages]
    return [
        {"index": index, "delivery": report}
        for index, report in reports
        if report is not None
    ]


def rules(
    conversation: Conversation, wrote_at: datetime | None = None
) -> dict[str, Any]:
    """Return what may be written in the conversation now. `write`: the sentence why nothing may, else None.

    `limit` is in characters, `largest_file` in bytes. `wrote_at`: when the customer wrote last, if Twilio was asked.
    """
    channel = channel_of(conversation)
    found = windows.of(conversation, wrote_at)
    return {
        "window": shown_window(found),
        "limit": channels.longest_text(channel),
        "files": list(channels.names_of_files(channel)),
        "largest_file": channels.LARGEST_FILE,
        "opted_out": iso(conversation.opted_out_at),
        "write": why_not(conversation) or why_nothing_arrives(found),
    }


def shown_window(found: Window | None) -> dict[str, Any] | None:
    """Return the window as the page takes it. `why`: the sentence that says what can be sent while it is closed."""
    if found is None:
        return None
    is_open = found.is_open(clock.now())
    return {
        "open": is_open,
        "until": iso(found.until),
        "why": None if is_open else found.why_closed,
    }


def why_nothing_arrives(found: Window | None) -> str | None:
    """Return the sentence for a closed window of a channel without templates, where nothing can be sent; else None."""
    shut = closed(found)
    return shut.why_closed if shut and not shut.takes_templates else None


def why_not(conversation: Conversation) -> str | None:
    """Return the sentence why nothing can be written in the conversation; None if something can."""
    if conversation.state == CLOSED:
        return ENDED
    if conversation.state not in _WITH_A_WORKER:
        return "This conversation is waiting for another worker."
    if conversation.opted_out_at is not None:
        return opt_out.sentence(conversation.opted_out_at)
    return None


def shown(
    message: Any, theirs: Theirs, lost: Mapping[str, Undelivered]
) -> dict[str, Any]:
    """Return one of Twilio's messages as the page takes it."""
    sender = _sender(message, theirs.conversation)
    is_customer = sender == CUSTOMER
    return {
        "index": message.index,
        "sid": message.sid,
        "at": iso(_utc(message.date_created)),
        "from": sender,
        "author": message.author,
        "name": _name(message, theirs, sender),
        **_words(message, sender, theirs.conversation),
        "media": [_file(file) for file in message.media or ()],
        "delivery": None if is_customer else _delivery(message, lost),
        "token": at_twilio.token_of(message),
    }


def _name(message: Any, theirs: Theirs, sender: str) -> str | None:
    """Return the name to show for the sender: display name or Twilio's author."""
    if sender == CUSTOMER and theirs.conversation.display_name:
        return theirs.conversation.display_name
    if message.author == theirs.worker.identity:
        return theirs.worker.name
    author: str | None = message.author
    return colleagues.name_of(author) if author and sender == WORKER else author


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file of a message; `size` is in bytes."""
    return {
        "sid": file.get("sid"),
        "type": file.get("content_type"),
        "name": file.get("filename"),
        "size": file.get("size"),
    }


def _words(message: Any, sender: str, conversation: Conversation) -> dict[str, Any]:
    """Return the text. `described`: the message has neither text nor file; the words describe it."""
    if message.body or message.media:
        return {"body": message.body, "described": False}
    if sender != CUSTOMER:
        return {"body": wordless.TEMPLATE, "described": True}
    words = _description(message, conversation) or wordless.UNKNOWN
    return {"body": words, "described": True}


def _description(message: Any, conversation: Conversation) -> str | None:
    """Ask Twilio what the message is, unless the record says that it is a location. None if Twilio doesn't say."""
    last = conversation.last_message
    if last and (last.index, last.text) == (message.index, wordless.LOCATION):
        return wordless.LOCATION
    key = ("words", conversation.sid, message.sid)
    return cache.get(
        key, _WORDS_FOR, lambda: at_twilio.what_it_is(conversation, message.sid)
    )


def _delivery(message: Any, lost: Mapping[str, Undelivered]) -> dict[str, Any] | None:
    """Return what became of a message; None if there is no report.

    `again`: whether it can be sent again without reaching a recipient twice.
    """
    report = lost.get(message.sid)
    state = delivery.state_of(message.delivery)
    if report is not None and state not in (delivery.FAILED, *delivery.ARRIVED):
        state = delivery.UNDELIVERED
    if state is None:
        return None
    if state not in delivery.LOST:
        return {"state": state, "reason": None}
    failure = delivery.failure_in(message.delivery)
    if report is not None:
        failure = Failure(report.code, report.failed, report.recipients)
    return {
        "state": state,
        "reason": delivery.reason(failure),
        "link": delivery.link(failure.code),
        "again": not failure.is_partial,
    }


def can_be_sent_again(message: Any, conversation: Conversation) -> bool:
    """Return whether a message of a worker reached no recipient at all."""
    lost = {entry.message_sid: entry for entry in conversation.undelivered}
    if _sender(message, conversation) == CUSTOMER:
        return False
    report = _delivery(message, lost)
    return report is not None and report.get("again") is True


def _sender(message: Any, conversation: Conversation) -> str:
    """Return the sender; an author who has left the conversation counts as a worker, unless it is a bot."""
    attributes = _attributes(message.attributes)
    written = Message(
        message.index, message.date_created, message.author or "", attributes=attributes
    )
    return sender_of(written, conversation) or stranger(written.author, _bots())


def _bots() -> tuple[str, ...]:
    """Return the bots of the settings, cached for a minute."""
    return cache.get(("bots",), _BOTS_FOR, lambda: settings.load().bots)


def _attributes(text: str | None) -> Mapping[str, Any]:
    """Return the message's attributes; empty if they are not a JSON object."""
    try:
        attributes = json_text.parsed(text or "{}", json_text.MOST_ATTRIBUTES)
    except ValueError:
        return {}
    return attributes if isinstance(attributes, dict) else {}


def _utc(moment: datetime | None) -> datetime | None:
    """Return a time of Twilio's, which is UTC even if it doesn't say so; None stays None."""
    if moment is None or moment.tzinfo:
        return moment
    return moment.replace(tzinfo=UTC)


def _read(result: Result) -> list[Any]:
    """Return the messages that Twilio has listed. Raises NotFound and TryAgain."""
    _refuse_missing(result)
    return list(result.body)


def _refuse_missing(result: Result) -> None:
    """Raise NotFound or TryAgain for a list that Twilio has not returned."""
    if result.outcome is Outcome.DONE:
        return
    if result.outcome in (Outcome.MISSING, Outcome.GONE):
        raise NotFound(UNKNOWN_TO_TWILIO)
    raise TryAgain(NO_RESPONSE)


def _page_token(visit: Visit) -> str | None:
    """Return Twilio's token in the parameter `page`. Raises BadInput."""
    token = visit.request.args.get("page")
    if token is not None and not _TOKEN.fullmatch(token):
        raise BadInput("page is not a token of this list.")
    return token


def _index(visit: Visit, name: str) -> int | None:
    """Return a parameter that is a message's index. Raises BadInput."""
    value = visit.request.args.get(name)
    if value is None:
        return None
    if name == "after" and value == "-1":  # all messages
        return -1
    if not value.isdecimal() or len(value) > _LONGEST_INDEX:
        raise BadInput(f"{name} must be the index of a message.")
    return int(value)
