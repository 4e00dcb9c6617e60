"""Lists of a worker's customers: all of them, or the matches of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain import customer_record, customer_search, phone_numbers
from providers import customers, database
from providers.customers import Cursor

if TYPE_CHECKING:
    from providers.database import Snapshot


@dataclass(frozen=True)
class Page:
    """Records of one page, and where the next one begins; None at the end."""

    records: list[Snapshot]
    following: Cursor | None


LOOKED_THROUGH = (
    300  # records at most, for several words: Firestore looks up one word, the rarest
)
_COUNTED = 3  # words; the longest, which are usually the rarest


def words_of(typed: str | None) -> list[str]:
    """Return the words to search for; a number in the spelling that records have."""
    text = typed or ""
    return customer_search.asked(phone_numbers.normalised(text) or text)


def found(
    worker: str, words: list[str], after: Cursor | None, limit: int
) -> list[Snapshot]:
    """Return the worker's customers after the cursor, by name.

    For several words these are the customers with the rarest of the words: the caller checks the others by `has_all`.
    Reads `limit` records; the first page of a list costs one or two counted reads more, see _complete.
    """
    matches = _find(worker, words, after, limit)
    enough = 1 if words else limit
    if after is not None or len(matches) >= enough:
        return matches
    if _complete(worker, matches, words):
        return _find(worker, words, after, limit)
    return matches


def has_all(record: Snapshot, words: Sequence[str]) -> bool:
    """Return whether the record has all the words; the query has already checked a single one."""
    if len(words) < 2:
        return True
    terms = record.get("search")
    return isinstance(terms, dict) and set(words) <= set(terms)


def _complete(worker: str, matches: list[Snapshot], words: list[str]) -> bool:
    """Complete the records that the trigger has not processed; return whether there were any.

    No list finds a record without a name to sort by. The caller asks only for a short first page, or for a search
    without a match; this costs one or two counted reads.
    """
    listed = customers.how_many(worker, are_listed=True) if words else len(matches)
    if customers.how_many(worker) <= listed:
        return False
    additions = []
    for record in customers.of_worker(worker):
        data = record.to_dict() or {}
        if not customer_record.is_complete(data):
            additions.append((record, customer_record.kept(record.id, data).fields))
    try:
        customers.write(additions)
    except database.LostRace:  # a record was edited meanwhile: left for the next list
        return False
    return bool(additions)


def _find(
    worker: str, words: list[str], after: Cursor | None, limit: int
) -> list[Snapshot]:
    """Return one page: of all customers, or of those with the word, or with the rarest of several words."""
    if not words:
        return customers.listed(worker, after, limit)
    if len(words) == 1:
        return customers.searched(worker, words[0], after, limit)
    rarest = customers.rarest(worker, words[:_COUNTED], up_to=LOOKED_THROUGH)
    return customers.searched(worker, rarest, after, limit, with_terms=True)


def of_all(query: str, after: Cursor | None, limit: int) -> Page:
    """Return all workers' customers after the cursor: by name, or those with the words of a search.

    Firestore looks up one word, the longest; records without the others are left out, so a page may be short.
    """
    words = sorted(words_of(query), key=len, reverse=True)
    records = customers.all_with(words[0] if words else None, after, limit)
    last = records[-1] if len(records) == limit else None
    following = customers.cursor_of(last, words[0] if words else None) if last else None
    return Page([record for record in records if has_all(record, words)], following)
