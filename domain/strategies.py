"""The strategies: in which order free workers get the next conversation.

A further strategy is one entry here (its order), one index in firestore.indexes.json, and one line in the README.
Firestore returns workers in this order; `in_order` sorts workers from other sources in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.worker import Worker


@dataclass(frozen=True)
class Strategy:
    """`order`: fields of a worker's record, ascending, missing values first. `because`: the reason in the log."""

    order: tuple[str, ...]
    because: str


STRATEGIES = {
    "longest_idle": Strategy(("last_assigned_at",), "idle for the longest"),
    "least_busy": Strategy(("active", "last_assigned_at"), "holds the fewest"),
}
DEFAULT_STRATEGY = "longest_idle"


def in_order(strategy: str, free: Iterable[Worker]) -> list[Worker]:
    """Sort free workers by the pool's strategy; the next one to assign comes first.

    The order is that of a Firestore query with the strategy's `order`: ascending, missing values first.
    """
    fields = STRATEGIES[strategy].order

    def rank(worker: Worker) -> tuple[tuple[bool, object], ...]:
        return tuple(_missing_first(getattr(worker, name)) for name in fields)

    return sorted(free, key=rank)


def _missing_first(value: object) -> tuple[bool, object]:
    return value is not None, value or 0
