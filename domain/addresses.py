"""Addresses as Twilio writes them (+12345678, whatsapp:+12345678, bobby@example.com), and how people come by theirs.

Every webhook compares addresses, so nothing here needs the phone-number library (domain/phone_numbers.py does).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

# What stands before the colon of an address at Twilio. The first few are numbers, the others' names mean what they say.
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
# Before a number without a plus other words may mean anything: "member 1234567".
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
_LEAST_DIGITS = (
    7  # shorter ones may as well be short codes, which are not international numbers
)
_ABROAD = re.compile(
    r"^00(?=[1-9]\d{6})"
)  # how most countries dial what is written as a plus
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,6}")
_EMAIL = re.compile(r"[^@\s,;:<>()]+@[^@\s,;:<>()]+")
_TYPED_EMAIL = re.compile(
    r"(?:mailto:|e-?mail\s*:?\s|[^<>@:]*<)?\s*(?P<email>[^@\s<>]+@[^@\s<>]+?)\s*>?",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"(?P<channel>[^\W\d_]+)\s*:\s*(?P<rest>.*)", re.DOTALL)
# What WhatsApp calls somebody who hides their number: https://developers.facebook.com/docs/whatsapp/business-scoped-user-ids
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
_AGENT = re.compile(
    r"(?:rcs|viber):[\w.\-]{1,200}"
)  # the name of a business where others have numbers
# https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_\-]{1,11}")
_COUNTRY = r"(?>\+(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}))"
_AFTER_COUNTRY = re.compile(rf"{_COUNTRY}(?P<first>\d)\d+")

# Numbers that have two spellings, and WhatsApp keeps to the one that E.164 has given up, or the other way round:
# Mexico's 1 before mobiles, Brazil's ninth digit, Argentina's 9. The first of each pair is the one to compare by.
_TWO_SPELLINGS = (
    (re.compile(r"\+521([2-9]\d{9})"), r"+52\1"),
    (re.compile(r"\+52([2-9]\d{9})"), r"+521\1"),
    (re.compile(r"\+55([1-9]\d)9([6-9]\d{7})"), r"+55\1\2"),
    (re.compile(r"\+55([1-9]\d)([6-9]\d{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+549([1-8]\d{9})"), r"+54\1"),
    (re.compile(r"\+54([1-8]\d{9})"), r"+549\1"),
)
_ODD_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
_JOINERS = "\u034f\u061c"


def is_invisible(character: str) -> bool:
    """Whether nobody sees it: marks of direction, of width nought, soft hyphens, controls."""
    if character in _JOINERS or "\ufe00" <= character <= "\ufe0f":
        return True
    return unicodedata.category(character) in ("Cf", "Cc") and not character.isspace()


def visible(text: str) -> str:
    """The text without what nobody sees, and without blanks around it."""
    if text.isascii() and text.isprintable():
        return text.strip()
    seen = (" " if c in _ODD_BLANKS else c for c in text if not is_invisible(c))
    return "".join(seen).strip()


def shown(text: str) -> str:
    """For a sentence about it: what nobody sees is named, and a long text is cut."""
    named = [
        f"‹U+{ord(c):04X} {unicodedata.name(c, 'CONTROL')}›"
        if is_invisible(c) or c in _ODD_BLANKS
        else c
        for c in text[:200]
    ]
    return "".join(named)


def compact(address: str) -> str:
    """As Twilio writes it, as far as that needs no country's rules; what is none of that as it is, without what
    nobody sees. Done again it changes nothing."""
    if is_number(address):  # as all of Twilio's are
        return address
    text = visible(address)
    plain = (
        text
        if text.isascii()
        else "".join(map(_plain, unicodedata.normalize("NFKC", text)))
    )
    if len(plain) > _LONGEST:
        return text
    return _named(plain) or _email(plain) or _number(plain) or text


def _plain(character: str) -> str:
    """Any script's digit as 0 to 9."""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _named(text: str) -> str | None:
    """On a channel that does not go by numbers, or where WhatsApp gives a user id. Letters keep their case."""
    found = _CHANNEL.fullmatch(text)
    name = found["channel"].lower() if found else ""
    if found is None or name not in CHANNELS:
        return None
    rest = found["rest"].strip()
    if user_id := _USER_ID.fullmatch(rest) if name in _OF_NUMBERS else None:
        return f"{name}:{user_id['country'].upper()}.{user_id['rest']}"
    return f"{name}:{rest}" if name not in _OF_NUMBERS else None


