"""Sends one text, at most once per wait, despite repeated events and crashes.

It is written down first, then sent with a token, then written down as sent. An unfinished sending is looked up by its
token among the conversation's messages before a second try. The record is written by compare-and-set, so of several
events at once one goes on. Every crash and interleaving: docs/decisions/0007-texts.md.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from assignment import opting_out
from domain import opt_out, text_limits
from domain import sent_texts as rules
from domain.conversation import Conversation
from domain.sent_texts import Sending, SentTexts, Step
from domain.text_limits import HourCount
from functions.http.answers import Again
from providers import clock, contents, database, log, messages, sent_texts
from providers.twilio import Outcome, Result

_MARGIN = 1.0  # seconds that must be left to begin another try


@dataclass(frozen=True)
class Text:
    """A text to send.

    `wait`: see Sending. `content`: what Twilio is sent, as for messages.say. `is_still_so`: returns whether the text is
    still true, right before it is sent. `worker`: the worker that the text is about, if it is about one.
    """

    conversation: Conversation
    kind: str
    wait: datetime
    content: Mapping[str, str]
    count: HourCount
    is_still_so: Callable[[], bool]
    worker: str | None = None


def is_due(
    sent: SentTexts, kind: str, wait: datetime, worker: str | None = None
) -> bool:
    """Return whether there is anything to do; the answer holds until the record is written again."""
    current = sent.sendings.get(kind)
    step = rules.next_step(kind, current, wait, clock.now(), worker)
    return step is not Step.NOTHING


def send_once(text: Text, sent: SentTexts) -> None:
    """Send the text unless it was sent. Raises Again while its arrival is unknown, and while another event sends it."""
    noted = _begun(text, sent)
    if noted is None:
        return
    sid, token = text.conversation.sid, noted.sendings[text.kind].token
    if not text.is_still_so():
        why = "it is not true any more"
        log.info(f"the text {text.kind} is not sent: {why}", conversation=sid)
        return
    result = messages.say(text.conversation, token, text.content)
    if result.outcome is Outcome.RETRY:
        if not result.is_unsure:
            _let_go(noted, text.kind, token)
        raise Again(f"the text {text.kind}: {result.why}")
    if result.code == opt_out.CODE:
        opting_out.note_refused(sid)
    if result.outcome is not Outcome.DONE:
        _note_refusal(text, result)
        return
    _note_as_sent(noted, text.kind, token)
    log.info(f"the text {text.kind} is sent", conversation=sid)


def _note_refusal(text: Text, result: Result) -> None:
    """Log why Twilio refuses the text, and look again whether WhatsApp approves its template."""
    content_sid = text.content.get("content_sid")
    if content_sid and result.outcome is Outcome.REFUSED:
        contents.refresh(content_sid)
    level = log.error if result.outcome is Outcome.MISCONFIGURED else log.warning
    level(
        f"The text {text.kind} is not sent: {result.why}",
        conversation=text.conversation.sid,
    )


def _begun(text: Text, sent: SentTexts) -> SentTexts | None:
    """Write down that it is sent now; None: it was sent, or a limit is reached. Starts over after a lost race."""
    attempt = uuid.uuid4().hex
    while True:
        current = sent.sendings.get(text.kind)
        if current is not None and current.attempt == attempt:
            return sent  # this call's own commit, if its answer was lost
        step = rules.next_step(text.kind, current, text.wait, clock.now(), text.worker)
        if step is Step.NOTHING:
            return None
        if step is Step.LATER:
            raise Again(
                f"the text {text.kind} is being sent, or was when something stopped it"
            )
        try:
            if step is Step.LOOK and current is not None:
                return _sent_again(text, sent, current, attempt)
            return _first_sent(text, sent, step, attempt)
        except database.LostRace:
            if clock.is_time_over(_MARGIN):
                raise
            sent = sent_texts.load(sent.name)


def _first_sent(
    text: Text, sent: SentTexts, step: Step, attempt: str
) -> SentTexts | None:
    """Write down the sending; None if the customer or the pool has reached its limit. Raises database.LostRace."""
    now, current = clock.now(), sent.sendings.get(text.kind)
    workers = rules.workers_in(text.kind, current, text.wait, now, text.worker)
    token = f"{_name(text)} {text.wait.astimezone(UTC).isoformat()} {attempt}"
    begun = Sending(text.wait, token, attempt, now, workers=workers)
    if step is not Step.BEGIN:
        return sent_texts.write(sent, text.kind, begun)
    why = text_limits.reached(sent, text.count, clock.now())
    if why:
        log.warning(
            f"The text {text.kind} is not sent: {why}",
            conversation=text.conversation.sid,
        )
        return None
    return sent_texts.begin(sent, text.kind, begun, text.count)


def _name(text: Text) -> str:
    """Return the text's name within a wait: its kind, and a key of the worker that it is about."""
    if text.worker is None:
        return text.kind
    return f"{text.kind}:{hashlib.sha256(text.worker.encode()).hexdigest()[:8]}"


def _sent_again(
    text: Text, sent: SentTexts, current: Sending, attempt: str
) -> SentTexts | None:
    """Write down a second try of an unfinished sending; None if the text has arrived. Raises database.LostRace."""
    if _has_arrived(text, current):
        _note_as_sent(sent, text.kind, current.token)
        return None
    return sent_texts.write(sent, text.kind, current.once_more(attempt, clock.now()))


def _has_arrived(text: Text, sending: Sending) -> bool:
    result = messages.with_token(
        text.conversation, sending.token, attribute=messages.SERVICE_TEXT
    )
    if result.outcome is not Outcome.DONE:
        raise Again(f"the text {text.kind}: {result.why}")
    return result.body is not None


def _note_as_sent(sent: SentTexts, kind: str, token: str) -> None:
    """Save a repeated event the look at Twilio. If this note is lost, the next event looks and finds the token."""
    _change(sent, kind, token, lambda sending: replace(sending, is_sent=True))


def _let_go(sent: SentTexts, kind: str, token: str) -> None:
    """Let the event's next delivery try at once, because Twilio was too busy to take the text. If this note is lost, it
    waits for the lease."""
    _change(sent, kind, token, lambda sending: sending.not_taken())


def _change(
    sent: SentTexts, kind: str, token: str, changed: Callable[[Sending], Sending]
) -> None:
    while (current := sent.sendings.get(kind)) is not None and current.token == token:
        try:
            sent_texts.write(sent, kind, changed(current))
        except database.LostRace:
            if clock.is_time_over(_MARGIN):
                return
            sent = sent_texts.load(sent.name)
        else:
            return
