"""Twilio's rules about single values; each returns the value or raises ApiError with the documented code."""

import json
import re

from local.twilio.errors import ApiError
from local.twilio.records import address_type

CONVERSATION_ATTRIBUTES = 16 * 1024
OTHER_ATTRIBUTES = 4 * 1024
BODY = 32 * 1024
NUMBER = re.compile(r"\+\d{3,15}")
SHORT_CODE = re.compile(r"\d{3,8}")
# https://developers.facebook.com/docs/whatsapp/business-scoped-user-ids
USER_ID = re.compile(r"[A-Z]{2}(?:\.ENT)?\.[A-Za-z0-9]{1,128}")
DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
SECONDS = (86400, 3600, 60, 1)


def attributes(text: str | None, limit: int) -> str:
    """A JSON string of at most `limit` bytes; absent means `{}`."""
    if text is None or text == "":
        return "{}"
    if len(text.encode()) > limit:
        raise ApiError(50303, f"{len(text.encode())} bytes, allowed {limit}")
    try:
        json.loads(text)
    except ValueError:
        raise ApiError(50304, text[:80]) from None
    return text


def friendly_name(text: str | None) -> str | None:
    if text is not None and len(text) > 256:
        raise ApiError(50003, f"{len(text)} characters")
    return text


def body(text: str | None) -> str | None:
    """A message's text of at most 32 KB: https://www.twilio.com/docs/conversations/conversations-limits"""
    if text is not None and len(text.encode(errors="surrogatepass")) > BODY:
        raise ApiError(50504, f"{len(text)} characters")
    return text


def identity(text: str) -> str:
    """Who someone is on chat: not reserved, not the form of a user SID, at most 256 characters."""
    if text.lower() in ("system", "private", "unique"):
        raise ApiError(50203, text)
    if re.fullmatch(r"US[0-9a-f]{32}", text):
        raise ApiError(50206, text)
    if len(text) > 256:
        raise ApiError(50207, f"{len(text)} characters")
    return text


def address(text: str, code: int = 50407) -> str:
    """An address of a form that its channel allows; phone numbers are E.164, and WhatsApp has user ids, too."""
    kind = address_type(text)
    if len(text) > 256 or not text:
        raise ApiError(code, text[:80])
    if kind == "sms" and not NUMBER.fullmatch(text):
        raise ApiError(code, text[:80])
    name = text.partition(":")[2]
    if kind == "whatsapp" and not (NUMBER.fullmatch(name) or USER_ID.fullmatch(name)):
        raise ApiError(code, text[:80])
    return text


def duration(text: str, minimum: int, too_short: int, wrong_form: int) -> int | None:
    """Seconds of an ISO 8601 duration; empty switches the timer off."""
    if text == "":
        return None
    found = DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise ApiError(wrong_form, text)
    seconds = sum(
        int(part or 0) * unit
        for part, unit in zip(found.groups(), SECONDS, strict=True)
    )
    if seconds < minimum:
        raise ApiError(too_short, text)
    return seconds


def inactive_timer(text: str | None, otherwise: int | None) -> int | None:
    """Seconds of a timer, or `otherwise` when none is given."""
    return otherwise if text is None else duration(text, 60, 50375, 50379)


def closed_timer(text: str | None, otherwise: int | None) -> int | None:
    """Seconds of a timer, or `otherwise` when none is given."""
    return otherwise if text is None else duration(text, 600, 50376, 50380)


def as_duration(seconds: int | None) -> str | None:
    """How Twilio writes a timer back."""
    return (
        None
        if seconds is None
        else f"PT{seconds}S"
        if seconds % 60
        else f"PT{seconds // 60}M"
    )
