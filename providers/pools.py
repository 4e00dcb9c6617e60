"""Pools: who shares which Twilio numbers, and by which rule the next worker is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from providers import addresses, database
from providers.fields import Fields
from providers.settings import MODES

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

    from providers.database import Snapshot

DEFAULT_POOL = "default"
DEFAULT_CAPACITY = 5
STRATEGIES = ("longest_idle", "least_busy")
_MOST_WITH_ONE_NUMBER = 3  # enough to see that a number is claimed twice


@dataclass(frozen=True)
class Pool:
    id: str
    display_name: str
    addresses: tuple[str, ...] = ()
    mode: str | None = None
    strategy: str = "longest_idle"
    capacity: float = DEFAULT_CAPACITY
    problem: str | None = None


def reference(pool_id: str) -> DocumentReference:
    return database.document("pools", pool_id)


def parse(pool_id: str, data: Mapping[str, Any] | None) -> Pool:
    """The pool; one without a record works with the defaults."""
    fields = Fields(data)
    capacity = fields.limit("capacity", default=DEFAULT_CAPACITY)
    for typed in fields.texts("addresses"):
        if (wanted := addresses.compact(typed)) != typed:
            fields.complain(f"addresses: “{typed}” is not found; write it as Twilio does: {wanted}.")
    return Pool(
        id=pool_id,
        display_name=fields.text("display_name") or pool_id,
        addresses=fields.texts("addresses"),
        mode=fields.choice("mode", MODES, default=None, safe=None),
        strategy=fields.choice("strategy", STRATEGIES, "longest_idle", "longest_idle") or "longest_idle",
        capacity=DEFAULT_CAPACITY if capacity is None else capacity,
        problem=fields.problem,
    )


def load(*pool_ids: str) -> dict[str, Pool]:
    """These pools in one round trip."""
    if not pool_ids:
        return {}
    snapshots = database.read(*(reference(pool_id) for pool_id in pool_ids))
    return {snapshot.id: parse(snapshot.id, snapshot.to_dict()) for snapshot in snapshots}


def of_numbers(proxy_addresses: Sequence[str]) -> list[Snapshot]:
    """The pools that name one of these Twilio numbers: one that names it exactly first, then by the bare number."""
    spellings = [s for address in proxy_addresses[:10] for s in addresses.spellings(address)]
    if not spellings:
        return []
    query = database.filtered("pools", [("addresses", "array_contains_any", list(dict.fromkeys(spellings)))])
    found = database.find(query.limit(_MOST_WITH_ONE_NUMBER))
    exact = set(proxy_addresses)
    return sorted(found, key=lambda s: (not exact & set(parse(s.id, s.to_dict()).addresses), s.id))
