"""Who is chosen: of the workers who are free, in which order they get the next conversation.

A further strategy is one entry here (its order), one index in firestore.indexes.json, and one line in the README.
Firestore finds the workers in this order, and `in_order` sorts in the same way those that were found otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
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


def in_order(strategy: str, free: Iterable[Worker]) -> list[Worker]:
    """Whoever is to be asked first first."""

    def rank(worker: Worker) -> tuple[tuple[bool, object], ...]:
        values = [getattr(worker, name) for name in STRATEGIES[strategy].order]
        return tuple((value is not None, value or 0) for value in values)

    return sorted(free, key=rank)
