"""Which of a pool's texts a customer was sent, so that each is sent at most once per wait.

A sending is recorded before the call to Twilio, with a token that the message carries, and again after it.
docs/decisions/0007-texts.md explains what each crash leaves behind, and why this is a record of its own.
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

# Longer than any call to Twilio takes, so that only a crash lets it run out:
LEASE = timedelta(seconds=30)
MOST_TRIES = 5
# In one wait; the text `assigned` is not sent about any more workers than that:
MOST_WORKERS = 10
# After the last text; then Firestore's TTL on expires_at may delete the record:
KEPT = timedelta(days=90)
# The assumed length of a closing time whose end is unknown:
CLOSED_FOR_LONG = timedelta(days=7)


@dataclass(frozen=True)
class Sending:
    """One text. `wait`: since when the customer has waited; for the text `away`, when the closing time ends.

    `token` is in the message, the same in every try; `attempt` names the latest try, which began `at`. `workers`: the
    workers that the text `assigned` has been about in this wait, the current one last.
    """

    wait: datetime
    token: str
    attempt: str
    at: datetime
    tries: int = 1
    is_sent: bool = False
    workers: tuple[str, ...] = ()

    def once_more(self, attempt: str, now: datetime) -> Sending:
        """Return it with another try that begins now."""
        return replace(self, attempt=attempt, at=now, tries=self.tries + 1)

    def not_taken(self) -> Sending:
        """Return it without the latest try, which Twilio was too busy to take, and with its lease over."""
        return replace(self, at=self.at - LEASE, tries=self.tries - 1)


@dataclass(frozen=True)
class SentTexts:
    """The texts sent to one customer from one of our numbers, by kind. `version` is None without a record.

    `texts_that_day`: how many texts were begun on `day`, written as 2026-11-30.
    """

    name: str
    sendings: Mapping[str, Sending]
    day: str = ""
    texts_that_day: int = 0
    problem: str | None = None
    version: object = None


class Step(enum.Enum):
    """What to do about a text that the customer should have."""

    BEGIN = "it was not sent in this wait"
    LOOK = "a try began and did not finish: look for the token at Twilio, then send it again"
    LATER = "a try is under way"
    NOTHING = "it was sent, or was tried often enough"


def next_step(
    kind: str,
    sending: Sending | None,
    wait: datetime,
    now: datetime,
    worker: str | None = None,
) -> Step:
    """Return what to do about a text of this kind. `sending`: its record; `wait`: the current wait.

    `worker`: the worker that the text is about, if it is about one.
    """
    if sending is None or not _is_about(kind, sending, wait, now):
        return Step.BEGIN
    if _is_about_another(sending, worker):
        is_new = worker not in sending.workers and len(sending.workers) < MOST_WORKERS
        return Step.BEGIN if is_new else Step.NOTHING
    if sending.is_sent or sending.tries >= MOST_TRIES:
        return Step.NOTHING
    return Step.LATER if now < sending.at + LEASE else Step.LOOK


def _is_about(kind: str, sending: Sending, wait: datetime, now: datetime) -> bool:
    """Return whether it belongs to this wait, or to a later one that a late event does not know.

    A closing time lasts until the end that the customer was given, even if the pool's hours were edited since.
    """
    return now < sending.wait if kind == AWAY_TEXT else wait <= sending.wait


def _is_about_another(sending: Sending, worker: str | None) -> bool:
    """Return whether the sending was about another worker. A record without workers counts as being about each."""
    return bool(worker and sending.workers) and sending.workers[-1] != worker


def workers_in(
    kind: str,
    sending: Sending | None,
    wait: datetime,
    now: datetime,
    worker: str | None,
) -> tuple[str, ...]:
    """Return the workers of this wait, for a new sending about `worker`."""
    if worker is None:
        return ()
    is_same_wait = sending is not None and _is_about(kind, sending, wait, now)
    earlier = sending.workers if sending is not None and is_same_wait else ()
    return (*earlier, worker)


def wait_of(conversation: Conversation) -> datetime | None:
    """Return since when the customer has waited, which identifies the wait."""
    return conversation.queued_at or conversation.created_at


def record_name(conversation: Conversation, secret: bytes) -> str:
    """Return the name of the record for this customer and number of ours; a group has one per conversation.

    So a customer who begins a new conversation in the same closing time does not get the text again. `secret`: the
    installation's key, see addresses.stable_id.
    """
    number, customer = conversation.proxy_address, conversation.address
    if conversation.projected_address or not number or not customer:
        return conversation.sid
    pair = f"{addresses.on_its_channel(customer)} at {addresses.on_its_channel(number)}"
    return hmac.digest(secret, pair.encode(errors="surrogatepass"), "sha256").hex()[:32]


def parse(
    name: str, data: Mapping[str, Any] | None, version: object = None
) -> SentTexts:
    """Read the record. An invalid sending counts as sent at the record's last write: better no text than two."""
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
    if wait and at and token and not read.problem:
        attempt = read.text("attempt") or ""
        workers = read.texts("workers", blanks_matter=False)
        return Sending(wait, token, attempt, at, tries, is_sent, workers)
    at = datetime.min.replace(tzinfo=UTC)
    if isinstance(version, datetime):
        at = version
    return Sending(at, "", "", at, is_sent=True)


def stored(kind: str, sending: Sending, now: datetime) -> dict[str, Any]:
    """Return the fields of the record that the sending changes."""
    data: dict[str, Any] = {
        "wait": sending.wait,
        "token": sending.token,
        "attempt": sending.attempt,
        "at": sending.at,
        "tries": sending.tries,
        "sent": sending.is_sent,
    }
    if sending.workers:
        data["workers"] = list(sending.workers)
    return {kind: data, "expires_at": now + KEPT}


def counted(sent: SentTexts, day: str) -> SentTexts:
    """Return the record with one more text begun on this day."""
    before = sent.texts_that_day if sent.day == day else 0
    return replace(sent, day=day, texts_that_day=before + 1)


def stored_count(sent: SentTexts) -> dict[str, Any]:
    """Return the fields of the record that `counted` changes."""
    return {"day": sent.day, "day_texts": sent.texts_that_day}
