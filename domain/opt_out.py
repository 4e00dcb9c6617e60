"""Opt-out: which words mean it, and what is known of one address.

A customer opts out with a message that is only one of these words. The words are Twilio's, plus `opt_out_words` of
settings/routing: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from domain import addresses
from domain.fields import Fields

STOP, START, HELP = "stop", "start", "help"  # what a word means
KINDS = (STOP, START, HELP)
CODE = 21610  # Twilio's error: the customer has opted out. https://www.twilio.com/docs/api/errors/21610
UNKNOWN_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {
    STOP: (
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "END",
        "QUIT",
        "CANCEL",
        "REVOKE",
        "OPTOUT",
    ),
    START: ("START", "YES", "UNSTOP"),
    HELP: ("HELP", "INFO"),
}
_MEANING = {word.casefold(): kind for kind, words in _WORDS.items() for word in words}
_ENDS = ".!"  # a sentence of one word may end like a sentence
_LONGEST = 40  # characters of an opt-out word
_MOST_PARTS = 3


def folded(text: str) -> str:
    """Return the text as words are compared: without case, extra blanks, invisible characters and a final full stop."""
    plain = unicodedata.normalize("NFKC", addresses.visible(text)).casefold()
    return " ".join(plain.rstrip(_ENDS + " ").split())


def word_in(text: str, also_stop: Collection[str] = ()) -> str | None:
    """Return STOP, START or HELP if the whole text is such a word, else None. `also_stop`: folded words."""
    if len(text) > 4 * _LONGEST:
        return None
    word = folded(text)
    return STOP if word in also_stop else _MEANING.get(word)


def may_be_a_word(text: str) -> bool:
    """Return whether a setting could make this text an opt-out word: it is short, and Twilio's list lacks it."""
    return _is_short(text) and word_in(text) is None


def _is_short(text: str) -> bool:
    return len(text) <= _LONGEST and 0 < len(text.split()) <= _MOST_PARTS


def words_in_settings(fields: Fields, name: str) -> tuple[str, ...]:
    """Return the folded opt-out words of a record's field; complain about entries that cannot be one."""
    words = []
    for typed in fields.texts(name):
        word = folded(typed)
        if word_in(word) in (START, HELP):
            fields.complain(
                f"{name} has “{typed}”, which lifts an opt-out or asks for help. It is ignored."
            )
        elif _is_short(word):
            words.append(word)
        else:
            fields.complain(
                f"{name} has an entry that is not a short word of at most {_LONGEST} characters. It is ignored."
            )
    return tuple(dict.fromkeys(words))


@dataclass(frozen=True)
class Wish:
    """What one event says about an address: `is_out`, or in again. `index`: the message's, -1 if none is known."""

    is_out: bool
    at: datetime
    conversation: str = ""
    index: int = -1
    by: str = "message"


@dataclass(frozen=True)
class OptOut:
    """What is known of one address. `since` is None if it is not opted out; `version` is None without a record.

    The other fields say which wish decided last, so that an older one that comes late changes nothing.
    """

    name: str
    since: datetime | None = None
    changed_at: datetime | None = None
    conversation: str | None = None
    index: int = -1
    by: str | None = None
    problem: str | None = None
    version: object = None

    @property
    def exists(self) -> bool:
        return self.version is not None


def record_name(address: str, secret: bytes) -> str:
    """Return the name of an address' record: a hash with the installation's key, the same for all spellings of a number
    on one channel."""
    same = addresses.on_its_channel(address)
    return hmac.digest(
        secret, f"opt-out {same}".encode(errors="surrogatepass"), "sha256"
    ).hex()[:32]


def parse(name: str, data: Mapping[str, Any] | None, version: object = None) -> OptOut:
    """Read a record. An invalid time counts as opted out: better no message than one that is not wanted."""
    fields = Fields(data)
    since, changed_at = fields.time("opted_out_at"), fields.time("changed_at")
    if since is None and fields.plain("opted_out_at") is not None:
        since = UNKNOWN_SINCE
    if changed_at is not None and isinstance(version, datetime):
        changed_at = min(changed_at, version)
    return OptOut(
        name,
        since,
        changed_at,
        conversation=fields.text("conversation"),
        index=max(-1, fields.whole("index", default=-1)),
        by=fields.text("by"),
        problem=fields.problem,
        version=version,
    )


def stored(opt_out: OptOut) -> dict[str, Any]:
    """Return the fields of the record."""
    return {
        "opted_out_at": opt_out.since,
        "changed_at": opt_out.changed_at,
        "conversation": opt_out.conversation,
        "index": opt_out.index,
        "by": opt_out.by,
    }


def decided(before: OptOut, wish: Wish) -> OptOut:
    """Return what is known after a wish; unchanged if a later one was heard before. A repeat keeps the first time."""
    is_needless = not before.exists and before.since is None and not wish.is_out
    if is_needless or not _is_later(before, wish):
        return before
    since = (before.since or wish.at) if wish.is_out else None
    return replace(
        before,
        since=since,
        changed_at=wish.at,
        conversation=wish.conversation or None,
        index=wish.index,
        by=wish.by,
    )


def _is_later(before: OptOut, wish: Wish) -> bool:
    """Order messages of one conversation by their index, and all other wishes by time."""
    is_same_conversation = (before.conversation or None) == wish.conversation
    if is_same_conversation and min(before.index, wish.index) >= 0:
        return wish.index > before.index
    return before.changed_at is None or wish.at >= before.changed_at


def times_in(fields: Fields, name: str) -> dict[str, datetime]:
    """Return a customer's `opted_out`, time by address. Any other value counts as opted out, and is reported."""
    times = {}
    for address, value in (fields.mapping(name) or {}).items():
        if value is None or value is False:
            continue
        at = Fields({"at": value}).time("at")
        if at is None:
            fields.complain(
                f"{name} has a value that is not a timestamp. The address counts as opted out."
            )
        times[str(address)] = at or UNKNOWN_SINCE
    return times


def since_in(times: Mapping[str, datetime], address: str) -> datetime | None:
    """Return since when this address is opted out by such a map, in any spelling of it on its channel."""
    same = addresses.on_its_channel(address)
    matches = [
        at for other, at in times.items() if addresses.on_its_channel(other) == same
    ]
    return min(matches, default=None)


def without(times: Mapping[str, datetime], address: str) -> dict[str, datetime]:
    """Return such a map without any spelling of this address on its channel."""
    same = addresses.on_its_channel(address)
    return {
        other: at
        for other, at in times.items()
        if addresses.on_its_channel(other) != same
    }


def sentence(since: datetime) -> str:
    """Return why nothing can be sent to the address, for a worker."""
    when = ""
    if since > UNKNOWN_SINCE:
        when = f" on {since.astimezone(UTC):%d %B %Y at %H:%M} UTC"
    return f"The customer opted out of messages{when}; only they can lift it, by writing START."
