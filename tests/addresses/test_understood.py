"""What people type as an address is understood, whoever typed it where: in one place, the same for all."""

import time

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import addresses, customer_record, customer_search, phone_numbers
from domain.pool import parse as parse_pool

NUMBER = "+447700900001"
USER_ID = "whatsapp:US.13491208655302741918"
INVISIBLE = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
    "\u00ad\ufeff\u061c\u034f\ufe0f\x00"
)
BLANKS = "\u00a0\u202f\u2007\u2009\u3000\u2800\t\n"

UNDERSTOOD = [
    ("+1 (202) 555-0102", "+12025550102"),
    ("(+44) 7700 900 001", NUMBER),
    ("[+44] 7700.900.001", NUMBER),
    ("+44–7700‑900−001", NUMBER),
    ("+44/7700/900001", NUMBER),
    ("＋４４ ７７００ ９０００－０１", NUMBER),
    ("+٤٤ ٧٧٠٠ ٩٠٠٠٠١", NUMBER),
    ("tel:+447700900001", NUMBER),
    ("TEL: +44 7700 900001", NUMBER),
    ("tel:+44-7700-900001;ext=5", NUMBER),
    ("tel://+447700900001", NUMBER),
    ("sms:+447700900001?body=Hello", NUMBER),
    ("callto:+447700900001", NUMBER),
    ("Mobile: +44 7700 900001", NUMBER),
    ("Mob. +44 7700 900001", NUMBER),
    ("m +44 7700 900001", NUMBER),
    ("Téléphone : +44 7700 900001", NUMBER),
    ("📱 +44 7700 900001", NUMBER),
    ("(mobile) +44 7700 900001", NUMBER),
    ("+44 7700 900001 (mobile)", NUMBER),
    ("+44 7700 900001 work", NUMBER),
    ("+44 7700 900001;", NUMBER),
    ("+4901701234567", "+491701234567"),
    ("+49 (0) 170 1234567", "+491701234567"),
    ("+4407700900021", "+447700900021"),
    ("+330612345678", "+33612345678"),
    ("+61 0412 345 678", "+61412345678"),
    ("+3800501234567", "+380501234567"),
    ("+390612345678", "+390612345678"),
    ("+39 (0)6 1234 5678", "+390612345678"),
    ("+2250123456789", "+2250123456789"),
    ("00447700900001", NUMBER),
    ("00 44 7700 900001", NUMBER),
    ("whatsapp:0044 7700 900001", f"whatsapp:{NUMBER}"),
    ("WhatsApp: +44 7700 900001", f"whatsapp:{NUMBER}"),
    ("WhatsApp +44 7700 900001", f"whatsapp:{NUMBER}"),
    ("What's App: +44 7700 900001", f"whatsapp:{NUMBER}"),
    ("whatsapp:+4901701234567", "whatsapp:+491701234567"),
    ("whatsapp:+5215512345678", "whatsapp:+5215512345678"),
    ("+52 1 55 1234 5678", "+525512345678"),
    ("+553188887777", "+553188887777"),
    ("rcs:+44 7700 900001", f"rcs:{NUMBER}"),
    (USER_ID, USER_ID),
    ("WhatsApp: US.aBc123", "whatsapp:US.aBc123"),
    ("US.13491208655302741918", USER_ID),
    ("whatsapp:US.ENT.11815799212886844830", "whatsapp:US.ENT.11815799212886844830"),
    ("messenger:1234567890123", "messenger:1234567890123"),
    ("Messenger: 1234", "messenger:1234"),
    ("chat:Bobby@Example.com", "chat:Bobby@Example.com"),
    ("Bobby@Example.COM", "bobby@example.com"),
    ("mailto:Bobby@example.com", "bobby@example.com"),
    ("E-Mail: bobby@example.com", "bobby@example.com"),
    ("Bobby Shaftoe <Bobby@Example.com>", "bobby@example.com"),
    ("12345", "12345"),
    ("  72 345 ", "72345"),
]
KEPT_AND_TOLD = [
    "0170 1234567",
    "15551234567",
    "(202) 555-0101",
    "+999 123 45678",
    "+1 555 123 4567 89012",
    "+1 555 123 4567 ext 5",
    "+1 (0)202 555 0101",
    "+1-800-FLOWERS",
    "+15551234567, +15557654321",
    "+15551234567 / +15557654321",
    "member 1234567",
    "skype:bobby",
    "pigeon:123",
    "fb:100001234567890",
    "whatsapp:",
    "messenger:",
    "ACME",
    "Bobby",
    "bobby@",
    "n/a",
]