def _email(text: str) -> str | None:
    found = _TYPED_EMAIL.fullmatch(text)
    email = found["email"].lower() if found else ""
    return email if _EMAIL.fullmatch(email) else None


def _number(text: str) -> str | None:
    """A number without typography, and without the words that stand around it."""
    if scheme := _SCHEME.fullmatch(text):
        text = f"{scheme['scheme']}:{scheme['rest']}"
    found = _TYPED.fullmatch(text)
    if found is None or not _AFTER.fullmatch(found["after"]):
        return None
    digits = _ABROAD.sub("+", _TYPOGRAPHY.sub("", found["number"]), count=1)
    words = _WORD.findall(found["before"].lower())
    channel = _channel_in(words)
    spelled = f"{channel}:{digits}" if channel else digits
    if "".join(words) in ("", channel, "wa"):
        return spelled
    is_said = digits.startswith("+") or all(
        word == channel or _LABELS.fullmatch(word) for word in words
    )
    is_long = len(digits) >= _LEAST_DIGITS and len(found["before"]) <= _MOST_BEFORE
    return spelled if is_said and is_long else None


def _channel_in(words: list[str]) -> str | None:
    """WhatsApp, Whats App, WA, ..."""
    if "whatsapp" in "".join(words) or words == ["wa"]:
        return "whatsapp"
    return next((word for word in words if word in _OF_NUMBERS), None)


def bare(address: str) -> str:
    """The address without its channel: whatsapp:+12345678 is +12345678."""
    return address.rpartition(":")[2].strip()


def channel(address: str) -> str:
    """The channel: whatsapp, messenger, ...; where none is named: email for an e-mail address, else sms."""
    plain = compact(address)
    if ":" in plain:
        name = plain.partition(":")[0].strip().lower()
        return {"urn": "apple"}.get(
            name, name
        )  # urn:mbid:... is Apple Messages for Business
    return "email" if "@" in plain else "sms"


def is_number(address: str) -> bool:
    """Whether it is an international phone number without typography, with or without `whatsapp:`."""
    prefix, _, number = address.rpartition(":")
    return prefix in ("", *_OF_NUMBERS) and _E164.fullmatch(number) is not None


def is_plain(address: str) -> bool:
    """Whether it is a number as Twilio writes it for sure: no zero from a national spelling follows the country."""
    found = _AFTER_COUNTRY.fullmatch(bare(address))
    return is_number(address) and found is not None and found["first"] != "0"


def is_short_code(address: str) -> bool:
    return _SHORT_CODE.fullmatch(address) is not None


def is_user_id(address: str) -> bool:
    """Whether WhatsApp names somebody so who hides their number: whatsapp:US.13491208655302741918."""
    prefix, _, name = address.partition(":")
    return prefix == "whatsapp" and _USER_ID.fullmatch(name) is not None


def is_bare_user_id(text: str) -> bool:
    """The same without its channel, as people copy it: US.13491208655302741918; in small letters only what can be
    nothing else."""
    is_in_capitals = text[:2].isupper() and _USER_ID.fullmatch(text) is not None
    return is_in_capitals or _SMALL_USER_ID.fullmatch(text) is not None


def is_username(text: str) -> bool:
    """Whether it is a name chosen on WhatsApp, which no message comes from: @ada.byron."""
    return _USERNAME.fullmatch(visible(text)) is not None


def called(name: str) -> str:
    """Return the name; a readable one for a WhatsApp user id."""
    return f"{_CALLED}{name[-4:]}" if _AS_A_NAME.fullmatch(name) else name


def is_agent(address: str) -> bool:
    """Whether it is a business by its name on a channel of numbers: rcs:acme_agent."""
    return _AGENT.fullmatch(address) is not None


def is_alphanumeric(address: str) -> bool:
    """Whether it is a sender's name instead of a number: ACME."""
    return _ALPHANUMERIC.fullmatch(address) is not None


