"""Which of a pool's texts a customer has been sent: the mark by which each is sent at most once per wait.

A sending is written down before Twilio is told, with a token that the message carries, and once more afterwards.
Which crash leaves what, and why the mark is a record of its own: docs/decisions/0007-texts.md.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import addresses
from domain.conversation import Conversation
from domain.fields import Fields
from domain.pool_texts import AWAY_TEXT, KINDS

LEASE = timedelta(
    seconds=30
)  # longer than any call to Twilio lives, so that only a crash lets it run out
MOST_TRIES = 5
KEPT = timedelta(
    days=90
)  # since the last text; then Firestore's TTL on expires_at may delete the record
CLOSED_FOR_LONG = timedelta(
    days=7
)  # how long a closing time is that nobody knows the end of


@dataclass(frozen=True)
class Sending:
    """One text. `wait`: since when the customer waits; of the text `away`: when the closing time ends.

    `token` is in the message, the same in every try; `attempt` names the latest one, begun `at`.
    """

    wait: datetime
    token: str
    attempt: str
    at: datetime
    tries: int = 1
    is_sent: bool = False

    def once_more(self, attempt: str, now: datetime) -> Sending:
        return replace(self, attempt=attempt, at=now, tries=self.tries + 1)

    def not_taken(self) -> Sending:
        """Twilio said that it was too busy to take it: that was no try, and the lease is over."""
        return replace(self, at=self.at - LEASE, tries=self.tries - 1)


@dataclass(frozen=True)
class SentTexts:
    """What was sent to one customer at one of our numbers, by kind. `version` is None where nothing was.

    `texts_that_day`: how many texts were begun on `day`, written as 2026-11-30.
    """

    name: str
    sendings: Mapping[str, Sending]
    day: str = ""
    texts_that_day: int = 0
    problem: str | None = None
    version: object = None


class Step(enum.Enum):
    """What is to be done about a text that the customer should have."""

    BEGIN = "nobody has sent it in this wait"
    LOOK = "somebody began and did not finish: look for the token at Twilio, then send it once more"
    LATER = "somebody is at it just now"
    NOTHING = "it was sent, or was tried often enough"


def next_step(
    kind: str, sending: Sending | None, wait: datetime, now: datetime
) -> Step:
    if sending is None or not _is_about(kind, sending, wait, now):
        return Step.BEGIN
    if sending.is_sent or sending.tries >= MOST_TRIES:
        return Step.NOTHING
    return Step.LATER if now < sending.at + LEASE else Step.LOOK


def _is_about(kind: str, sending: Sending, wait: datetime, now: datetime) -> bool:
    """Whether it belongs to this wait or a later one, of which an event that is late may know nothing. A closing
    time is not over before its end as it was when the customer was told, whatever was edited meanwhile."""
    return now < sending.wait if kind == AWAY_TEXT else wait <= sending.wait


def wait_of(conversation: Conversation) -> datetime | None:
    """Since when the customer waits: what tells one wait from the next."""
    return conversation.queued_at or conversation.created_at


def record_name(conversation: Conversation, secret: bytes) -> str:
    """One record per customer and number of ours, so that who begins a new conversation in the same closing time is
    not told again. A group is a conversation of its own. `secret`: the installation's key, see addresses.stable_id."""
    ours, theirs = conversation.proxy_address, conversation.address
    if conversation.projected_address or not (ours and theirs):
        return conversation.sid
    pair = f"{addresses.on_its_channel(theirs)} at {addresses.on_its_channel(ours)}"
    return hmac.digest(secret, pair.encode(errors="surrogatepass"), "sha256").hex()[:32]


def parse(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> SentTexts:
    """What makes no sense counts as sent when the record was last written: rather no text than two."""
    fields = Fields(data)
    sendings = {
        kind: _sending(fields, kind, version)
        for kind in KINDS
        if fields.plain(kind) is not None
    }
    day, texts = fields.text("day") or "", max(0, fields.whole("day_texts", default=0))
    return SentTexts(name, sendings, day, texts, fields.problem, version)


def _sending(fields: Fields, kind: str, version: object) -> Sending:
    read = Fields(fields.mapping(kind))
    wait, at, token = read.time("wait"), read.time("at"), read.text("token")
    tries, is_sent = read.whole("tries", default=1), read.flag("sent", default=True)
    if wait is None or at is None or token is None or read.problem is not None:
        written = (
            version
            if isinstance(version, datetime)
            else datetime.min.replace(tzinfo=UTC)
        )
        return Sending(written, "", "", written, is_sent=True)
    return Sending(wait, token, read.text("attempt") or "", at, tries, is_sent)


def stored(kind: str, sending: Sending, now: datetime) -> dict[str, Any]:
    """The fields that change by it."""
    told = {
        "wait": sending.wait,
        "token": sending.token,
        "attempt": sending.attempt,
        "at": sending.at,
    }
    return {
        kind: told | {"tries": sending.tries, "sent": sending.is_sent},
        "expires_at": now + KEPT,
    }


def counted(sent: SentTexts, day: str) -> SentTexts:
    """Return the record with one more text begun on this day."""
    before = sent.texts_that_day if sent.day == day else 0
    return replace(sent, day=day, texts_that_day=before + 1)


def stored_count(sent: SentTexts) -> dict[str, Any]:
    return {"day": sent.day, "day_texts": sent.texts_that_day}