@pytest.mark.parametrize(("typed", "wanted"), UNDERSTOOD)
def test_what_a_person_would_understand_is_understood(typed: str, wanted: str) -> None:
    record = customer_record.kept("c", {"display_name": "Bobby", "addresses": [typed]})
    assert record.addresses == [wanted]
    assert record.problems == ()
    assert phone_numbers.normalised(wanted) == wanted


@pytest.mark.parametrize("typed", KEPT_AND_TOLD)
def test_what_is_anybodys_guess_stays_as_typed_and_is_told(typed: str) -> None:
    record = customer_record.kept("c", {"display_name": "Bobby", "addresses": [typed]})
    assert record.addresses == [typed]
    assert f"{typed} is not an international number" in " ".join(record.problems)


@pytest.mark.parametrize("mark", INVISIBLE, ids=lambda mark: f"U+{ord(mark):04X}")
def test_what_nobody_sees_is_gone_before_anything_is_compared(mark: str) -> None:
    for seen in (NUMBER, f"whatsapp:{NUMBER}", "bobby@example.com", USER_ID, "12345"):
        typed = f"{mark}{seen[:5]}{mark}{seen[5:]}{mark}"
        assert addresses.compact(typed) == phone_numbers.normalised(typed) == seen
        assert addresses.key(typed) == addresses.key(seen)
    assert customer_search.asked(f"Bob{mark}by") == ["bobby"]


@pytest.mark.parametrize("blank", BLANKS, ids=lambda blank: f"U+{ord(blank):04X}")
def test_every_sort_of_blank_is_a_blank(blank: str) -> None:
    assert (
        phone_numbers.normalised(f"{blank}+44{blank}7700{blank}900001{blank}") == NUMBER
    )
    assert phone_numbers.normalised(f"Mobile:{blank}{NUMBER}") == NUMBER
    assert (
        phone_numbers.normalised(f"{blank}Bobby@example.com{blank}")
        == "bobby@example.com"
    )


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("Bob\u200bby", "Bob‹U+200B ZERO WIDTH SPACE›by"),
        ("0170\u202a1234567", "0170‹U+202A LEFT-TO-RIGHT EMBEDDING›1234567"),
        ("AC\u00adME", "AC‹U+00AD SOFT HYPHEN›ME"),
    ],
)
def test_an_invisible_character_in_what_is_not_understood_is_called_by_its_name(
    typed: str, named: str
) -> None:
    assert named in " ".join(customer_record.kept("c", {"addresses": [typed]}).problems)


@pytest.mark.parametrize(
    ("typed", "country", "wanted"),
    [
        ("0170 1234567", "DE", "+491701234567"),
        ("Mobil: 0170 1234567", "DE", "+491701234567"),
        ("tel:0170-1234567", "DE", "+491701234567"),
        ("whatsapp:0170 1234567", "DE", "whatsapp:+491701234567"),
        ("(202) 555-0101", "US", "+12025550101"),
        ("011 44 7700 900001", "US", NUMBER),
        ("00 44 7700 900001", "US", NUMBER),
        ("07700\u00a0900001", "GB", NUMBER),
        ("06 1234 5678", "IT", "+390612345678"),
        ("12345", "DE", "12345"),
        ("member 1234567", "DE", None),
        ("1-800-FLOWERS", "US", None),
        ("fb:100001234567890", "DE", None),
    ],
)
def test_national_numbers_are_understood_where_a_country_is_known(
    typed: str, country: str, wanted: str | None
) -> None:
    assert phone_numbers.normalised(typed, country) == wanted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+525512345678", "+5215512345678"),
        ("+5531988887777", "+553188887777"),
        ("+541112345678", "+5491112345678"),
    ],
)
def test_whatsapps_own_spellings_are_the_same_number_both_ways(
    one: str, other: str
) -> None:
    for first, second in ((one, other), (other, one)):
        assert f"whatsapp:{first}" in addresses.spellings(f"whatsapp:{second}")
        assert first in addresses.spellings(f"whatsapp:{second}")
        assert first in addresses.spellings(second)
        assert addresses.spellings(second)[0] == second
        assert first[1:] in phone_numbers.digits(f"whatsapp:{second}")
    forms = (one, other, f"whatsapp:{one}", f"whatsapp:{other}")
    assert len(set(map(addresses.key, forms))) == 1
    assert len({addresses.stable_id(form, b"key") for form in forms}) == 1


