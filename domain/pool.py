"""A pool: who shares which Twilio numbers, and by which strategy the next worker is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain import addresses
from domain.fields import Fields
from domain.settings import MODES
from domain.strategies import DEFAULT_STRATEGY, STRATEGIES

DEFAULT_POOL = "default"
DEFAULT_CAPACITY = 5


@dataclass(frozen=True)
class Pool:
    id: str
    display_name: str
    addresses: tuple[str, ...] = ()
    mode: str | None = None
    strategy: str = DEFAULT_STRATEGY
    capacity: float = DEFAULT_CAPACITY
    problem: str | None = None


def parse(pool_id: str, data: Mapping[str, Any] | None, version: object = None) -> Pool:
    """The pool; one without a record works with the defaults."""
    fields = Fields(data)
    capacity = fields.limit("capacity", default=DEFAULT_CAPACITY)
    listed = fields.texts("addresses")
    for typed in listed:
        if (wanted := addresses.compact(typed)) != typed:
            fields.complain(f"addresses: “{typed}” is not found; write it as Twilio does: {wanted}.")
    strategy = fields.choice("strategy", tuple(STRATEGIES), DEFAULT_STRATEGY, DEFAULT_STRATEGY)
    return Pool(
        id=pool_id,
        display_name=fields.text("display_name") or pool_id,
        addresses=listed,
        mode=fields.choice("mode", MODES, default=None, safe=None),
        strategy=strategy or DEFAULT_STRATEGY,
        capacity=DEFAULT_CAPACITY if capacity is None else capacity,
        problem=fields.problem,
    )
