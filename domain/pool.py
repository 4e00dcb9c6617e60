"""A pool: its Twilio numbers, and the rules by which its workers get conversations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain import addresses, pool_texts
from domain.field_names import POOLS
from domain.fields import Fields
from domain.hours import Hours
from domain.opening import Opening
from domain.pool_texts import Texts
from domain.settings import MODES
from domain.strategies import DEFAULT_STRATEGY, STRATEGIES

DEFAULT_POOL = "default"
DEFAULT_CAPACITY = 5


@dataclass(frozen=True)
class Pool:
    """A pool's record. `answer_within`: the answer deadline, in seconds; after it, a conversation returns to the queue.

    `overflow`: the pool whose workers may also take conversations that have waited `overflow_after` seconds here.
    `unavailable_after`: how many answer deadlines in a row a worker misses before they turn Unavailable. None: never.
    `opening`: the clock by which all these seconds count; None: the pool is always open.
    """

    id: str
    display_name: str
    addresses: tuple[str, ...] = ()
    mode: str | None = None
    strategy: str = DEFAULT_STRATEGY
    capacity: float = DEFAULT_CAPACITY
    priority: int = 0
    overflow: str | None = None
    overflow_after: int | None = 0
    answer_within: int | None = None
    unavailable_after: int | None = None
    hours: Hours | None = None
    opening: Opening | None = field(default=None, compare=False)
    texts: Texts = field(default_factory=dict)
    exists: bool = False
    invalid: frozenset[str] = frozenset()
    problem: str | None = None


def numbers_in(fields: Fields) -> tuple[str, ...]:
    """Read the pool's Twilio senders in `addresses`, in any spelling; any other address is reported."""
    typed = fields.texts("addresses")
    for address in typed:
        plain = addresses.compact(address)
        if not any(is_sender(plain) for is_sender in addresses.SENDERS):
            fields.complain(
                f"addresses: {addresses.shown(address)} is not a number of Twilio's such as +12025550102 or "
                "whatsapp:+12025550102 (with plus and country code), so nothing arrives by it."
            )
    return tuple(dict.fromkeys(map(addresses.compact, typed)))


def parse(pool_id: str, data: Mapping[str, Any] | None, version: object = None) -> Pool:
    """Read a pool's record; a pool without one has the defaults. Invalid values are reported in `problem`."""
    fields = Fields(data, typed_as=POOLS)
    hours = _hours(fields)
    capacity = fields.limit("capacity", default=DEFAULT_CAPACITY)
    numbers = numbers_in(fields)
    strategy = fields.choice(
        "strategy", tuple(STRATEGIES), DEFAULT_STRATEGY, DEFAULT_STRATEGY
    )
    if (overflow := fields.record_name("overflow")) == pool_id:
        fields.complain("overflow names the pool itself. It is ignored.")
    return Pool(
        id=pool_id,
        display_name=fields.text("display_name") or pool_id,
        addresses=numbers,
        mode=fields.choice("mode", MODES, default=None, safe=None),
        strategy=strategy or DEFAULT_STRATEGY,
        capacity=DEFAULT_CAPACITY if capacity is None else capacity,
        priority=fields.whole("priority", default=0),
        overflow=None if overflow == pool_id else overflow,
        overflow_after=fields.delay("overflow_after", default=0, least=0),
        answer_within=fields.delay("answer_within"),
        unavailable_after=fields.times("unavailable_after"),
        hours=hours,
        texts=pool_texts.read(fields) if "texts" in fields else {},
        exists=data is not None,
        invalid=frozenset(fields.invalid),
        problem=fields.problem,
    )


def _hours(fields: Fields) -> Hours | None:
    if "hours" not in fields and "holidays" not in fields:
        return None
    # Most pools have no hours, and then an instance starts faster without their reader.
    from domain import typed_hours

    return typed_hours.read(fields)
