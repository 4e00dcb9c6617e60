"""One text is sent, at most once per wait, whatever is repeated or crashes.

Written down first, then sent with a token, then written down as sent. Whoever finds a sending that nobody finished
looks for its token among the conversation's messages before a second try. The record is written by compare-and-set,
so of several at once one goes on. Every crash and interleaving: docs/decisions/0007-texts.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from assignment import opting_out
from domain import opt_out, text_limits
from domain.conversation import Conversation
from domain.sent_texts import Sending, SentTexts, Step, next_step
from domain.text_limits import HourCount
from functions.conversation_written.receiver import Again
from providers import clock, contents, database, log, messages, sent_texts
from providers.twilio import Outcome

_MARGIN = 1.0  # seconds that must be left to begin another try


@dataclass(frozen=True)
class Text:
    """`wait`: see Sending. `content`: what Twilio is sent, as for messages.say. `is_still_so`: whether it is still true
    right before it is sent."""

    conversation: Conversation
    kind: str
    wait: datetime
    content: Mapping[str, str]
    count: HourCount
    is_still_so: Callable[[], bool]


def is_due(sent: SentTexts, kind: str, wait: datetime) -> bool:
    """Whether there is anything to do; the answer holds until somebody else writes the record."""
    return (
        next_step(kind, sent.sendings.get(kind), wait, clock.now()) is not Step.NOTHING
    )


def send_once(text: Text, sent: SentTexts) -> None:
    """Raises Again while it is not known whether it has arrived, and while somebody else is at it."""
    noted = _begun(text, sent)
    if noted is None:
        return None
    token = noted.sendings[text.kind].token
    if not text.is_still_so():
        return log.info(
            f"the text {text.kind} is not sent: it is true no more",
            conversation=text.conversation.sid,
        )
    result = messages.say(text.conversation, token, text.content)
    if result.outcome is Outcome.RETRY:
        if not result.is_unsure:
            _let_go(noted, text.kind, token)
        raise Again(f"the text {text.kind}: {result.why}")
    if result.code == opt_out.CODE:
        opting_out.note_refused(text.conversation.sid)
    if result.outcome is not Outcome.DONE:
        if result.outcome is Outcome.REFUSED and (
            content_sid := text.content.get("content_sid")
        ):
            contents.refresh(content_sid)
        level = log.error if result.outcome is Outcome.MISCONFIGURED else log.warning
        return level(
            f"The text {text.kind} is not sent: {result.why}",
            conversation=text.conversation.sid,
        )
    _note_as_sent(noted, text.kind, token)
    return log.info(f"the text {text.kind} is sent", conversation=text.conversation.sid)


def _begun(text: Text, sent: SentTexts) -> SentTexts | None:
    """Writes down that we send it now; None: it was sent. Goes on from its beginning after a lost race."""
    attempt = uuid.uuid4().hex
    while True:
        current = sent.sendings.get(text.kind)
        if current is not None and current.attempt == attempt:
            return sent  # ours: only the answer to the commit was lost
        step = next_step(text.kind, current, text.wait, clock.now())
        if step is Step.NOTHING:
            return None
        if step is Step.LATER:
            raise Again(
                f"the text {text.kind} is being sent, or was when something stopped it"
            )
        token = f"{text.kind} {text.wait.astimezone(UTC).isoformat()} {attempt}"
        begun = Sending(text.wait, token, attempt, clock.now())
        if step is Step.BEGIN and (
            why := text_limits.reached(sent, text.count, clock.now())
        ):
            log.warning(
                f"The text {text.kind} is not sent: {why}",
                conversation=text.conversation.sid,
            )
            return None
        if step is Step.LOOK and current is not None:
            if _has_arrived(text, current):
                _note_as_sent(sent, text.kind, current.token)
                return None
            begun = current.once_more(attempt, clock.now())
        try:
            if step is Step.BEGIN:
                return sent_texts.begin(sent, text.kind, begun, text.count)
            return sent_texts.write(sent, text.kind, begun)
        except database.LostRace:
            if clock.is_time_over(_MARGIN):
                raise
            sent = sent_texts.load(sent.name)


def _has_arrived(text: Text, sending: Sending) -> bool:
    result = messages.with_token(
        text.conversation, sending.token, attribute=messages.SERVICE_TEXT
    )
    if result.outcome is not Outcome.DONE:
        raise Again(f"the text {text.kind}: {result.why}")
    return result.body is not None


def _note_as_sent(sent: SentTexts, kind: str, token: str) -> None:
    """So that a repeated event need not look at Twilio. Where this is lost, the next one looks and finds the token."""
    _change(sent, kind, token, lambda sending: replace(sending, is_sent=True))


def _let_go(sent: SentTexts, kind: str, token: str) -> None:
    """Twilio was too busy to take it, so the next delivery of the event need not wait for the lease. It does where this
    is lost."""
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
