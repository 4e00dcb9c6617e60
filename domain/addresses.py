"""Addresses as Twilio writes them (+12345678, whatsapp:+12345678, bobby@example.com), and how they are compared.

Every webhook compares addresses, so this module does not import the phone-number library.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from itertools import filterfalse

# The channels that Twilio writes before the colon of an address. On the first three, addresses are phone numbers.
_OF_NUMBERS = ("whatsapp", "rcs", "viber")
CHANNELS = (
    *_OF_NUMBERS,
    "urn",
    "messenger",
    "chat",
    "gbm",
    "apple",
    "line",
    "wechat",
    "instagram",
    "telegram",
)
# Words before a phone number without a plus. Other words do not announce a phone number: "member 1234567".
_LABELS = re.compile(
    "[achmptw]|cell(phone|ular|ulare)?|celular|contact|direct|fax|fon|gsm|handy|home|main|m[oó]b(il|ile)?|m[oó]vil|natel|"
    "no|nr|number|ph|phone|portable|privat|private|sms|tel|t[eé]l[eé]phone|t[eé]l|telefone?|tel[eé]fono|text|work"
)
# Blanks, brackets, dots, slashes, all sorts of dashes.
_SIGNS = r"\s()\[\]./~·•_\-\u2010-\u2015\u2043\u2053\u2212\u301c\u30fb\u30fc"
_TYPOGRAPHY = re.compile(f"[{_SIGNS}]+")
_TYPED = re.compile(
    rf"(?P<before>[^\d+@]*+)(?P<number>\+?[{_SIGNS}]*+\d(?:[{_SIGNS}]*+\d)*+)(?P<after>\D*)"
)
_WORD = re.compile(r"[^\W\d_]+")
_AFTER = re.compile(rf"[{_SIGNS},;]*|\s+[^\W\d]+\.?|\s*[(\[][^\d()\[\]]*[)\]]")
_SCHEME = re.compile(
    r"(?P<scheme>tel|sms|callto|whatsapp):(?://)?(?P<rest>[^;?]*)[;?].*", re.IGNORECASE
)
_LONGEST = 320  # characters; an e-mail address has no more
_MOST_BEFORE = 40
# Shorter numbers may be short codes, which are not international numbers.
_LEAST_DIGITS = 7
# Most countries dial 00 for the plus.
_ABROAD = re.compile(r"^00(?=[1-9]\d{6})")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,6}")
_EMAIL = re.compile(r"[^@\s,;:<>()]+@[^@\s,;:<>()]+")
_TYPED_EMAIL = re.compile(
    r"(?:mailto:|e-?mail\s*:?\s|[^<>@:]*<)?\s*(?P<email>[^@\s<>]+@[^@\s<>]+?)\s*>?",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"(?P<channel>[^\W\d_]+)\s*:\s*(?P<rest>.*)", re.DOTALL)
# WhatsApp's id for a user with a hidden number: https://developers.facebook.com/docs/whatsapp/business-scoped-user-ids
_USER_ID = re.compile(
    r"(?P<country>[A-Za-z]{2}(?:\.(?i:ENT))?)\.(?P<rest>[A-Za-z0-9]{4,128})"
)
_SMALL_USER_ID = re.compile(r"[a-z]{2}(?:\.ent)?\.[0-9]{10,128}")
_USERNAME = re.compile(r"(?:whatsapp\s*:?\s*)?@[\w.]{2,40}", re.IGNORECASE)
_CALLED = "WhatsApp user …"
# Without its channel only what cannot be a person's name, such as DR.Smithers.
_AS_A_NAME = re.compile(
    r"whatsapp:[A-Za-z]{2}(?:\.(?i:ENT))?\.[A-Za-z0-9]{4,128}|[A-Z]{2}(?:\.ENT)?\.[0-9]{10,128}"
)
# A business's name on a channel of phone numbers.
_AGENT = re.compile(r"(?:rcs|viber):[\w.\-]{1,200}")
# https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_\-]{1,11}")
_COUNTRY = r"(?>\+(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}))"
_AFTER_COUNTRY = re.compile(rf"{_COUNTRY}(?P<first>\d)\d+")

# Numbers with two spellings: WhatsApp and E.164 use different ones. Mexico's 1 before mobile numbers, Brazil's ninth
# digit, Argentina's 9.
_TWO_SPELLINGS = (
    (re.compile(r"\+521([2-9]\d{9})"), r"+52\1"),
    (re.compile(r"\+52([2-9]\d{9})"), r"+521\1"),
    (re.compile(r"\+55([1-9]\d)9([6-9]\d{7})"), r"+55\1\2"),
    (re.compile(r"\+55([1-9]\d)([6-9]\d{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+549([1-8]\d{9})"), r"+54\1"),
    (re.compile(r"\+54([1-8]\d{9})"), r"+549\1"),
)
_ODD_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
_AS_BLANK = str.maketrans(dict.fromkeys(_ODD_BLANKS, " "))


# Joiners and variation selectors, which have other categories in Unicode.
_INVISIBLE = {"\u034f", "\u061c", *map(chr, range(0xFE00, 0xFE10))}


def is_invisible(character: str) -> bool:
    """Return whether a character has no width: a direction mark, a zero-width character,
    a soft hyphen or a control character. Blanks are visible."""
    if character in _INVISIBLE:
        return True
    return unicodedata.category(character) in ("Cf", "Cc") and not character.isspace()


def visible(text: str) -> str:
    """Return the text without invisible characters, and without blanks around it."""
    if text.isascii() and text.isprintable():
        return text.strip()
    blanked = text.translate(_AS_BLANK)
    return "".join(filterfalse(is_invisible, blanked)).strip()


def shown(text: str) -> str:
    """Return the text for an error sentence: at most 200 characters, invisible ones as
    their names."""
    return "".join(map(_shown_character, text[:200]))


def _shown_character(character: str) -> str:
    if character not in _ODD_BLANKS and not is_invisible(character):
        return character
    name = unicodedata.name(character, "CONTROL")
    return f"‹U+{ord(character):04X} {name}›"


def compact(address: str) -> str:
    """Return the address in Twilio's format, as far as that needs no country's rules.

    Other text is returned without invisible characters. Idempotent.
    """
    if is_number(address):  # as all of Twilio's are
        return address
    text = visible(address)
    plain = text if text.isascii() else _as_plain_digits(text)
    if len(plain) > _LONGEST:
        return text
    return _named(plain) or _email(plain) or _number(plain) or text


def _as_plain_digits(text: str) -> str:
    """Return the text in compatibility form, with the digits of any script as 0 to 9."""
    return "".join(map(_plain, unicodedata.normalize("NFKC", text)))


def _plain(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _named(text: str) -> str | None:
    """Return an address on a channel without phone numbers, or a WhatsApp user id.

    Letters keep their case, except for the country of a user id.
    """
    match = _CHANNEL.fullmatch(text)
    if match is None:
        return None
    name, rest = match["channel"].lower(), match["rest"].strip()
    if name in _OF_NUMBERS:
        return _with_user_id(name, rest)
    return f"{name}:{rest}" if name in CHANNELS else None


def _with_user_id(channel_name: str, text: str) -> str | None:
    user_id = _USER_ID.fullmatch(text)
    if user_id is None:
        return None
    return f"{channel_name}:{user_id['country'].upper()}.{user_id['rest']}"


def _email(text: str) -> str | None:
    match = _TYPED_EMAIL.fullmatch(text)
    email = match["email"].lower() if match else ""
    return email if _EMAIL.fullmatch(email) else None


def _number(text: str) -> str | None:
    """Return a number without typography, and without the words around it.

    None if the words do not announce a phone number.
    """
    if scheme := _SCHEME.fullmatch(text):
        text = f"{scheme['scheme']}:{scheme['rest']}"
    match = _TYPED.fullmatch(text)
    if match is None or not _AFTER.fullmatch(match["after"]):
        return None
    digits = _ABROAD.sub("+", _TYPOGRAPHY.sub("", match["number"]), count=1)
    words = _WORD.findall(match["before"].lower())
    channel_name = _channel_in(words)
    spelled = f"{channel_name}:{digits}" if channel_name else digits
    if "".join(words) in ("", channel_name, "wa"):
        return spelled
    is_long = len(digits) >= _LEAST_DIGITS and len(match["before"]) <= _MOST_BEFORE
    is_labelled = digits.startswith("+") or _are_labels(words, channel_name)
    return spelled if is_long and is_labelled else None


def _are_labels(words: list[str], channel_name: str | None) -> bool:
    """Return whether all words announce a phone number: "mobile", or the channel."""
    return all(word == channel_name or _LABELS.fullmatch(word) for word in words)


def _channel_in(words: list[str]) -> str | None:
    """Return the channel of phone numbers that the words name: WhatsApp, Whats App, WA."""
    if "whatsapp" in "".join(words) or words == ["wa"]:
        return "whatsapp"
    return next(filter(_OF_NUMBERS.__contains__, words), None)


def bare(address: str) -> str:
    """Return the address without its channel: whatsapp:+12345678 is +12345678."""
    return address.rpartition(":")[2].strip()


def channel(address: str) -> str:
    """Return the channel, such as whatsapp or messenger.

    An address that names none is of the channel email if it has an @, else of sms.
    """
    plain = compact(address)
    if ":" in plain:
        name = plain.partition(":")[0].strip().lower()
        # urn:mbid:... is Apple Messages for Business.
        return "apple" if name == "urn" else name
    return "email" if "@" in plain else "sms"


def is_number(address: str) -> bool:
    """Return whether it is an international phone number without typography, with or
    without a channel such as `whatsapp:`."""
    prefix, _, number = address.rpartition(":")
    return prefix in ("", *_OF_NUMBERS) and _E164.fullmatch(number) is not None


def is_plain(address: str) -> bool:
    """Return whether it is certainly a number as Twilio writes it: no zero of a national
    spelling follows the country code."""
    match = _AFTER_COUNTRY.fullmatch(bare(address))
    return is_number(address) and match is not None and match["first"] != "0"


def is_short_code(address: str) -> bool:
    return _SHORT_CODE.fullmatch(address) is not None


def is_user_id(address: str) -> bool:
    """Return whether it is WhatsApp's id for a user with a hidden number:
    whatsapp:US.13491208655302741918."""
    prefix, _, name = address.partition(":")
    return prefix == "whatsapp" and _USER_ID.fullmatch(name) is not None


def is_bare_user_id(text: str) -> bool:
    """Return whether it is a user id without its channel: US.13491208655302741918.

    In small letters, only ids of digits count, because others may be names.
    """
    is_in_capitals = text[:2].isupper() and _USER_ID.fullmatch(text) is not None
    return is_in_capitals or _SMALL_USER_ID.fullmatch(text) is not None


def is_username(text: str) -> bool:
    """Return whether it is a name chosen on WhatsApp, such as @ada.byron.

    No message comes from such a name: its sender has a user id.
    """
    return _USERNAME.fullmatch(visible(text)) is not None


def called(name: str) -> str:
    """Return the name; a readable one for a WhatsApp user id."""
    return f"{_CALLED}{name[-4:]}" if _AS_A_NAME.fullmatch(name) else name


def is_agent(address: str) -> bool:
    """Return whether it is a business's name on a channel of numbers: rcs:acme_agent."""
    return _AGENT.fullmatch(address) is not None


