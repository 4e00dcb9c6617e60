"""Addresses as Twilio writes them: +12345678, whatsapp:+12345678, bobby@example.com."""

from __future__ import annotations

import hashlib


def bare(address: str) -> str:
    """The address without its channel: whatsapp:+12345678 is +12345678."""
    return address.rpartition(":")[2].strip()


def channel(address: str) -> str:
    """The channel: whatsapp, messenger, ...; sms where none is named."""
    return address.partition(":")[0] if ":" in address else "sms"


def spellings(address: str) -> tuple[str, ...]:
    """How a record may name this address, the best match first: the exact one, then the bare number."""
    return tuple(dict.fromkeys((address, bare(address))))


def people(addresses: str | None) -> tuple[str, ...]:
    """The addresses in the list that Twilio sends for a group message (comma, then perhaps a space)."""
    return tuple(part.strip() for part in (addresses or "").split(",") if part.strip())


def stable_id(address: str) -> str:
    """A record's name made from the bare address: the same whoever asks, however often; no number to read."""
    return "c-" + hashlib.sha256(bare(address).lower().encode()).hexdigest()[:20]
