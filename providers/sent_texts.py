"""The collection sent_texts: which of a pool's texts a customer has been sent."""

from __future__ import annotations

from dataclasses import replace

from domain.sent_texts import Sending, SentTexts, parse, stored
from providers import clock, database

_SENT = database.Collection("sent_texts", parse)
reference, of, load = _SENT.reference, _SENT.of, _SENT.load


def write(sent: SentTexts, kind: str, sending: Sending) -> SentTexts:
    """Notes this sending if the record is still as it was read; returns it as it is now. Raises database.LostRace."""
    version = database.write(reference(sent.name), stored(kind, sending, clock.now()), sent.version)
    return replace(sent, sendings={**sent.sendings, kind: sending}, version=version)
