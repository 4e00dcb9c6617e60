"""The collection outbox: what workers' pages have asked to be sent, so that each is sent once. Nobody edits it.

absent -> claimed (a lease that runs out) -> sent
             |  ^
             v  | claimed anew by compare-and-set, once the lease is over
          released: the lease is over at once, for it is certain that nothing was sent
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

LEASE = timedelta(
    seconds=40
)  # longer than a request lives, so that only a crash lets it run out
TO_LAND = timedelta(
    seconds=10
)  # how long a call whose answer was lost may still arrive at Twilio
KEPT = timedelta(days=30)  # then Firestore's TTL on expires_at may delete the record


@dataclass(frozen=True)
class Entry:
    """What is known of one message. `version` is None where nobody has asked for it yet."""

    name: str
    token: str = ""
    lease_until: datetime | None = None
    attempt: str | None = None
    index: int = -1
    message_sid: str | None = None
    problem: str | None = None
    version: object = None

    @property
    def exists(self) -> bool:
        return self.version is not None

    @property
    def is_sent(self) -> bool:
        return self.message_sid is not None and self.index >= 0

    def is_claimed(self, now: datetime) -> bool:
        return self.lease_until is not None and now < self.lease_until


def parse(name: str, data: Mapping[str, Any] | None, version: object = None) -> Entry:
    read = Fields(data)
    return Entry(
        name,
        token=name.partition("-")[2],
        lease_until=read.time("lease_until"),
        attempt=read.text("attempt"),
        index=read.whole("index", default=-1),
        message_sid=read.sid("message_sid", "IM"),
        problem=read.problem,
        version=version,
    )


_OUTBOX = database.Collection("outbox", parse)
of = _OUTBOX.of


def reference(sid: str, token: str) -> DocumentReference:
    return _OUTBOX.reference(f"{sid}-{token}")


def load(sid: str, token: str) -> Entry:
    return _OUTBOX.load(f"{sid}-{token}")


def claim(entry: Entry, sid: str, token: str, worker: str) -> Entry | None:
    """Whoever gets it sends the message, and nobody else before the lease is over; None: somebody else has it."""
    now, attempt = clock.now(), uuid.uuid4().hex
    if entry.is_claimed(now) or entry.is_sent:
        return None
    claimed = {
        "lease_until": now + LEASE,
        "attempt": attempt,
        "worker": worker,
        "conversation": sid,
    }
    claimed["expires_at"] = now + KEPT
    try:
        version = database.write(_OUTBOX.reference(entry.name), claimed, entry.version)
    except database.LostRace:
        current = load(sid, token)  # our own, if only the answer to its commit was lost
        return current if current.attempt == attempt and not current.is_sent else None
    return replace(
        entry, token=token, lease_until=now + LEASE, attempt=attempt, version=version
    )


def sent(entry: Entry, index: int, message_sid: str) -> Entry:
    """Written down; where that fails, whoever asks next finds the message at Twilio."""
    _try(entry, {"index": index, "message_sid": message_sid, "lease_until": None})
    return replace(entry, index=index, message_sid=message_sid)


def release(entry: Entry) -> None:
    """It is certain that nothing was sent: whoever wants may try at once."""
    _try(entry, {"lease_until": None})


def shorten(entry: Entry) -> None:
    """It may still arrive at Twilio; after this long it is looked for there, and then sent again."""
    _try(entry, {"lease_until": clock.now() + TO_LAND})


def _try(entry: Entry, fields: dict[str, Any]) -> None:
    """What was sent is sent, whatever becomes of this note."""
    from google.api_core.exceptions import GoogleAPIError

    try:
        database.write(_OUTBOX.reference(entry.name), fields, entry.version)
    except database.LostRace:
        return  # the lease was over, and another one has it
    except GoogleAPIError as error:
        log.warning(
            f"What became of a message could not be written: {type(error).__name__}."
        )
