"""Who is chosen: of the workers who are free, in which order they get the next conversation.

A further strategy is one entry here (its order), one index in firestore.indexes.json, and one line in the README.
Firestore finds the workers in this order, and `in_order` sorts those that were found in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from domain.worker import Worker


@dataclass(frozen=True)
class Strategy:
    """`order`: fields of a worker's record, the smallest value first, where no value is smaller than any."""

    order: tuple[str, ...]
    because: str


STRATEGIES = {
    "longest_idle": Strategy(("last_assigned_at",), "idle for the longest"),
    "least_busy": Strategy(("active", "last_assigned_at"), "holds the fewest"),
}
DEFAULT_STRATEGY = "longest_idle"


def in_order(strategy: str, free: Iterable[Worker], not_to_ask: Collection[str]) -> list[Worker]:
    """The workers who may be asked, whoever is to be asked first first."""

    def rank(worker: Worker) -> tuple[tuple[bool, object], ...]:
        values = [getattr(worker, name) for name in STRATEGIES[strategy].order]
        return tuple((value is not None, value or 0) for value in values)

    return sorted((one for one in free if one.identity not in not_to_ask), key=rank)
