"""The fields that the service maintains in a pool's record: its numbers in Twilio's spelling, and the problem.

Imports the phone-number library: no webhook needs this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from domain import addresses, field_names, phone_numbers
from domain.fields import cut
from domain.pool import Pool, parse

NO_PARTS: Mapping[str, str] = MappingProxyType({})
_UTC = ZoneInfo("UTC")
_LONGEST_PROBLEM = 1500
_MOST_NAMED = 3


def numbers_of(data: Mapping[str, Any] | None) -> set[str]:
    """Return the record's numbers in Twilio's spelling."""
    return set(_read("", data or {}).addresses)


def countries_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the countries with public holidays for this pool, such as DE-BY."""
    hours = _read("", data).hours
    return hours.countries if hours else ()


def problem(
    pool_id: str,
    data: Mapping[str, Any],
    twins: Mapping[str, tuple[str, ...]],
    unknown_countries: Sequence[str] = (),
    overflow: Sequence[str | None] = (),
    countries_with_parts: Mapping[str, str] = NO_PARTS,
    zone: ZoneInfo = _UTC,
    unknown_templates: Sequence[str] = (),
    namesakes: Sequence[str] = (),
) -> str | None:
    """Return the sentences for the record; None if it has no problem.

    `twins` are other pools by id, with their numbers. `overflow` are the pools into which this one overflows, one after
    the other: the last is None if it does not exist, or one that came before. `countries_with_parts`: those with
    more holidays in their parts, with an example. `zone`: the time zone of the pools. `namesakes`: other pools with
    this display name.
    """
    pool = _read(pool_id, data)
    shared = [_shared(number, twins) for number in pool.addresses]
    unknown = [_unknown(name) for name in unknown_countries[:_MOST_NAMED]]
    partial = [
        _has_parts(*named) for named in list(countries_with_parts.items())[:_MOST_NAMED]
    ]
    missing = [
        f"texts: there is no template called {name}, so nothing is sent in its place."
        for name in unknown_templates[:_MOST_NAMED]
    ]
    sentences = (
        pool.problem,
        *unknown,
        *partial,
        *missing,
        *_not_at_midnight(pool, zone),
        *shared,
        _overflow(pool, overflow),
        _same_name(pool, namesakes),
    )
    return " ".join(filter(None, sentences))[:_LONGEST_PROBLEM] or None


def _same_name(pool: Pool, namesakes: Sequence[str]) -> str | None:
    if not namesakes:
        return None
    named = ", ".join(namesakes[:_MOST_NAMED])
    return f"display_name: {pool.display_name} also means the pool {named}; name these pools by their ids."


def _unknown(name: str) -> str:
    return (
        f"holidays: “{cut(name)}” is not a country or a part of one with known public holidays, and not a date. It is "
        "ignored. Write a country as DE or Germany, a part of it as DE-BY, a date as 2026-12-24."
    )


def _has_parts(name: str, example: str) -> str:
    return (
        f"holidays: {name} stands for the holidays of the whole country only; parts of it have more, and are written "
        f"such as {example}."
    )


def _not_at_midnight(pool: Pool, zone: ZoneInfo) -> list[str]:
    """Return a sentence for each timestamp that is not midnight: another day may be meant."""
    moments = sorted(pool.hours.moments if pool.hours else ())
    walls = [moment.astimezone(zone) for moment in moments]
    return [_is_no_day(wall, zone) for wall in walls if wall.time() != time()][
        :_MOST_NAMED
    ]


def _is_no_day(wall: datetime, zone: ZoneInfo) -> str:
    return (
        f"holidays: the timestamp {wall:%Y-%m-%d %H:%M} ({zone.key}) is not midnight. It counts as {wall:%Y-%m-%d}. "
        "Write the date as a text, such as 2026-12-24, or set time_zone in settings/routing and save this pool again."
    )


def _read(pool_id: str, data: Mapping[str, Any]) -> Pool:
    named = field_names.read(data, field_names.POOLS).data
    return parse(
        pool_id, {**named, "addresses": phone_numbers.tidied(named.get("addresses"))}
    )


def _overflow(pool: Pool, chain: Sequence[str | None]) -> str | None:
    if chain[:1] == [None]:
        return f"overflow: there is no pool called {pool.overflow}, so this pool has no overflow."
    if pool.id in chain:
        circle = ", ".join(
            str(name) for name in (pool.id, *chain[: chain.index(pool.id) + 1])
        )
        return f"overflow: {circle} is a circle: if all of these pools are busy, overflow has no effect."
    return None


def _shared(number: str, twins: Mapping[str, tuple[str, ...]]) -> str | None:
    same = addresses.on_its_channel(number)
    others = sorted(
        pool_id
        for pool_id, numbers in twins.items()
        if same in map(addresses.on_its_channel, numbers)
    )
    if not others:
        return None
    more = " and others" if len(others) > _MOST_NAMED else ""
    named = ", ".join(others[:_MOST_NAMED]) + more
    return f"addresses: {number} also belongs to the pool {named}: its messages enter the first of them by id."
