"""What the service keeps in a pool's record: its numbers in Twilio's spelling, and the problem.

Imports the phone-number library: no webhook needs this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain import addresses, phone_numbers
from domain.pool import Pool, parse

_LONGEST_PROBLEM = 1500
_MOST_NAMED = 3


def numbers_of(data: Mapping[str, Any] | None) -> set[str]:
    """The record's numbers in Twilio's spelling."""
    return set(_read("", data or {}).addresses)


def countries_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The countries whose public holidays count."""
    hours = _read("", data).hours
    return hours.countries if hours else ()


def problem(
    pool_id: str,
    data: Mapping[str, Any],
    twins: Mapping[str, tuple[str, ...]],
    unknown_countries: Sequence[str] = (),
    overflow: Sequence[str | None] = (),
) -> str | None:
    """The sentence for the record. `twins` are other pools by id, with their numbers; `overflow` are the pools into
    which this one overflows, one after the other: the last is None where there is none, or one met before."""
    pool = _read(pool_id, data)
    shared = [_shared(number, twins) for number in pool.addresses]
    unknown = [
        f"holidays: nobody knows the public holidays of {country}; a country is written DE, a part of it DE-BY."
        for country in unknown_countries[:_MOST_NAMED]
    ]
    sentences = (pool.problem, *unknown, *shared, _overflow(pool, overflow))
    return " ".join(filter(None, sentences))[:_LONGEST_PROBLEM] or None


def _read(pool_id: str, data: Mapping[str, Any]) -> Pool:
    return parse(pool_id, {**data, "addresses": phone_numbers.tidied(data.get("addresses"))})


def _overflow(pool: Pool, chain: Sequence[str | None]) -> str | None:
    if chain[:1] == [None]:
        return f"overflow: there is no pool called {pool.overflow}, so nobody there takes what waits here."
    if pool.id in chain:
        circle = ", ".join(str(name) for name in (pool.id, *chain[: chain.index(pool.id) + 1]))
        return f"overflow: {circle} is a circle: where all of them are busy, it helps nobody."
    return None


def _shared(number: str, twins: Mapping[str, tuple[str, ...]]) -> str | None:
    same = addresses.on_its_channel(number)
    others = sorted(twin for twin, theirs in twins.items() if same in map(addresses.on_its_channel, theirs))
    if not others:
        return None
    named = ", ".join(others[:_MOST_NAMED]) + (" and others" if len(others) > _MOST_NAMED else "")
    return f"addresses: {number} also belongs to the pool {named}: what arrives by it enters the first by id."
