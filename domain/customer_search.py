"""The search for a customer: the terms of a record, and the terms of a query.

Firestore has no search of its own. So a record keeps the map `search`: each beginning of each of its words, with
the value WORKER/SORT_NAME. Firestore indexes every key of a map, so the range WORKER/ of a typed key is that worker's
customers with such a word, in the order of their names, from one index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import filterfalse

from domain import addresses as spelling

LONGEST_TERM = 15  # characters of a word that are kept and compared
MOST_TERMS = 240  # per record; each is an entry in an index of its own
_MOST_OF_THE_NAME = 140  # a very long name leaves room for the addresses
_LONGEST_SORT_NAME = 60
_MOST_WORDS_ASKED = 6
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile(r"(?<=\w)['’‘ʼʻ`´](?=\w)")
_HYPHENS = re.compile(r"(?<=\w)[\-\u2010-\u2015\u2212](?=\w)")
# Many countries dial 00 for the plus.
_ABROAD = re.compile(r"^00(?=[1-9]\d{3})")
_DIGITS_APART = re.compile(r"(?<=\d)[\s().\-/]+(?=\d)")
# Letters that Unicode does not take apart into a letter and an accent.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


def folded(text: str) -> str:
    """Return the text without case and accents: Ångström is angstrom, Groß is gross."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(filterfalse(_is_left_out, decomposed))
    return letters.casefold().translate(_PLAIN)


def _is_left_out(character: str) -> bool:
    """Return whether a character is an accent or invisible."""
    is_mark = unicodedata.category(character)[0] == "M"
    return is_mark or spelling.is_invisible(character)


def sort_name(display_name: str) -> str:
    return " ".join(folded(display_name).split())[:_LONGEST_SORT_NAME]


def entries(worker: str | None, name: str, terms: Iterable[str]) -> dict[str, str]:
    """Return the map `search`. No identity has a slash, so workers' ranges are apart."""
    return dict.fromkeys(terms, f"{worker or ''}/{name}")


def range_of(worker: str) -> tuple[str, str]:
    """Return the first value of a worker, and the first one after: 0 follows the slash."""
    return f"{worker}/", f"{worker}0"


def terms(
    display_name: str, addresses: Iterable[str], numbers: Iterable[str]
) -> list[str]:
    """Return the beginnings of all words of the name, the e-mail addresses and the
    numbers; at most 240.

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
    """Return the words of a query, the longest first; at most 6.

    0170 12-34 is one word, and so is whatsapp:+49 170 1234.
    """
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
    """Add the beginnings to `found`, in order and each once, up to `most` of them."""
    for word in words:
        for length in range(1, min(len(word), LONGEST_TERM) + 1):
            if len(found) >= most:
                return found
            found[word[:length]] = None
    return found