def is_alphanumeric(address: str) -> bool:
    """Return whether it is a sender's name instead of a number: ACME."""
    return _ALPHANUMERIC.fullmatch(address) is not None


def is_email(address: str) -> bool:
    return _EMAIL.fullmatch(address) is not None


def is_named(address: str) -> bool:
    """Return whether it is an address on a channel without phone numbers, such as
    messenger:1234."""
    prefix, _, name = address.partition(":")
    return prefix in CHANNELS and prefix not in _OF_NUMBERS and bool(name.strip())


# What each of Twilio's senders is: a number, a short code, a name on a channel, an e-mail address, a business's name.
SENDERS = (is_number, is_short_code, is_named, is_email, is_agent, is_alphanumeric)


def is_on_channel(address: str) -> bool:
    """Return whether it can only be an address, and no worker's identity.

    An e-mail address may be either.
    """
    return is_number(address) or is_named(address) or is_user_id(address)


def numbers(address: str) -> tuple[str, ...]:
    """Return the number without its channel, and its other spelling if it has two; ()
    for other addresses."""
    if not is_number(address):
        return ()
    number = bare(address)
    others = (
        pattern.sub(other, number)
        for pattern, other in _TWO_SPELLINGS
        if pattern.fullmatch(number)
    )
    return (number, *others)


