"""What people type as a customer's address, in the one spelling that Twilio uses.

Imports the phone-number library, which takes a tenth of a second: no webhook needs this module.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from domain import addresses

_NUMBER = re.compile(r"\+?[\d\s().\-/\u2010-\u2015\u2212]+")
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+")
_NATIONAL_DIGITS = 7  # shorter ones may as well be short codes, which are not international numbers
_PLAIN = ("sms", "tel")  # Twilio writes such a number bare
_POSSIBLE = (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)


def is_country(code: str) -> bool:
    """Whether it is a country's two letters, such as DE."""
    return code in phonenumbers.SUPPORTED_REGIONS


def normalised(address: str, country: str | None = None) -> str | None:
    """The address as Twilio writes it, or None where that is anybody's guess.

    `country` (two letters) is where numbers without a plus belong; without it they are not understood.
    Done again it changes nothing.
    """
    text = address.strip()
    if _EMAIL.fullmatch(text):
        return text.lower()
    prefix, colon, number = text.rpartition(":")
    prefix = prefix.strip()
    if prefix.lower() in _PLAIN:
        prefix = colon = ""
    if prefix.lower() not in ("", "whatsapp"):
        return f"{prefix}:{number.strip()}" if number.strip() else None
    found = _international(number.strip(), country, any_length=bool(prefix))
    return f"{prefix.lower()}{colon}{found}" if found else None


def _international(number: str, country: str | None, any_length: bool) -> str | None:
    parsed = _parse(number, country)
    if parsed is None:
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    found = str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
    code = f"+{parsed.country_code}"
    has_trunk_zero = number == f"{code}0{found.removeprefix(code)}"
    # As Twilio would write it: WhatsApp knows numbers that E.164 has given up.
    if addresses.is_number(number) and not has_trunk_zero:
        return number if any_length or possible in _POSSIBLE else None
    if not number.startswith("+") and (
        possible != ValidationResult.IS_POSSIBLE or len(str(parsed.national_number)) < _NATIONAL_DIGITS
    ):
        return None
    return found if addresses.is_number(found) and (any_length or possible in _POSSIBLE) else None


def _parse(number: str, country: str | None) -> PhoneNumber | None:
    if not _NUMBER.fullmatch(number) or (country is None and not number.startswith("+")):
        return None
    try:
        return phonenumbers.parse(number, country)
    except NumberParseException:
        return None


def digits(address: str) -> tuple[str, ...]:
    """How somebody may begin to type this number: 4917012..., 017012..., 17012...; nothing for other addresses."""
    parsed = _parse(addresses.bare(address), None) if addresses.is_number(address) else None
    if parsed is None:
        return ()
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    forms = (
        addresses.bare(address),
        national,
        phonenumbers.national_significant_number(parsed),
    )
    return tuple(dict.fromkeys(re.sub(r"\D", "", form) for form in forms))