@pytest.mark.parametrize(
    "number", ["+553133334444", "+551140041234", "+52155123456", "+12025550102", NUMBER]
)
def test_no_other_number_has_a_second_spelling(number: str) -> None:
    assert addresses.numbers(number) == (number,)


def test_a_name_on_one_channel_is_nobody_on_another() -> None:
    assert addresses.spellings("messenger:12345") == ("messenger:12345",)
    assert addresses.key("messenger:12345") != addresses.key("12345")
    assert addresses.stable_id("whatsapp:US.aBc123", b"") != addresses.stable_id(
        "whatsapp:US.abc123", b""
    )


def test_every_countrys_numbers_stay_as_they_are_and_lose_what_is_dialled_at_home() -> (
    None
):
    """Where the zero that is dialled within the country was left in, and nowhere else."""
    keep_it = set()
    for region in phonenumbers.SUPPORTED_REGIONS:
        example_ = phonenumbers.example_number_for_type(
            region, phonenumbers.PhoneNumberType.MOBILE
        )
        if example_ is None:
            continue
        right = phonenumbers.format_number(
            example_, phonenumbers.PhoneNumberFormat.E164
        )
        assert phone_numbers.normalised(right) == right
        assert addresses.compact(right) == right
        assert addresses.is_plain(right) or example_.italian_leading_zero
        country = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if country is not None and country.national_prefix:
            code = f"+{example_.country_code}"
            at_home = f"{code}{country.national_prefix}{right.removeprefix(code)}"
            assert not addresses.is_plain(at_home) or country.national_prefix in (
                "1",
                "8",
            )
            if phone_numbers.normalised(at_home) != right:
                keep_it.add(region)
    assert keep_it <= {"CO"}  # where numbers of that length begin with 0 themselves


@given(st.text(max_size=40) | st.text("+0123456789 ()-:whatspel\u200b", max_size=30))
@example("whatsapp:whatsapp:US.1234")
@example("000")
def test_understanding_it_twice_is_understanding_it_once(typed: str) -> None:
    once = addresses.compact(typed)
    assert addresses.compact(once) == once
    understood = phone_numbers.normalised(typed)
    assert understood is None or phone_numbers.normalised(understood) == understood
    assert addresses.key(once) == addresses.key(typed)


@pytest.mark.parametrize(
    "typed",
    [
        " " * 50_000 + "@",
        "1" * 50_000,
        "1 " * 50_000 + "x5",
        "(" * 50_000,
        "a@" * 20_000,
        "\u200b" * 50_000,
    ],
)
def test_no_text_takes_long(typed: str) -> None:
    began = time.perf_counter()
    phone_numbers.normalised(typed)
    parse_pool("p", {"addresses": [typed] * 3})
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("typed", "is_one"),
    [
        ("+1 555 100 9300", True),
        ("whatsapp:+15551009300", True),
        ("(555) 100-9300", True),
        ("0170 1234567", True),
        ("Mobile: +44 7700 900001", True),
        ("\u202a+447700900001\u202c", True),
        ("Bobby@Example.com", True),
        (USER_ID, True),
        ("Bobby Shaftoe", False),
        ("1234", False),
        ("Studio 54", False),
        ("Bobby (0170 1234567)", False),
    ],
)
def test_who_is_called_by_an_address_has_no_name(typed: str, is_one: bool) -> None:
    assert addresses.is_only_an_address(typed) is is_one


@pytest.mark.parametrize(
    "typed",
    [
        "ohara",
        "o'hara",
        "O’Hara",
        "oharasmith",
        "zoe ohara",
        "smith",
        "hara",
        "ohara smith",
    ],
)
def test_words_are_found_joined_over_apostrophes_and_hyphens(typed: str) -> None:
    for name in ("Zoë O'Hara-Smith", "Zoë O’Hara‐Smith"):
        assert set(customer_search.asked(typed)) <= set(
            customer_search.terms(name, [], [])
        )


@pytest.mark.parametrize(
    ("typed", "name"),
    [("oneil", "Ann D'Angelo-O'Neil"), ("jeanluc", "Jean-Luc Picard")],
)
def test_each_joined_word_is_found(typed: str, name: str) -> None:
    assert set(customer_search.asked(typed)) <= set(customer_search.terms(name, [], []))
