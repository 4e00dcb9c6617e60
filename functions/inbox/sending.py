"""POST conversations/SID/messages: one message to the customer, sent once, whatever is lost or tapped twice.

The page calls each message by a token of its own making, and sends it again under the same one until it is answered.
The order here, and what each interleaving leads to, is in docs/decisions/0009-sent-once.md:

    look        outbox/{SID}-{token}: sent already: the same answer again; being sent: wait for what comes of it
    look        only where somebody had claimed it before: does Twilio have a message with this token?
    refuse      what cannot be sent; upload what is a file
    claim       the record, by compare-and-set, with a lease: one of several at once sends, the others wait for it
    send        one try; an answer that was lost is looked for, not asked for again
    write       what came of it
"""

from __future__ import annotations

from collections.abc import Mapping

from assignment import opting_out
from domain import channels, opt_out, window
from domain.addresses import channel
from domain.conversation import Conversation
from domain.window import Window
from domain.worker import Worker
from functions.http import requests
from functions.http.answers import (
    Answer,
    BadInput,
    Impossible,
    NotFound,
    TooLarge,
    TryAgain,
    UnderWay,
)
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority, send_rate, templates, thread
from functions.inbox.requests import File, Message
from providers import clock, contents, conversations, log, outbox, windows
from providers import messages as at_twilio
from providers.outbox import Entry
from providers.twilio import Outcome, Result

_UNKNOWN = "It is not known yet whether Twilio has taken this message; it is looked for before it is sent again."
_UNDER_WAY = "This message is being sent just now."
_WAIT = 0.25  # seconds between looks at what another request comes to
_PATIENCE = 6.0  # seconds to wait for it
_LOOKS = (0.0, 0.5, 1.0)  # seconds before each look for a message whose answer was lost


def message(visit: Visit, person: Person, sid: str) -> Answer:
    wanted = requests.read(visit, Message, with_a_file=True)
    if (
        sum(one is not None for one in (wanted.body, wanted.template, wanted.media))
        != 1
    ):
        raise BadInput("A message is one of body, template and media.")
    theirs = authority.theirs(person, sid, outbox.reference(sid, wanted.token))
    entry = outbox.of(theirs.more[0])
    if entry.is_sent:
        return _answer(entry, 200)
    return once(theirs.worker, theirs.conversation, wanted, entry)


def once(
    worker: Worker, conversation: Conversation, wanted: Message, entry: Entry
) -> Answer:
    """Sends it, unless it is sent already. `entry`: what the outbox says of it."""
    if entry.is_claimed(clock.now()):
        return _others(conversation.sid, wanted.token)
    if entry.exists and (sent := _looked_for(conversation, entry)) is not None:
        return _answer(sent, 200)
    refuse_what_cannot_be_sent(conversation, wanted)
    found = windows.of(conversation)
    refuse_outside_window(found, wanted.template)
    send_rate.count_one(worker.identity)
    content = _content(worker, conversation, wanted, found)
    if wanted.media is not None:
        conversation = _still_theirs(worker, conversation, wanted)
    claimed = outbox.claim(entry, conversation.sid, wanted.token, worker.identity)
    if claimed is None:
        return _others(conversation.sid, wanted.token)
    if entry.exists and (sent := _looked_for(conversation, claimed)) is not None:
        return _answer(sent, 200)
    return _sent(worker, conversation, claimed, content)


def refuse_what_cannot_be_sent(conversation: Conversation, wanted: Message) -> None:
    """Raises Impossible or TooLarge."""
    if (why := thread.why_not(conversation)) is not None:
        raise Impossible(why)
    refuse_long(channel(conversation.address or ""), wanted.body or "")


def refuse_outside_window(found: Window | None, template: str | None) -> None:
    """Raises Impossible for what does not reach the customer while the window is closed."""
    if found is None or not window.is_closed(found, clock.now()):
        return
    if template is None or not found.takes_templates:
        raise Impossible(found.why_closed)


def refuse_long(name: str, text: str) -> None:
    most = channels.longest_text(name)
    if channels.length_of(text) > most:
        raise TooLarge(
            f"The text is longer than the {most} characters that can be sent at once."
        )


