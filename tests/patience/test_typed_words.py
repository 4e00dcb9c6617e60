"""The names of days and months are those of the Unicode CLDR, in seven languages."""

from __future__ import annotations

import pytest
from babel import Locale

from domain import typed_words

CODES = {
    "English": "en",
    "German": "de",
    "French": "fr",
    "Spanish": "es",
    "Italian": "it",
    "Portuguese": "pt",
    "Dutch": "nl",
}


@pytest.mark.parametrize("language", CODES)
def test_each_days_names_are_those_of_its_language(language: str) -> None:
    known = typed_words.DAY_NAMES[language]
    for width in ("wide", "abbreviated"):
        for number, name in Locale(CODES[language]).days["format"][width].items():
            plain = typed_words.plain(name).strip(".").removesuffix("-feira")
            assert known.get(plain) == number, (width, name)


@pytest.mark.parametrize("language", CODES)
def test_each_months_names_are_those_of_its_language(language: str) -> None:
    for width in ("wide", "abbreviated"):
        for number, name in Locale(CODES[language]).months["format"][width].items():
            assert (
                typed_words.MONTHS.get(typed_words.plain(name).strip(".")) == number
            ), (width, name)


def test_no_name_means_two_days_in_one_language() -> None:
    for days in typed_words.DAY_NAMES.values():
        assert set(days.values()) == set(range(7))
    for name in (
        *typed_words.GROUPS,
        *typed_words.CLOSED,
        *typed_words.OPEN,
        *typed_words.MONTHS,
    ):
        assert name == typed_words.plain(name)