def spellings(address: str) -> tuple[str, ...]:
    """Return the ways in which a record may write this address, the best match first.

    The exact one comes first, then the bare number, then both in the number's other
    spelling. E-mail addresses are in small letters.
    """
    plain = compact(address)
    prefix = plain.removesuffix(bare(plain))
    forms = [form for number in numbers(plain) for form in (prefix + number, number)]
    if is_user_id(plain):
        forms.append(bare(plain))
    return tuple(dict.fromkeys((address, plain, *forms)))


def on_same_channel(address: str) -> tuple[str, ...]:
    """Return all spellings of a number on its channel; another address as it is."""
    plain = compact(address)
    prefix = plain.removesuffix(bare(plain))
    return tuple(prefix + number for number in numbers(plain)) or (plain,)


def on_every_channel(address: str) -> tuple[str, ...]:
    """Return the spellings, and those of the same number on WhatsApp."""
    forms = spellings(address)
    on_whatsapp = map("whatsapp:{}".format, filter(_E164.fullmatch, forms))
    return tuple(dict.fromkeys((*forms, *on_whatsapp)))


def key(address: str) -> str:
    """Return the text by which addresses are compared.

    All spellings of one number have the same key, on all channels of phone numbers.
    """
    plain = compact(address)
    return min(numbers(plain), default=plain, key=_by_length)