def is_email(address: str) -> bool:
    return _EMAIL.fullmatch(address) is not None


def is_named(address: str) -> bool:
    """Whether it is somebody on a channel of Twilio's that does not go by numbers: messenger:1234."""
    prefix, _, name = address.partition(":")
    return prefix in CHANNELS and prefix not in _OF_NUMBERS and bool(name.strip())


# What each of Twilio's senders is: a number, a short code, a name on a channel, an e-mail address, a business's name.
SENDERS = (is_number, is_short_code, is_named, is_email, is_agent, is_alphanumeric)


def is_on_channel(address: str) -> bool:
    """Whether it can only be somebody's address, and no worker's identity; an e-mail address may be either."""
    return is_number(address) or is_named(address) or is_user_id(address)


def numbers(address: str) -> tuple[str, ...]:
    """The number without its channel and, where WhatsApp spells it otherwise, that one too; none in other addresses."""
    number = bare(address)
    other = (
        pattern.sub(to, number)
        for pattern, to in _TWO_SPELLINGS
        if pattern.fullmatch(number)
    )
    return (number, *other) if is_number(address) else ()


def spellings(address: str) -> tuple[str, ...]:
    """How a record may name this address, the best match first: the exact one, then the bare number, then the same
    two as WhatsApp spells them, or does not.

    E-mail addresses are kept in small letters.
    """
    plain = compact(address)
    prefix = plain.removesuffix(bare(plain))
    forms = [form for number in numbers(plain) for form in (prefix + number, number)]
    if is_user_id(plain):
        forms.append(bare(plain))
    return tuple(dict.fromkeys((address, plain, *forms)))


def on_same_channel(address: str) -> tuple[str, ...]:
    """All spellings of a number on the channel that it names."""
    plain = compact(address)
    prefix = plain.removesuffix(bare(plain))
    return tuple(prefix + number for number in numbers(plain)) or (plain,)


def on_every_channel(address: str) -> tuple[str, ...]:
    """The spellings, and those of the same number on WhatsApp."""
    forms = spellings(address)
    return tuple(
        dict.fromkeys(
            (*forms, *(f"whatsapp:{form}" for form in forms if _E164.fullmatch(form)))
        )
    )


def key(address: str) -> str:
    """The same for all spellings of one number on all channels that go by numbers, and else for one address only."""
    plain = compact(address)
    return min(numbers(plain), default=plain, key=lambda one: (len(one), one))


def on_its_channel(address: str) -> str:
    """The same for all spellings of one number on one channel."""
    return min(on_same_channel(address), key=lambda one: (len(one), one))


def is_only_an_address(text: str) -> bool:
    """Whether somebody called so is called by their address alone: a number or an e-mail address, however typed."""
    plain = compact(text)
    digits = sum(c.isdigit() for c in plain)
    return (
        is_number(plain)
        or is_email(plain)
        or is_user_id(plain)
        or is_named(plain)
        or plain.startswith(_CALLED)
        or (digits >= _LEAST_DIGITS and not any(c.isalpha() for c in plain))
    )


def people(addresses: str | None) -> tuple[str, ...]:
    """The addresses in the list that Twilio sends for a group message (comma, then perhaps a space)."""
    return tuple(part.strip() for part in (addresses or "").split(",") if part.strip())


def stable_id(address: str, secret: bytes | None) -> str:
    """A record's name made from the bare address and the installation's key: the same whoever asks, however often;
    who does not know the key cannot try numbers until one fits. Without one: as names were made before there was a
    key; those stay."""
    same = key(address)
    who = (bare(same) if is_user_id(same) else bare(same).lower()).encode()
    made = (
        hmac.digest(secret, who, "sha256")
        if secret is not None
        else hashlib.sha256(who).digest()
    )
    return "c-" + made.hex()[:20]


def record_names(address: str, secret: bytes) -> tuple[str, ...]:
    """What a record made for this address may be called: the first that is free of all but the last, which such records
    had before there was a key. One that is there may be somebody else's by now: records keep their names, numbers pass
    on."""
    first = stable_id(address, secret)
    return (
        first,
        *(f"{first}-{number}" for number in range(2, 10)),
        stable_id(address, None),
    )
