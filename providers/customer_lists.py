"""A worker's own customers, all or those that a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain import customer_record, customer_search, phone_numbers
from providers import customers, database
from providers.customers import Cursor

if TYPE_CHECKING:
    from providers.database import Snapshot

LOOKED_THROUGH = 300  # records at most, for several words: Firestore looks up one, the rarest of them
_COUNTED = 3  # words; the longest, which are the rarest as a rule


def words_of(typed: str | None) -> list[str]:
    """What to search for; a number in the one spelling that records have."""
    return customer_search.asked(phone_numbers.normalised(typed or "") or typed or "")


def found(
    worker: str, words: list[str], after: Cursor | None, limit: int
) -> list[Snapshot]:
    """From behind the cursor, by name; for several words those with the rarest of them: see `has_all`.

    Reads `limit` records; for a list that begins one or two counted reads more, see _complete.
    """
    few = _find(worker, words, after, limit)
    if (
        after is None
        and len(few) < (1 if words else limit)
        and _complete(worker, few, words)
    ):
        return _find(worker, words, after, limit)
    return few


def has_all(record: Snapshot, words: Sequence[str]) -> bool:
    """Whether it has all the words; of one alone the query has made sure."""
    terms = record.get("search") if len(words) > 1 else None
    return len(words) < 2 or set(words) <= set(terms if isinstance(terms, dict) else ())


def _complete(worker: str, few: list[Snapshot], words: list[str]) -> bool:
    """Whether there were records that the trigger has not seen: without a name to sort by no list finds them.

    Looks only where a list that begins is short, or a search finds nobody; costs one or two counted reads.
    """
    listed = customers.how_many(worker, are_listed=True) if words else len(few)
    if customers.how_many(worker) <= listed:
        return False
    records = [(one, one.to_dict() or {}) for one in customers.of_worker(worker)]
    incomplete = [
        (one, data) for one, data in records if not customer_record.is_complete(data)
    ]
    try:
        customers.write(
            (one, customer_record.kept(one.id, data).fields) for one, data in incomplete
        )
    except (
        database.LostRace
    ):  # somebody is editing one of them: they are left for the next time
        return False
    return bool(incomplete)


def _find(
    worker: str, words: list[str], after: Cursor | None, limit: int
) -> list[Snapshot]:
    if not words:
        return customers.listed(worker, after, limit)
    if len(words) == 1:
        return customers.searched(worker, words[0], after, limit)
    rarest = customers.rarest(worker, words[:_COUNTED], up_to=LOOKED_THROUGH)
    return customers.searched(worker, rarest, after, limit, with_terms=True)