def on_its_channel(address: str) -> str:
    """Return the same text for all spellings of one number on one channel."""
    return min(on_same_channel(address), key=_by_length)


def _by_length(text: str) -> tuple[int, str]:
    return len(text), text


def is_only_an_address(text: str) -> bool:
    """Return whether a customer's name is only their address, in any spelling."""
    plain = compact(text)
    return (
        is_on_channel(plain)
        or is_email(plain)
        or plain.startswith(_CALLED)
        or _has_only_digits(plain)
    )


def _has_only_digits(text: str) -> bool:
    """Return whether it has digits enough for a phone number, and no letter."""
    digits = sum(map(str.isdigit, text))
    return digits >= _LEAST_DIGITS and not any(map(str.isalpha, text))


def people(addresses: str | None) -> tuple[str, ...]:
    """Return the addresses in the list that Twilio sends for a group message.

    A comma separates them, sometimes with a space.
    """
    return tuple(filter(None, map(str.strip, (addresses or "").split(","))))


def stable_id(address: str, secret: bytes | None) -> str:
    """Return a record's id, made from the bare address and the installation's key.

    All spellings of an address have the same id. Without the key, an id does not reveal
    whether a number is that of a customer. `secret` None: the id of records that are
    older than the key.
    """
    same = key(address)
    name = bare(same) if is_user_id(same) else bare(same).lower()
    if secret is None:
        return f"c-{hashlib.sha256(name.encode()).hexdigest()[:20]}"
    return f"c-{hmac.digest(secret, name.encode(), 'sha256').hex()[:20]}"


def record_names(address: str, secret: bytes) -> tuple[str, ...]:
    """Return the ids that a record made for this address may have.

    A new record takes the first id that is free, except for the last one, which only
    records from before the key have. A record with such an id may belong to another
    customer: its id stays the same when its addresses change.
    """
    first = stable_id(address, secret)
    numbered = (f"{first}-{number}" for number in range(2, 10))
    return (first, *numbered, stable_id(address, None))
