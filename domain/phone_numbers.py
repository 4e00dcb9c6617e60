"""Addresses as people type them, in the one spelling that Twilio uses.

Imports the phone-number library, which takes a tenth of a second: no webhook needs this module.
"""

from __future__ import annotations

import re
from typing import Any

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
)

from domain import addresses

# Shorter numbers may be short codes, which are not international numbers.
_NATIONAL_DIGITS = 7
# Mexico's 1 before mobile numbers, which only WhatsApp still writes.
_GIVEN_UP = re.compile(r"\+521[2-9]\d{9}")
_POSSIBLE = (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)


def is_country(code: str) -> bool:
    """Return whether it is the two letters of a country, such as DE."""
    return code in phonenumbers.SUPPORTED_REGIONS


def normalised(address: str, country: str | None = None) -> str | None:
    """Return the address as Twilio writes it; None for an invalid or ambiguous one.

    `country` (two letters, such as DE) is that of numbers without a plus; without it,
    such numbers are invalid. Idempotent.
    """
    plain = addresses.compact(address)
    if addresses.is_bare_user_id(plain):
        return addresses.compact(f"whatsapp:{plain}")
    if any(is_of_kind(plain) for is_of_kind in _NOT_NUMBERS):
        return plain
    prefix, colon, number = plain.rpartition(":")
    international = _international(number, country, any_length=bool(prefix))
    spelled = f"{prefix}{colon}{international}"
    return spelled if addresses.is_number(spelled) else None


# Addresses to which no country's rules apply.
_NOT_NUMBERS = (
    addresses.is_email,
    addresses.is_short_code,
    addresses.is_user_id,
    addresses.is_named,
    addresses.is_agent,
)


def tidied(listed: Any) -> Any:
    """Return a list of addresses, each once and as Twilio writes it.

    Invalid entries stay as typed. A text is a list of one; other values are returned
    unchanged.
    """
    if isinstance(listed, str) and listed.strip():
        listed = [listed]
    if not isinstance(listed, list):
        return listed
    entries: list[Any] = []
    for value in map(_tidied_entry, listed):
        if value not in entries:
            entries.append(value)
    return entries


def _tidied_entry(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return normalised(value) or value.strip()


def _international(number: str, country: str | None, any_length: bool) -> str | None:
    """Return a number in E.164, with a plus; None if it is invalid.

    `any_length`: accept a length that the country's numbers do not have, because the
    number comes from a channel such as WhatsApp, where it also keeps a spelling that
    E.164 has given up.
    """
    if _GIVEN_UP.fullmatch(number) and not any_length:
        return addresses.key(number)
    parsed = _parse(number, country)
    if parsed is None:
        return None
    e164 = str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
    has_prefix = _has_trunk_prefix(number, e164, parsed)
    if has_prefix and _international(e164, country, any_length) != e164:
        return None  # another prefix follows
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    is_long_enough = any_length or possible in _POSSIBLE
    if addresses.is_number(number) and not has_prefix:
        return number if is_long_enough else None
    if not number.startswith("+") and not _is_complete(parsed, possible):
        return None
    return e164 if is_long_enough and addresses.is_number(e164) else None


def _has_trunk_prefix(number: str, e164: str, parsed: PhoneNumber) -> bool:
    """Return whether digits for calls within a country (0, 8, 06, 1) follow the country
    code. The library leaves them out."""
    code = f"+{parsed.country_code}"
    if e164 == number or not number.startswith(code):
        return False
    return number.endswith(e164.removeprefix(code))


def _is_complete(parsed: PhoneNumber, possible: int) -> bool:
    """Return whether a number without a plus is more than a local one or a short code."""
    is_national = possible == ValidationResult.IS_POSSIBLE
    return is_national and len(str(parsed.national_number)) >= _NATIONAL_DIGITS


def _parse(number: str, country: str | None) -> PhoneNumber | None:
    """Return what the library reads; None for an invalid number, and for one without a
    plus if its country is unknown."""
    is_clear = country is not None or number.startswith("+")
    if not is_clear or not number.removeprefix("+").isdigit():
        return None
    try:
        return phonenumbers.parse(number, country)
    except NumberParseException:
        return None


def digits(address: str) -> tuple[str, ...]:
    """Return the digits by which people may search for this number: 4917012...,
    017012..., 17012...; () for other addresses.

    A number with two spellings is found by both.
    """
    forms = [form for number in addresses.numbers(address) for form in _forms(number)]
    return tuple(dict.fromkeys(re.sub(r"\D", "", form) for form in forms))


def _forms(number: str) -> tuple[str, ...]:
    """Return an international number as people dial it from abroad and at home."""
    parsed = _parse(number, None)
    if parsed is None:
        return ()
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    return number, national, phonenumbers.national_significant_number(parsed)