def _content(
    worker: Worker, conversation: Conversation, wanted: Message, found: Window | None
) -> Mapping[str, str]:
    if wanted.body is not None:
        if not wanted.body.strip():
            raise BadInput("The message is empty.")
        return {"body": wanted.body}
    if wanted.template is not None:
        content = templates.content(worker, conversation, wanted.template, found)
        refuse_long(channel(conversation.address or ""), content.get("body", ""))
        return content
    assert wanted.media is not None  # noqa: S101 - one of the three, as was looked at
    return {"media_sid": _uploaded(conversation, wanted.media)}


def _uploaded(conversation: Conversation, file: File) -> str:
    kind = channels.kind_of(file.type)
    if (
        why := channels.why_not_file(channel(conversation.address or ""), kind)
    ) is not None:
        raise Impossible(why)
    content = file.content()
    if len(content) > channels.LARGEST_FILE:
        raise TooLarge(
            f"The file is larger than the {channels.LARGEST_FILE // 1_000_000} MB that can be sent."
        )
    service = at_twilio.service_of(conversation)
    if service is None:
        raise TryAgain("Twilio does not answer just now; try again in a moment.")
    result = at_twilio.upload(service, file.name, kind, content)
    if result.outcome is not Outcome.DONE:
        raise _problem(result)
    return str(result.body)


def _still_theirs(
    worker: Worker, conversation: Conversation, wanted: Message
) -> Conversation:
    """The conversation as it is after an upload, which takes seconds: it may have been handed over meanwhile.

    Raises NotFound for another worker's, and what refuses any message.
    """
    current = conversations.load(conversation.sid)
    if not authority.is_theirs(current, worker.identity):
        raise NotFound(
            "There is no such conversation with you any more; the file was not sent."
        )
    refuse_what_cannot_be_sent(current, wanted)
    return current


def _sent(
    worker: Worker,
    conversation: Conversation,
    claimed: Entry,
    content: Mapping[str, str],
) -> Answer:
    result = at_twilio.send(conversation, worker.identity, claimed.token, content)
    if result.outcome is Outcome.DONE:
        return _answer(_written(claimed, result.body.index, result.body.sid), 201)
    log.warning(
        f"A message was not sent: {result.why}",
        conversation=conversation.sid,
        worker=worker.identity,
    )
    if result.code == opt_out.CODE:
        opting_out.note_refused(conversation.sid)
    if not result.is_unsure:
        outbox.release(claimed)
        if result.outcome is Outcome.REFUSED and (
            content_sid := content.get("content_sid")
        ):
            contents.refresh(content_sid)
        raise _problem(result)
    for pause in _LOOKS:
        clock.wait(pause)
        if (sent := _looked_for(conversation, claimed)) is not None:
            return _answer(sent, 201)
    outbox.shorten(claimed)
    raise TryAgain(_UNKNOWN)


def _looked_for(conversation: Conversation, claimed: Entry) -> Entry | None:
    """What an earlier try came to, written down; None: Twilio does not have it. Raises TryAgain if it cannot tell."""
    result = at_twilio.with_token(conversation, claimed.token)
    if result.outcome is not Outcome.DONE:
        raise TryAgain(_UNKNOWN)
    return (
        _written(claimed, result.body.index, result.body.sid) if result.body else None
    )


def _written(claimed: Entry, index: int, message_sid: str) -> Entry:
    """Where this fails, the next try looks at Twilio and finds it there."""
    return outbox.sent(claimed, index, message_sid)


def _others(sid: str, token: str) -> Answer:
    """Somebody else is at it: what they come to is the answer to both."""
    waited = 0.0
    while waited < _PATIENCE and not clock.is_time_over(1.0):
        clock.wait(_WAIT)
        waited += _WAIT
        entry = outbox.load(sid, token)
        if entry.is_sent:
            return _answer(entry, 200)
        if not entry.is_claimed(clock.now()):
            break
    raise UnderWay(_UNDER_WAY)


def _answer(entry: Entry, status: int) -> Answer:
    return Answer({"index": entry.index, "sid": entry.message_sid}, status)


def _problem(result: Result) -> Exception:
    """What Twilio refuses, in a sentence for the worker."""
    if result.outcome is Outcome.RETRY:
        return TryAgain("Twilio does not answer just now; try again in a moment.")
    if result.outcome is Outcome.GONE:
        return Impossible(
            "This conversation has ended; the customer begins another one by writing again."
        )
    if result.outcome is Outcome.MISSING:
        return NotFound("Twilio does not know this conversation any more.")
    return Impossible(f"It was not sent. {result.why_for_worker}")
