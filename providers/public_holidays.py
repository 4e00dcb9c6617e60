"""Public holidays, from the library `holidays`: which days they are in these countries, such as DE or DE-BY."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache


def of(countries: Iterable[str]) -> Callable[[date], bool]:
    """Whether a day is a public holiday in one of the countries; one that nobody knows has none."""
    named = tuple(countries)
    return lambda day: any(day in _days(country, day.year) for country in named)


def unknown(countries: Iterable[str]) -> list[str]:
    """Those of them that the library does not know."""
    return [country for country in countries if not _is_known(country)]


@lru_cache(maxsize=500)
def _days(country: str, year: int) -> frozenset[date]:
    from holidays import country_holidays  # 0.1 s and more, only for who names a country

    name, _, part = country.partition("-")
    try:
        return frozenset(country_holidays(name, subdiv=part or None, years=year))
    except NotImplementedError:  # told in the pool's record: functions/pool_written.py
        return frozenset()


@lru_cache(maxsize=500)
def _is_known(country: str) -> bool:
    from holidays import list_supported_countries

    name, _, part = country.partition("-")
    parts = list_supported_countries(include_aliases=True).get(name)
    return parts is not None and (not part or part in parts)
