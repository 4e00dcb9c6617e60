"""POST conversations/SID/messages: sends one message to the customer, once, despite lost answers and double taps.

The page makes a token for each message, and repeats the request with the same token until it is answered. The order of
the steps, and what each interleaving leads to, is in docs/decisions/0009-sent-once.md:

    look        outbox/{SID}-{token}: sent already: repeat the answer; being sent: wait for the result
    look        only if it was claimed before: does Twilio have a message with this token?
    refuse      what cannot be sent; upload a file
    claim       the record, by compare-and-set, with a lease: one of several requests sends, the others wait for it
    send        one try; if the answer is lost, the message is looked for, not sent again
    write       the result
"""

from __future__ import annotations

from collections.abc import Mapping

from assignment import opting_out
from domain import channels, opt_out
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
from functions.inbox import (
    authority,
    send_rate,
    templates,
    thread,
    twilio_results,
)
from functions.inbox.formats import channel_of, closed
from functions.inbox.requests import File, Message
from providers import clock, contents, conversations, log, outbox, windows
from providers import messages as at_twilio
from providers.outbox import Entry
from providers.twilio import Outcome, Result

_UNKNOWN = "It is not known yet whether Twilio accepted this message. We check that before we send it again."
_NOT_SENT = "The message was not sent."
_ANOTHER_CONTENT = "Another message was sent under this token. Please write it again."
_UNDER_WAY = "This message is being sent."
_WAIT = 0.25  # seconds between looks at the result of another request
_PATIENCE = 6.0  # seconds to wait for it
_LOOKS = (0.0, 0.5, 1.0)  # seconds before each look for a message with a lost answer
_MEGABYTE = 1_000_000


def message(visit: Visit, person: Person, sid: str) -> Answer:
    """POST messages: 201 with {index, sid}, or 200 if the message was sent already."""
    body = requests.read(visit, Message, requests.OF_A_FILE)
    if [body.body, body.template, body.media, body.again].count(None) != 3:
        raise BadInput(
            "A message is one of body, template and media, or again with the SID of an undelivered message."
        )
    theirs = authority.theirs(person, sid, outbox.reference(sid, body.token))
    entry = outbox.of(theirs.more[0])
    return once(theirs.worker, theirs.conversation, body, entry)


def once(
    worker: Worker, conversation: Conversation, message: Message, entry: Entry
) -> Answer:
    """Send the message, unless it is sent already. `entry`: its record in the outbox.

    Raises Impossible if the token stands for another message.
    """
    refuse_another_content(entry, message.digest)
    if entry.is_sent:
        return _answer(entry, 200)
    if entry.is_claimed(clock.now()):
        return _result_of_another(conversation.sid, message)
    if (sent := _sent_before(conversation, entry, entry)) is not None:
        return _answer(sent, 200)
    refuse_what_cannot_be_sent(conversation, message)
    window = windows.of(conversation)
    refuse_outside_window(window, message.template)
    send_rate.count_one(worker.identity)
    content = _content(worker, conversation, message, window)
    if message.media is not None:
        conversation = _after_upload(worker, conversation, message)
    claimed = outbox.claim(
        entry, conversation.sid, message.token, worker.identity, message.digest
    )
    if claimed is None:
        return _result_of_another(conversation.sid, message)
    if (sent := _sent_before(conversation, entry, claimed)) is not None:
        return _answer(sent, 200)
    return _sent(worker, conversation, claimed, content)


def refuse_another_content(entry: Entry, digest: str) -> None:
    """Raise Impossible if the token was first used for other content: a token belongs to one address and one text."""
    if not entry.is_for(digest):
        raise Impossible(_ANOTHER_CONTENT)


def refuse_what_cannot_be_sent(conversation: Conversation, message: Message) -> None:
    """Raise Impossible or TooLarge."""
    if (why := thread.why_not(conversation)) is not None:
        raise Impossible(why)
    refuse_long(channel_of(conversation), message.body or "")


def refuse_outside_window(window: Window | None, template: str | None) -> None:
    """Raise Impossible for a message that does not reach the customer while the window is closed."""
    shut = closed(window)
    if shut and (template is None or not shut.takes_templates):
        raise Impossible(shut.why_closed)


def refuse_long(name: str, text: str) -> None:
    """Raise TooLarge for a text that is too long for the channel `name`."""
    limit = channels.longest_text(name)
    if channels.length_of(text) > limit:
        raise TooLarge(
            f"The text is too long: up to {limit} characters can be sent at once."
        )


def _content(
    worker: Worker, conversation: Conversation, message: Message, window: Window | None
) -> Mapping[str, str]:
    """Return what Twilio is sent. Raises BadInput, Impossible, TooLarge and TryAgain."""
    if message.media is not None:
        return {"media_sid": _uploaded(conversation, message.media)}
    if message.again is not None:
        return _undelivered(conversation, message.again)
    if message.template is None:
        text = message.body or ""
        if not text.strip():
            raise BadInput("The message is empty.")
        return {"body": text}
    content = templates.content(worker, conversation, message.template, window)
    refuse_long(channel_of(conversation), content.get("body", ""))
    return content


