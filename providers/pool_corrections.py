"""What is wrong with a pool's record, and its values in the spelling that queries need.

The trigger on pools writes both into the record. The desk refuses what is wrong, and saves the right spelling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain import phone_numbers, pool_record, pool_texts
from domain.fields import NO_LIMIT
from domain.pool import Pool, parse
from providers import pools, public_holidays, settings, templates

_NUMBERS = (
    "capacity",
    "priority",
    "answer_within",
    "unavailable_after",
    "overflow_after",
)


def problem(pool_id: str, data: Mapping[str, Any]) -> str | None:
    """Return the sentences for the field `problem`, None for a valid record."""
    pool = parse(pool_id, data)
    countries = pool_record.countries_of(data)
    same_name: Sequence[str] = ()
    if data.get("display_name"):
        same_name = pools.namesakes(pool_id, pool.display_name)
    return pool_record.problem(
        pool_id,
        data,
        pools.twins(pool_record.numbers_of(data), other_than=pool_id),
        unknown_countries=public_holidays.unknown(countries),
        overflow=pools.overflow_of(pool),
        namesakes=same_name,
        countries_with_parts=public_holidays.with_parts(countries),
        unknown_templates=templates.missing(pool_texts.templates_in(pool.texts)),
        zone=settings.load().zone,
    )


def checked(pool_id: str, data: Mapping[str, Any] | None) -> Pool:
    """Return the pool with the whole `problem` that its record would have."""
    pool = parse(pool_id, data)
    return replace(pool, problem=problem(pool_id, data or {}))


def normalized(pool_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a person typed in another spelling, in the one that queries need.

    Phone numbers as Twilio writes them, seconds as numbers, and the other pool by its id.
    """
    pool = parse(pool_id, data)
    changes = _typed_numbers(pool, data)
    numbers = phone_numbers.tidied(data.get("addresses"))
    if isinstance(numbers, list) and numbers != data["addresses"]:
        changes["addresses"] = numbers
    if pool.overflow:
        overflow_id = pools.as_called([pool.overflow])[0]
        if overflow_id != data["overflow"]:
            changes["overflow"] = overflow_id
    return changes


def _typed_numbers(pool: Pool, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the fields that hold a number as text, such as "5 min"; None: no limit."""
    changes: dict[str, Any] = {}
    for name in _NUMBERS:
        if isinstance(data.get(name), str) and name not in pool.invalid:
            number = getattr(pool, name)
            changes[name] = None if number in (None, NO_LIMIT) else int(number)
    return changes
