"""A pool: who shares which Twilio numbers, and by which strategy the next worker is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain import addresses, pool_texts
from domain.field_names import POOLS
from domain.fields import Fields
from domain.hours import Hours
from domain.pool_texts import Texts
from domain.settings import MODES
from domain.strategies import DEFAULT_STRATEGY, STRATEGIES

DEFAULT_POOL = "default"
DEFAULT_CAPACITY = 5


@dataclass(frozen=True)
class Pool:
    """`answer_within`: seconds that a customer of an assigned conversation waits for an answer before it goes back to
    the queue. `overflow`: the pool whose workers may take, too, who has waited `overflow_after` seconds here.
    `unavailable_after`: how many in a row one worker lets go back before they turn Unavailable. None: never.
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
    texts: Texts = field(default_factory=dict)
    exists: bool = False
    invalid: frozenset[str] = frozenset()
    problem: str | None = None


def numbers_in(fields: Fields) -> tuple[str, ...]:
    """The pool's own senders at Twilio in `addresses`, however they are typed; anything else is reported."""
    typed = fields.texts("addresses")
    for one in typed:
        plain = addresses.compact(one)
        if not any(is_one(plain) for is_one in addresses.SENDERS):
            fields.complain(
                f"addresses: {addresses.shown(one)} is not a number of Twilio's such as +12025550102 or "
                "whatsapp:+12025550102 (with plus and country code), so nothing arrives by it."
            )
    return tuple(dict.fromkeys(map(addresses.compact, typed)))


def parse(pool_id: str, data: Mapping[str, Any] | None, version: object = None) -> Pool:
    """The pool; one without a record works with the defaults."""
    fields = Fields(data, typed_as=POOLS)
    hours = None
    if (
        "hours" in fields or "holidays" in fields
    ):  # most have none, and then an instance starts without it
        from domain import typed_hours

        hours = typed_hours.read(fields)
    capacity = fields.limit("capacity", default=DEFAULT_CAPACITY)
    listed = numbers_in(fields)
    strategy = fields.choice(
        "strategy", tuple(STRATEGIES), DEFAULT_STRATEGY, DEFAULT_STRATEGY
    )
    if (overflow := fields.record_name("overflow")) == pool_id:
        fields.complain("overflow names the pool itself; it is ignored.")
    return Pool(
        id=pool_id,
        display_name=fields.text("display_name") or pool_id,
        addresses=listed,
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
