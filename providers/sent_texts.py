"""The collection sent_texts: which of a pool's texts a customer has been sent."""

from __future__ import annotations

from dataclasses import replace

from domain.sent_texts import Sending, SentTexts, counted, parse, stored, stored_count
from domain.text_limits import HourCount, day_of
from providers import clock, database, text_counts

_SENT = database.Collection("sent_texts", parse)
reference, of, load = _SENT.reference, _SENT.of, _SENT.load


def write(sent: SentTexts, kind: str, sending: Sending) -> SentTexts:
    """Notes this sending if the record is still as it was read; returns it as it is now. Raises database.LostRace."""
    version = database.write(
        reference(sent.name), stored(kind, sending, clock.now()), sent.version
    )
    return replace(sent, sendings={**sent.sendings, kind: sending}, version=version)


def begin(sent: SentTexts, kind: str, sending: Sending, count: HourCount) -> SentTexts:
    """As `write`, for a text of which there was no try yet: counts it for its address and for its pool."""
    now = clock.now()
    sent_then = counted(sent, day_of(now))
    batch = database.client().batch()
    fields = stored(kind, sending, now) | stored_count(sent_then)
    database.put(batch, reference(sent.name), fields, sent.version)
    text_counts.add_one(batch, count, now)
    version = database.commit(batch)[0]
    return replace(
        sent_then, sendings={**sent.sendings, kind: sending}, version=version
    )
