"""The collection sent_texts: the texts of a pool that a customer has received."""

from __future__ import annotations

from dataclasses import replace

from domain.sent_texts import Sending, SentTexts, counted, parse, stored, stored_count
from domain.text_limits import HourCount, day_of
from providers import clock, database, text_counts

_SENT = database.Collection("sent_texts", parse)
reference, of, load = _SENT.reference, _SENT.of, _SENT.load


def write(sent: SentTexts, kind: str, sending: Sending) -> SentTexts:
    """Record this sending if the record is still as it was read; return the new record. Raises database.LostRace."""
    version = database.write(
        reference(sent.name), stored(kind, sending, clock.now()), sent.version
    )
    return replace(sent, sendings={**sent.sendings, kind: sending}, version=version)


def begin(sent: SentTexts, kind: str, sending: Sending, count: HourCount) -> SentTexts:
    """Do the same for the first try of a text, and count the text for its address and for its pool."""
    now = clock.now()
    counted_record = counted(sent, day_of(now))
    batch = database.client().batch()
    fields = stored(kind, sending, now) | stored_count(counted_record)
    database.put(batch, reference(sent.name), fields, sent.version)
    text_counts.add_one(batch, count, now)
    version = database.commit(batch)[0]
    return replace(
        counted_record, sendings={**sent.sendings, kind: sending}, version=version
    )
