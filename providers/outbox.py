"""The collection outbox: the messages that workers' pages asked to send, so that each is sent once. Not edited by hand.

absent -> claimed (a lease that runs out) -> sent
             |  ^
             v  | claimed again by compare-and-set, when the lease has ended
          released: the lease ends at once, because it is certain that nothing was sent
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.fields import Fields
from providers import clock, database, log

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

# Longer than a request may take, so that only a crash lets it run out.
LEASE = timedelta(seconds=40)
# A call without an answer may still arrive at Twilio for so long.
TO_LAND = timedelta(seconds=10)
_BEGINNING = (
    "new"  # in place of a SID: the entry of a conversation that a worker begins
)
KEPT = timedelta(days=30)  # then Firestore's TTL on expires_at may delete the record


@dataclass(frozen=True)
class Entry:
    """The state of one message. `version` is None before the first request for it.

    `digest`: a hash of what the token was first used for.
    """

    name: str
    token: str = ""
    lease_until: datetime | None = None
    attempt: str | None = None
    index: int = -1
    message_sid: str | None = None
    digest: str | None = None
    problem: str | None = None
    version: object = None

    @property
    def exists(self) -> bool:
        """Whether a request for this message was recorded."""
        return self.version is not None

    @property
    def is_sent(self) -> bool:
        """Whether Twilio has the message."""
        return self.message_sid is not None and self.index >= 0

    def is_for(self, digest: str) -> bool:
        """Return whether the token stands for this content. Entries from before digests count as the same."""
        return self.digest is None or self.digest == digest

    def is_claimed(self, now: datetime) -> bool:
        """Return whether a request is sending the message now."""
        return self.lease_until is not None and now < self.lease_until


def parse(name: str, data: Mapping[str, Any] | None, version: object = None) -> Entry:
    """Read an entry; invalid values count as absent."""
    read = Fields(data)
    return Entry(
        name,
        token=name.partition("-")[2],
        lease_until=read.time("lease_until"),
        attempt=read.text("attempt"),
        index=read.whole("index", default=-1),
        message_sid=read.sid("message_sid", "IM"),
        digest=read.text("digest"),
        problem=read.problem,
        version=version,
    )


_OUTBOX = database.Collection("outbox", parse)
of = _OUTBOX.of


def reference(sid: str, token: str) -> DocumentReference:
    """Return the reference of the message with this token in the conversation `sid`."""
    return _OUTBOX.reference(f"{sid}-{token}")


def load(sid: str, token: str) -> Entry:
    """Read the entry of the message with this token in the conversation `sid`."""
    return _OUTBOX.load(f"{sid}-{token}")


def bind(token: str, digest: str, worker: str) -> Entry:
    """Return the entry that says what a new conversation's token stands for; the first request decides."""
    reference = _OUTBOX.reference(f"{_BEGINNING}-{token}")
    fields = {"digest": digest, "worker": worker, "expires_at": clock.now() + KEPT}
    try:
        database.write(reference, fields, None)
    except database.LostRace:
        return load(_BEGINNING, token)
    return Entry(f"{_BEGINNING}-{token}", token, digest=digest)


def claim(entry: Entry, sid: str, token: str, worker: str, digest: str) -> Entry | None:
    """Claim the message for sending; no other request sends it before the lease ends. None: another request has it."""
    now, attempt = clock.now(), uuid.uuid4().hex
    if entry.is_claimed(now) or entry.is_sent:
        return None
    fields = {
        "lease_until": now + LEASE,
        "attempt": attempt,
        "worker": worker,
        "conversation": sid,
        "digest": digest,
    }
    fields["expires_at"] = now + KEPT
    try:
        version = database.write(_OUTBOX.reference(entry.name), fields, entry.version)
    except database.LostRace:
        current = load(sid, token)
        is_ours = current.attempt == attempt  # only the answer to our commit was lost
        return current if is_ours and not current.is_sent else None
    return replace(
        entry,
        token=token,
        lease_until=now + LEASE,
        attempt=attempt,
        digest=digest,
        version=version,
    )


def sent(entry: Entry, index: int, message_sid: str) -> Entry:
    """Record that the message was sent; if that fails, the next request finds the message at Twilio."""
    _try(entry, {"index": index, "message_sid": message_sid, "lease_until": None})
    return replace(entry, index=index, message_sid=message_sid)


def release(entry: Entry) -> None:
    """End the lease at once, because it is certain that nothing was sent."""
    _try(entry, {"lease_until": None})


def shorten(entry: Entry) -> None:
    """End the lease soon: the message may still arrive at Twilio, where the next request looks for it first."""
    _try(entry, {"lease_until": clock.now() + TO_LAND})


def _try(entry: Entry, fields: dict[str, Any]) -> None:
    """Record the outcome; a failure changes nothing about the message itself."""
    from google.api_core.exceptions import GoogleAPIError

    try:
        database.write(_OUTBOX.reference(entry.name), fields, entry.version)
    except database.LostRace:
        return  # the lease had ended, and another request has the message
    except GoogleAPIError as error:
        log.warning(
            f"The outcome of a message could not be recorded: {type(error).__name__}."
        )
