"""What people type as somebody's address, in the one spelling that Twilio uses.

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

_NATIONAL_DIGITS = (
    7  # shorter ones may as well be short codes, which are not international numbers
)
_GIVEN_UP = re.compile(
    r"\+521[2-9]\d{9}"
)  # Mexico's 1 before mobiles, which only WhatsApp still writes
_POSSIBLE = (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)


def is_country(code: str) -> bool:
    """Whether it is a country's two letters, such as DE."""
    return code in phonenumbers.SUPPORTED_REGIONS


def normalised(address: str, country: str | None = None) -> str | None:
    """The address as Twilio writes it, or None where that is anybody's guess.

    `country` (two letters) is where numbers without a plus belong; without it they are not understood.
    Done again it changes nothing.
    """
    plain = addresses.compact(address)
    if addresses.is_bare_user_id(plain):
        return addresses.compact(f"whatsapp:{plain}")
    if _is_no_number(plain):
        return plain
    prefix, colon, number = plain.rpartition(":")
    found = _international(number, country, any_length=bool(prefix))
    spelled = f"{prefix}{colon}{found}"
    return spelled if found and addresses.is_number(spelled) else None


def tidied(listed: Any) -> Any:
    """A list of addresses, each once and as Twilio writes it; invalid ones stay as typed. A text is a list of one."""
    if isinstance(listed, str) and listed.strip():
        listed = [listed]
    if not isinstance(listed, list):
        return listed
    found: list[Any] = []
    for value in listed:
        spelled = (
            normalised(value) or value.strip() if isinstance(value, str) else value
        )
        if spelled not in found:
            found.append(spelled)
    return found


def _is_no_number(plain: str) -> bool:
    """What stays as it is because no country's rules are about it."""
    known = (
        addresses.is_email,
        addresses.is_short_code,
        addresses.is_user_id,
        addresses.is_named,
        addresses.is_agent,
    )
    return any(is_known(plain) for is_known in known)


def _international(number: str, country: str | None, any_length: bool) -> str | None:
    if _GIVEN_UP.fullmatch(number) and not any_length:
        return addresses.key(number)
    parsed = _parse(number, country)
    if parsed is None:
        return None
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    found = str(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
    code = f"+{parsed.country_code}"
    # What people dial at home (0, 8, 06, 1) is no part of it: the library leaves that out.
    has_prefix = (
        found != number
        and number.startswith(code)
        and number.endswith(found.removeprefix(code))
    )
    # Another prefix follows: no number.
    if has_prefix and _international(found, country, any_length) != found:
        return None
    # As Twilio would write it: WhatsApp knows numbers that E.164 has given up.
    if addresses.is_number(number) and not has_prefix:
        return number if any_length or possible in _POSSIBLE else None
    if not number.startswith("+") and (
        possible != ValidationResult.IS_POSSIBLE
        or len(str(parsed.national_number)) < _NATIONAL_DIGITS
    ):
        return None
    return (
        found
        if addresses.is_number(found) and (any_length or possible in _POSSIBLE)
        else None
    )


def _parse(number: str, country: str | None) -> PhoneNumber | None:
    if not number.removeprefix("+").isdigit() or (
        country is None and not number.startswith("+")
    ):
        return None
    try:
        return phonenumbers.parse(number, country)
    except NumberParseException:
        return None


def digits(address: str) -> tuple[str, ...]:
    """How somebody may begin to type this number: 4917012..., 017012..., 17012...; nothing for other addresses.

    Where WhatsApp spells a number otherwise, both ways.
    """
    forms = [form for number in addresses.numbers(address) for form in _forms(number)]
    return tuple(dict.fromkeys(re.sub(r"\D", "", form) for form in forms))


def _forms(number: str) -> tuple[str, ...]:
    parsed = _parse(number, None)
    if parsed is None:
        return ()
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    return number, national, phonenumbers.national_significant_number(parsed)