def _undelivered(conversation: Conversation, message_sid: str) -> Mapping[str, str]:
    """Return the content of a worker's message that reached no recipient. Raises Impossible and TryAgain."""
    result = at_twilio.one(conversation, message_sid)
    if result.outcome is Outcome.RETRY:
        raise TryAgain(twilio_results.NO_RESPONSE)
    if result.outcome is not Outcome.DONE:
        raise Impossible("Twilio no longer has this message.")
    if not thread.can_be_sent_again(result.body, conversation):
        raise Impossible("This message was not reported as undelivered.")
    if result.body.media:
        return {"media_sid": str(result.body.media[0]["sid"])}
    if not (result.body.body or "").strip():
        raise Impossible("This message has no text. Choose its template again.")
    return {"body": result.body.body}


def _uploaded(conversation: Conversation, file: File) -> str:
    """Upload a file and return its SID. Raises Impossible, TooLarge and TryAgain."""
    kind = channels.kind_of(file.type)
    why = channels.why_not_file(channel_of(conversation), kind)
    if why is not None:
        raise Impossible(why)
    content = file.content()
    if len(content) > channels.LARGEST_FILE:
        limit = channels.LARGEST_FILE // _MEGABYTE
        raise TooLarge(f"The file is too large: up to {limit} MB can be sent.")
    service = twilio_results.service_of(conversation)
    result = at_twilio.upload(service, file.name, kind, content)
    if result.outcome is not Outcome.DONE:
        raise twilio_results.problem(result, _NOT_SENT)
    return str(result.body)


def _after_upload(
    worker: Worker, conversation: Conversation, message: Message
) -> Conversation:
    """Read the conversation again: an upload takes seconds, and it may have been handed over meanwhile.

    Raises NotFound for another worker's, and whatever refuses any message.
    """
    current = conversations.load(conversation.sid)
    if not authority.is_theirs(current, worker.identity):
        raise NotFound("You no longer have this conversation. The file was not sent.")
    refuse_what_cannot_be_sent(current, message)
    return current


def _sent(
    worker: Worker,
    conversation: Conversation,
    claimed: Entry,
    content: Mapping[str, str],
) -> Answer:
    """Send the claimed message.

    Raises Impossible or NotFound for what Twilio refuses, and TryAgain if the result is unknown.
    """
    result = at_twilio.send(conversation, worker.identity, claimed.token, content)
    if result.outcome is Outcome.DONE:
        sent = outbox.sent(claimed, result.body.index, result.body.sid)
        return _answer(sent, 201)
    log.warning(
        f"A message was not sent: {result.why}",
        conversation=conversation.sid,
        worker=worker.identity,
    )
    if result.code == opt_out.CODE:
        opting_out.note_refused(conversation.sid)
    if not result.is_unsure:
        _give_up(claimed, content, result)
    return _looked_for_again(conversation, claimed)


def _give_up(claimed: Entry, content: Mapping[str, str], result: Result) -> None:
    """Release the claim, and raise what Twilio refused as a sentence for the worker."""
    outbox.release(claimed)
    content_sid = content.get("content_sid")
    if content_sid and result.outcome is Outcome.REFUSED:
        contents.refresh(content_sid)
    raise twilio_results.problem(result, _NOT_SENT)


def _looked_for_again(conversation: Conversation, claimed: Entry) -> Answer:
    """Look for a message with a lost answer; Twilio lists it a moment later. Raises TryAgain if it isn't found."""
    for pause in _LOOKS:
        clock.wait(pause)
        if (sent := _looked_for(conversation, claimed)) is not None:
            return _answer(sent, 201)
    outbox.shorten(claimed)
    raise TryAgain(_UNKNOWN)


def _sent_before(
    conversation: Conversation, entry: Entry, claimed: Entry
) -> Entry | None:
    """Return the result of an earlier try, if there was one: `entry` says so, `claimed` is where it is written."""
    return _looked_for(conversation, claimed) if entry.exists else None


def _looked_for(conversation: Conversation, claimed: Entry) -> Entry | None:
    """Look for the message at Twilio and write the result down; None if it isn't there. Raises TryAgain if unknown.

    If the write fails, the next try finds the message at Twilio.
    """
    result = at_twilio.with_token(conversation, claimed.token)
    if result.outcome is not Outcome.DONE:
        raise TryAgain(_UNKNOWN)
    if not result.body:
        return None
    return outbox.sent(claimed, result.body.index, result.body.sid)


def _result_of_another(sid: str, message: Message) -> Answer:
    """Wait for the request that is sending this message; its result answers both. Raises UnderWay and Impossible."""
    waited = 0.0
    while waited < _PATIENCE and not clock.is_time_over(1.0):
        clock.wait(_WAIT)
        waited += _WAIT
        entry = outbox.load(sid, message.token)
        refuse_another_content(entry, message.digest)
        if entry.is_sent:
            return _answer(entry, 200)
        if not entry.is_claimed(clock.now()):
            break
    raise UnderWay(_UNDER_WAY)


def _answer(entry: Entry, status: int) -> Answer:
    """Return the message's index and SID; 201 for a message that this request sent, else 200."""
    return Answer({"index": entry.index, "sid": entry.message_sid}, status)
