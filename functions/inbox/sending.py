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

from domain import channels
from domain.addresses import channel
from domain.conversation import Conversation
from domain.worker import Worker
from functions.door.answers import Answer, BadInput, Impossible, NotFound, TooLarge, TryAgain, UnderWay
from functions.door.webhook import Visit
from functions.inbox import asked, authority, messages, prepared, send_rate
from functions.inbox.asked import File, Message
from functions.inbox.session import Person
from providers import clock, log, outbox
from providers import messages as at_twilio
from providers.outbox import Entry
from providers.twilio import Outcome, Result

_UNKNOWN = (
    "It is not known yet whether Twilio has taken this message; it is looked for before it is sent again."
)
_UNDER_WAY = "This message is being sent just now."
_WAIT = 0.25  # seconds between looks at what another request comes to
_PATIENCE = 6.0  # seconds to wait for it
_LOOKS = (0.0, 0.5, 1.0)  # seconds before each look for a message whose answer was lost


def message(visit: Visit, person: Person, sid: str) -> Answer:
    wanted = asked.read(visit, Message, with_a_file=True)
    if sum(one is not None for one in (wanted.body, wanted.template, wanted.media)) != 1:
        raise BadInput("A message is one of body, template and media.")
    theirs = authority.theirs(person, sid, outbox.reference(sid, wanted.token))
    entry = outbox.of(theirs.more[0])
    if entry.is_sent:
        return _answer(entry, 200)
    return once(theirs.worker, theirs.conversation, wanted, entry)


def once(worker: Worker, conversation: Conversation, wanted: Message, entry: Entry) -> Answer:
    """Sends it, unless it is sent already. `entry`: what the outbox says of it."""
    if entry.is_claimed(clock.now()):
        return _others(conversation.sid, wanted.token)
    if entry.exists and (sent := _looked_for(conversation, entry)) is not None:
        return _answer(sent, 200)
    refuse_what_cannot_be_sent(conversation, wanted)
    send_rate.count_one(worker.identity)
    content = _content(worker, conversation, wanted)
    claimed = outbox.claim(entry, conversation.sid, wanted.token, worker.identity)
    if claimed is None:
        return _others(conversation.sid, wanted.token)
    if entry.exists and (sent := _looked_for(conversation, claimed)) is not None:
        return _answer(sent, 200)
    return _sent(worker, conversation, claimed, content)


def refuse_what_cannot_be_sent(conversation: Conversation, wanted: Message) -> None:
    """Raises Impossible or TooLarge."""
    if (why := messages.why_not(conversation)) is not None:
        raise Impossible(why)
    window = messages.rules(conversation)["window"]
    if window is not None and not window["open"] and wanted.template is None:
        raise Impossible(
            "More than 24 hours have passed since the customer last wrote: WhatsApp takes approved templates only."
        )
    refuse_long(channel(conversation.address or ""), wanted.body or "")


def refuse_long(name: str, text: str) -> None:
    most = channels.longest_text(name)
    if channels.length_of(text) > most:
        raise TooLarge(f"The text is longer than the {most} characters that can be sent at once.")


def _content(worker: Worker, conversation: Conversation, wanted: Message) -> Mapping[str, str]:
    if wanted.body is not None:
        if not wanted.body.strip():
            raise BadInput("The message is empty.")
        return {"body": wanted.body}
    if wanted.template is not None:
        is_open = (messages.rules(conversation)["window"] or {"open": True})["open"]
        text = prepared.text(worker, conversation, wanted.template, approved_only=not is_open)
        refuse_long(channel(conversation.address or ""), text)
        return {"body": text}
    assert wanted.media is not None  # noqa: S101 - one of the three, as was looked at
    return {"media_sid": _uploaded(conversation, wanted.media)}


def _uploaded(conversation: Conversation, file: File) -> str:
    kinds = channels.files(channel(conversation.address or ""))
    if file.type not in kinds:
        raise Impossible(f"A file of the type {file.type or 'unknown'} cannot be sent on this channel.")
    content = file.content()
    if len(content) > channels.LARGEST_FILE:
        raise TooLarge(
            f"The file is larger than the {channels.LARGEST_FILE // 1_000_000} MB that can be sent."
        )
    service = at_twilio.service_of(conversation)
    if service is None:
        raise TryAgain("Twilio does not answer just now; try again in a moment.")
    result = at_twilio.upload(service, file.name, file.type, content)
    if result.outcome is not Outcome.DONE:
        raise _problem(result)
    return str(result.body)


def _sent(worker: Worker, conversation: Conversation, claimed: Entry, content: Mapping[str, str]) -> Answer:
    result = at_twilio.send(conversation, worker.identity, claimed.token, content)
    if result.outcome is Outcome.DONE:
        return _answer(_written(claimed, result.body.index, result.body.sid), 201)
    log.warning(
        f"A message was not sent: {result.why}", conversation=conversation.sid, worker=worker.identity
    )
    if not result.is_unsure:
        outbox.release(claimed)
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
    return _written(claimed, result.body.index, result.body.sid) if result.body else None


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
        return Impossible("This conversation has ended; the customer begins another one by writing again.")
    if result.outcome is Outcome.MISSING:
        return NotFound("Twilio does not know this conversation any more.")
    return Impossible(f"It was not sent. {result.why}")
