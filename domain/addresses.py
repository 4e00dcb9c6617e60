"""Addresses as Twilio writes them: +12345678, whatsapp:+12345678, bobby@example.com."""

from __future__ import annotations

import hashlib
import re

_TYPOGRAPHY = re.compile(
    r"[\s().\-/\u2010-\u2015\u2212]+"
)  # blanks, brackets, dots, slashes, all sorts of dashes
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def bare(address: str) -> str:
    """The address without its channel: whatsapp:+12345678 is +12345678."""
    return address.rpartition(":")[2].strip()


def channel(address: str) -> str:
    """The channel: whatsapp, messenger, ...; where none is named: email for an e-mail address, else sms."""
    if ":" in address:
        return address.partition(":")[0].strip().lower()
    return "email" if "@" in address else "sms"


def compact(address: str) -> str:
    """A number without the blanks, brackets and dashes that people type; anything else as it is."""
    prefix, colon, number = address.strip().rpartition(":")
    digits = _TYPOGRAPHY.sub("", number)
    prefix = prefix.strip().lower()
    return f"{prefix}{colon}{digits}" if digits.removeprefix("+").isdigit() else address.strip()


def is_number(address: str) -> bool:
    """Whether it is an international phone number without typography, with or without `whatsapp:`."""
    return channel(address) in ("sms", "whatsapp") and _E164.fullmatch(bare(address)) is not None


def spellings(address: str) -> tuple[str, ...]:
    """How a record may name this address, the best match first: the exact one, then the bare number.

    E-mail addresses are kept in small letters.
    """
    small = (address.lower(),) if "@" in address else ()
    return tuple(dict.fromkeys((address, bare(address), *small)))


def people(addresses: str | None) -> tuple[str, ...]:
    """The addresses in the list that Twilio sends for a group message (comma, then perhaps a space)."""
    return tuple(part.strip() for part in (addresses or "").split(",") if part.strip())


def stable_id(address: str) -> str:
    """A record's name made from the bare address: the same whoever asks, however often; no number to read."""
    return "c-" + hashlib.sha256(bare(address).lower().encode()).hexdigest()[:20]
