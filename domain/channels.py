"""The limits of a channel: the length of a text, and the types of files. The 24 hours: domain/window.py.

https://www.twilio.com/docs/conversations/conversations-limits
https://www.twilio.com/docs/messaging/guides/accepted-mime-types
"""

from __future__ import annotations

import re

from domain import addresses

_TEXT = {"email": 16_000, "chat": 16_000}
SHORTEST_TEXT = 1600
LARGEST_FILE = (
    5_000_000  # bytes, on any channel: the limit of an MMS and of a picture on WhatsApp
)
_PICTURES = ("image/jpeg", "image/png", "image/gif")
_ON_WHATSAPP = (
    *(kind for kind in _PICTURES if kind != "image/gif"),
    "image/webp",
    "application/pdf",
    "audio/aac",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/amr",
    "video/mp4",
    "text/vcard",
)
_BY_MMS = (
    *_PICTURES,
    "application/pdf",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/amr",
    "video/mp4",
    "video/3gpp",
    "text/vcard",
)
_NO_REPLY = re.compile(
    r"(no|do[-_.]?not)[-_.]?reply.*|mailer-daemon|postmaster|bounces?([-+.].*)?",
    re.IGNORECASE,
)
_WITHOUT_MEDIA = ("apple", "gbm")
_OTHER_NAMES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/opus": "audio/ogg",
    "application/ogg": "audio/ogg",
    "text/x-vcard": "text/vcard",
    "text/directory": "text/vcard",
}
_OF_PHONES_ONLY = (
    "image/heic",
    "image/heif",
    "image/heic-sequence",
    "image/heif-sequence",
)


def can_be_read(address: str) -> bool:
    """Return whether a person reads what is sent to this sender.

    No person reads replies to a name instead of a number (PAYPAL), to a short code, or to no-reply@example.com.
    """
    channel, name = addresses.channel(address), addresses.bare(address)
    if channel == "sms":
        return addresses.is_number(addresses.compact(address))
    return channel != "email" or _NO_REPLY.fullmatch(name.partition("@")[0]) is None


def longest_text(channel: str) -> int:
    """Return the most characters of a text, as a browser counts them: an emoji is two."""
    return _TEXT.get(channel, SHORTEST_TEXT)


def length_of(text: str) -> int:
    """Return the number of characters as a browser counts them: UTF-16 code units."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def cut_to(text: str, most: int) -> str:
    """Return the text, or its beginning with an ellipsis: at most `most` characters."""
    if length_of(text) <= most:
        return text
    beginning = text[: most - 1]
    while length_of(beginning) > most - 1:
        beginning = beginning[: -max(1, (length_of(beginning) - most + 1) // 2)]
    return beginning.rstrip() + "…"


def files(channel: str) -> tuple[str, ...]:
    """Return the MIME types of the files that the channel takes."""
    if channel in _WITHOUT_MEDIA:
        return ()
    return _ON_WHATSAPP if channel == "whatsapp" else _BY_MMS


def names_of_files(channel: str) -> tuple[str, ...]:
    """Return these types, with the other names that browsers and phones give them."""
    kinds = files(channel)
    return (*kinds, *(name for name, kind in _OTHER_NAMES.items() if kind in kinds))


def kind_of(typed: str) -> str:
    """Return a file's type as Twilio names it: "audio/ogg; codecs=opus" is audio/ogg."""
    plain = typed.partition(";")[0].strip().lower()
    return _OTHER_NAMES.get(plain, plain)


def why_not_file(channel: str, kind: str) -> str | None:
    """Return why a file of this type cannot be sent, for a worker; None: it can."""
    if kind in files(channel):
        return None
    if kind in _OF_PHONES_ONLY:
        return "A HEIC picture cannot be sent. Save it as JPEG and send it again."
    return f"A file of the type {kind or 'unknown'} cannot be sent on this channel."
