"""Public holidays of countries and their parts, from the library `holidays`; names of countries from Babel's CLDR.

Both libraries load on first use: only instances whose pools name a country pay for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

from domain import typed_words

_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
_IN_TWO = re.compile(r"[-_ /]")
_OTHER_NAMES = {
    "uk": "GB",
    "great britain": "GB",
    "england": "GB-ENG",
    "america": "US",
    "holland": "NL",
}
_CODE = re.compile(r"[A-Za-z]{2,3}")
_USUAL_PART = re.compile(r"[A-Z]{2,3}")
_COMPARED_YEAR = 2027


class _Region(NamedTuple):
    country: str
    part: str | None = None


def of(names: Iterable[str]) -> Callable[[date], bool]:
    """Return whether a day is a public holiday in one of the countries or parts; an unknown name has none."""
    regions = [region for region in map(_region, names) if region is not None]
    return lambda day: any(day in _days(region, day.year) for region in regions)


def unknown(names: Iterable[str]) -> list[str]:
    """Return the names that are no country, and no part of one, with known holidays."""
    return [name for name in names if _region(name) is None]


def with_parts(names: Iterable[str]) -> dict[str, str]:
    """Return the named countries with further holidays in parts of them, each with an example such as GB: GB-ENG."""
    examples = {}
    for name in names:
        region = _region(name)
        if region is None or region.part is not None:
            continue
        if part := _part_with_more(region.country):
            examples[name] = f"{region.country}-{part}"
    return examples


def names_of(names: Iterable[str], day: date) -> list[str]:
    """Return what the countries or parts call the holiday on this day."""
    regions = [region for region in map(_region, names) if region is not None]
    called = (_days(region, day.year).get(day) for region in regions)
    return list(dict.fromkeys(filter(None, called)))


def countries() -> dict[str, str]:
    """Return the English names of all countries with known holidays, by code."""
    from babel import Locale

    territories = Locale("en").territories
    named = {code: str(territories.get(code, code)) for code in _codes()}
    return dict(sorted(named.items(), key=lambda country: country[1]))


def parts_of(country: str) -> dict[str, str]:
    """Return the names of a country's parts by code; empty for an unknown country."""
    from holidays import country_holidays

    if country not in _codes():
        return {}
    calendar = country_holidays(country)
    aliases = reversed(calendar.subdivisions_aliases.items())
    names = {code: name for name, code in aliases}
    return {code: names.get(code, code) for code in calendar.subdivisions}


@lru_cache(maxsize=500)
def _region(name: str) -> _Region | None:
    """Return the country, or the part of one, that a person means by "DE", "DEU", "Germany", "DE-BY" or "Bayern"."""
    typed = " ".join(name.split())
    plain = typed_words.plain(typed)
    if plain in _OTHER_NAMES:
        return _region(_OTHER_NAMES[plain])
    return (
        _found_by(_by_code, typed)
        or _found_by(_by_name, typed)
        or _only_part_called(plain)
    )


def _found_by(find_country: Callable[[str], str | None], typed: str) -> _Region | None:
    """Return the country, or the country and its part, if `find_country` finds the country."""
    if country := find_country(typed):
        return _Region(country)
    for gap in _IN_TWO.finditer(typed):
        country = find_country(typed[: gap.start()])
        part = typed_words.plain(typed[gap.end() :].strip())
        if country and part in _parts(country):
            return _Region(country, _parts(country)[part])
    return None


def _by_code(code: str) -> str | None:
    """Return the country's code of two letters. Loads no country but this one."""
    if not _CODE.fullmatch(code):
        return None
    from holidays import country_holidays

    try:
        return str(country_holidays(code.upper()).country)
    except NotImplementedError:
        return None


def _by_name(name: str) -> str | None:
    return _countries_by_name().get(typed_words.plain(name))


@cache
def _codes() -> frozenset[str]:
    """Return the codes of all countries that the library has."""
    from holidays import list_supported_countries

    return frozenset(list_supported_countries(include_aliases=False))


@cache
def _countries_by_name() -> Mapping[str, str]:
    """Return each country's code by its name in seven languages."""
    from babel import Locale

    return {
        typed_words.plain(name): code
        for language in reversed(_LANGUAGES)
        for code, name in Locale(language).territories.items()
        if code in _codes()
    }


@lru_cache(maxsize=300)
def _parts(country: str) -> Mapping[str, str]:
    """Return the codes of a country's parts by their codes, and by the other names that the library has."""
    from holidays import country_holidays

    calendar = country_holidays(country)
    codes = [
        *calendar.subdivisions,
        *getattr(calendar, "_deprecated_subdivisions", ()),
    ]
    names = dict(zip(codes, codes, strict=True)) | calendar.subdivisions_aliases
    return {typed_words.plain(name): code for name, code in names.items()}


@cache
def _parts_by_name() -> Mapping[str, frozenset[_Region]]:
    """Return all countries' parts by their plain names."""
    regions: dict[str, frozenset[_Region]] = {}
    for country in sorted(_codes()):
        for name, code in _parts(country).items():
            region = _Region(country, code)
            regions[name] = regions.get(name, frozenset()) | {region}
    return regions


def _only_part_called(plain: str) -> _Region | None:
    """Return the only part of this name in the world, such as Bayern; None for a code, and for a name of two parts."""
    is_code = len(plain) <= 3
    if is_code:
        return None
    regions = _parts_by_name().get(plain, frozenset())
    return next(iter(regions)) if len(regions) == 1 else None


@lru_cache(maxsize=500)
def _days(region: _Region, year: int) -> Mapping[date, str]:
    """Return the public holidays of one year with their English names."""
    from holidays import country_holidays

    return dict(
        country_holidays(
            region.country, subdiv=region.part, years=year, language="en_US"
        )
    )


@lru_cache(maxsize=300)
def _part_with_more(country: str) -> str | None:
    """Return a part with holidays that the whole country does not have, None if there is none."""
    whole = _days(_Region(country), _COMPARED_YEAR).keys()
    parts = sorted(
        set(_parts(country).values()),
        key=lambda code: (not _USUAL_PART.fullmatch(code), code),
    )
    for code in parts:
        if _days(_Region(country, code), _COMPARED_YEAR).keys() - whole:
            return code
    return None
