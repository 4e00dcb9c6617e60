"""Finding a customer by what somebody types: pure rules, the same for what is kept and what is asked.

Firestore has no search of its own. So a record keeps the map `search`: each beginning of each of its words, with
the value WORKER/SORT_NAME. Firestore indexes every key of a map by itself, so the range WORKER/ of the key that
somebody typed is that worker's customers with such a word, in the order of their names, from one index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from domain import addresses as spelling

LONGEST_TERM = 15  # characters of a word that are kept and compared
MOST_TERMS = 240  # per record; each is an entry in an index of its own
_MOST_OF_THE_NAME = (
    140  # leaves room for the addresses of somebody with a very long name
)
_LONGEST_SORT_NAME = 60
_MOST_WORDS_ASKED = 6
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile(r"(?<=\w)['’‘ʼʻ`´](?=\w)")
_HYPHENS = re.compile(r"(?<=\w)[\-\u2010-\u2015\u2212](?=\w)")
_ABROAD = re.compile(
    r"^00(?=[1-9]\d{3})"
)  # how many countries dial what is written as a plus
_DIGITS_APART = re.compile(r"(?<=\d)[\s().\-/]+(?=\d)")
# Letters that Unicode does not take apart into a letter and an accent.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


def folded(text: str) -> str:
    """Without case and accents: Ångström is angstrom, Groß is gross."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    seen = (
        c
        for c in apart
        if unicodedata.category(c)[0] != "M" and not spelling.is_invisible(c)
    )
    return "".join(seen).casefold().translate(_PLAIN)


def sort_name(display_name: str) -> str:
    return " ".join(folded(display_name).split())[:_LONGEST_SORT_NAME]


def entries(worker: str | None, name: str, terms: Iterable[str]) -> dict[str, str]:
    """The map `search`. No identity has a slash, so no worker's range reaches into another's."""
    return dict.fromkeys(terms, f"{worker or ''}/{name}")


def range_of(worker: str) -> tuple[str, str]:
    """Where the values of this worker begin, and where they have ended: 0 is what comes after a slash."""
    return f"{worker}/", f"{worker}0"


def terms(
    display_name: str, addresses: Iterable[str], numbers: Iterable[str]
) -> list[str]:
    """The beginnings of all words of the name, the e-mail addresses and the numbers.

    O'Hara-Smith is also found as ohara and as oharasmith.
    """
    name = folded(display_name)
    joined = _APOSTROPHES.sub("", name)
    forms = (name, _DIGITS_APART.sub("", name), joined, _HYPHENS.sub("", joined))
    found = _beginnings(
        [word for form in forms for word in _WORD.findall(form)], _MOST_OF_THE_NAME, {}
    )
    other = (address for address in addresses if not spelling.is_number(address))
    words = [
        word
        for address in other
        for word in _WORD.findall(folded(spelling.bare(address)))
    ]
    return list(_beginnings([*numbers, *words], MOST_TERMS, found))


def asked(query: str) -> list[str]:
    """The words that somebody asks for, the longest first. 0170 12-34 is one word, and so is whatsapp:+49 170 1234."""
    address = spelling.compact(query[:200])
    query = (
        spelling.bare(address)
        if spelling.is_number(address) or spelling.is_user_id(address)
        else query
    )
    words = {
        _ABROAD.sub("", word)[:LONGEST_TERM] for word in _asked(folded(query[:200]))
    }
    return sorted(words, key=lambda word: (-len(word), word))[:_MOST_WORDS_ASKED]


def _asked(folded_text: str) -> list[str]:
    return _WORD.findall(_DIGITS_APART.sub("", folded_text))


def _beginnings(
    words: Iterable[str], most: int, found: dict[str, None]
) -> dict[str, None]:
    """Adds to `found`, in order and without repeating, until there are `most`."""
    for word in words:
        for length in range(1, min(len(word), LONGEST_TERM) + 1):
            if len(found) >= most:
                return found
            found[word[:length]] = None
    return found
