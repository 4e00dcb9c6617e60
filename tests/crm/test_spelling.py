"""One spelling for every address, one for every name: done again it changes nothing."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain import addresses, customer_record, customer_search, phone_numbers


@pytest.mark.parametrize(
    ("typed", "country", "wanted"),
    [
        ("+1 555 123 4567", None, "+15551234567"),
        (" +44 (0)20 7946 0958 ", None, "+442079460958"),
        ("+49–170–1234567", None, "+491701234567"),
        ("whatsapp: +1 (555) 123-4567", None, "whatsapp:+15551234567"),
        ("WhatsApp:+5215512345678", None, "whatsapp:+5215512345678"),
        ("+12345678", None, "+12345678"),
        ("Bobby@Example.COM", None, "bobby@example.com"),
        ("+4901701234567", None, "+491701234567"),
        ("+4407700900001", None, "+447700900001"),
        ("whatsapp:+4901701234567", None, "whatsapp:+491701234567"),
        ("+390612345678", None, "+390612345678"),
        ("sms:+491701234567", None, "+491701234567"),
        ("tel: 0170 1234567", "DE", "+491701234567"),
        ("messenger: 1234", None, "messenger:1234"),
        ("0170 1234567", "DE", "+491701234567"),
        ("00447700900001", "DE", "+447700900001"),
        ("whatsapp:0170 1234567", "DE", "whatsapp:+491701234567"),
        ("+447700900001", "DE", "+447700900001"),
        ("0170 1234567", None, None),
        ("0044 7700 900001", None, "+447700900001"),
        ("15551234567", None, None),
        ("12345", "DE", "12345"),
        ("+999 123 45678", None, None),
        ("+20 0 10 1234 5678", None, "+201012345678"),
        ("+200000000000", None, None),
        ("+36 (06) 30 123 4567", None, "+36301234567"),
        ("+7 8 912 345-67-89", None, "+79123456789"),
        ("whatsapp:+370 8 612 34567", None, "whatsapp:+37061234567"),
        ("+1 1 202 555 0123", None, "+12025550123"),
        ("+7 812 345-67-89", None, "+78123456789"),
        ("whatsapp:+2000 10 1234 5678", None, None),
        ("+1 555 123 4567 89012", None, None),
        ("+1 555 123 4567 ext 5", None, None),
        ("1-800-FLOWERS", "US", None),
        ("Bobby", "DE", None),
        ("whatsapp:", "DE", None),
        ("", "DE", None),
    ],
)
def test_an_address_is_understood_or_it_is_not_guessed(
    typed: str, country: str | None, wanted: str | None
) -> None:
    assert phone_numbers.normalised(typed, country) == wanted


@given(
    st.one_of(
        st.text(max_size=20),
        st.from_regex(r"(whatsapp:)? ?\+?[0-9 ()\-]{3,18}", fullmatch=True),
    )
)
def test_spelling_an_address_twice_is_spelling_it_once(typed: str) -> None:
    once = phone_numbers.normalised(typed)
    assert once is None or phone_numbers.normalised(once) == once
    if once and addresses.channel(once) in ("sms", "whatsapp"):
        assert (
            addresses.is_number(once)
            or addresses.is_short_code(once)
            or addresses.is_user_id(once)
        )


@given(st.text(max_size=80), st.lists(st.text(max_size=30), max_size=4))
def test_what_is_kept_is_bounded_and_worked_out_again_it_is_the_same(
    name: str, typed: list[str]
) -> None:
    record = {"display_name": name, "addresses": typed, "worker": "john@example.com"}
    once = customer_record.kept("c", record)
    assert customer_record.kept("c", record | once.fields) == once
    assert len(once.search) <= customer_search.MOST_TERMS
    assert not customer_record.needs_care("c", record, record | once.fields)


@given(st.text(min_size=1, max_size=40))
def test_who_types_the_whole_name_finds_it(name: str) -> None:
    assume("00" not in customer_search.folded(name))  # may be how somebody dials a plus
    assert set(customer_search.asked(name)) <= set(customer_search.terms(name, [], []))


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Ångström", "angstrom"),
        ("GROẞ", "gross"),
        ("Łódź", "lodz"),
        ("Ørsted", "orsted"),
        ("ＡＢＣ", "abc"),
    ],
)
def test_case_and_accents_do_not_count(name: str, folded: str) -> None:
    assert customer_search.sort_name(name) == folded
