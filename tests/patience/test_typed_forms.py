"""What people may type for hours and holidays: the tables of docs/patience.md, and what goes beyond them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain import hours, pool_record, settings
from domain.hours import DAYS, Holiday, Span
from domain.pool import Pool, parse
from providers import public_holidays

PAGE = Path(__file__).parents[2] / "docs" / "patience.md"
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {"mon-fri": "09:00-12:00, 13:00-17:00"}


def rows(heading: str) -> list[tuple[str, str]]:
    """Each form of a table of the page, with what it means."""
    table = (
        PAGE.read_text()
        .split(f"| {heading} | means |\n|---|---|\n")[1]
        .split("\n\n")[0]
    )
    cells = [re.split(r"(?<!\\)\|", line)[1:3] for line in table.splitlines()]
    return [
        (form.replace(r"\|", "|"), means.strip())
        for forms, means in cells
        for form in re.findall(r"`([^`]+)`", forms)
    ]


def clock(moment: timedelta) -> str:
    minutes = int(moment.total_seconds() // 60)
    return f"{minutes // 60 % 24 if minutes > 24 * 60 else minutes // 60:02}:{minutes % 60:02}"


def shown(spans: tuple[Span, ...]) -> str:
    return (
        " ".join(f"{clock(span.begins)}-{clock(span.ends)}" for span in spans)
        or "closed"
    )


def week(typed: Any) -> tuple[tuple[Span, ...], ...]:
    read = parse("p", {"hours": typed})
    assert read.hours is not None and read.hours.week is not None
    return read.hours.week


@pytest.mark.parametrize(("typed", "means"), rows("typed as days"))
def test_days_are_understood_as_the_page_says(typed: str, means: str) -> None:
    for given in ({typed: "9-17"}, f"{typed}: 9-17", f"{typed} 9-17"):
        read = parse("p", {"hours": given})
        assert read.problem is None
        named = [day for day, spans in zip(DAYS, week(given), strict=True) if spans]
        assert " ".join(named) == means, given


@pytest.mark.parametrize(("typed", "means"), rows("typed as times"))
def test_times_are_understood_as_the_page_says(typed: str, means: str) -> None:
    read = parse("p", {"hours": {"mon": typed, "tue": "9-17"}})
    monday = week({"mon": typed, "tue": "9-17"})[0]
    if means == "reported":
        assert "hours" in (read.problem or "") and shown(monday) == "00:00-24:00"
    else:
        assert (read.problem, shown(monday)) == (None, means)


def holiday_shown(holiday: Holiday) -> str:
    days = [
        f"{day:%m-%d}" if holiday.is_yearly else day.isoformat()
        for day in (holiday.first, holiday.last)
    ]
    text = " to ".join(dict.fromkeys(days))
    each = "each " if holiday.is_yearly else ""
    return f"{each}{text}" + (f", {shown(holiday.spans)}" if holiday.spans else "")


@pytest.mark.parametrize(("typed", "means"), rows("typed as a holiday"))
def test_holidays_are_understood_as_the_page_says(typed: str, means: str) -> None:
    read = parse("p", {"holidays": [typed]})
    if means == "reported":
        unknown = public_holidays.unknown(read.hours.countries) if read.hours else []
        assert "holidays" in (read.problem or "") or unknown == [typed]
        return
    assert read.problem is None and read.hours is not None
    if read.hours.countries:
        assert public_holidays.unknown([typed]) == []
        at = date(2026, 1, 1)
        typed_days, meant = public_holidays.of([typed]), public_holidays.of([means])
        year = [at + timedelta(days=number) for number in range(365)]
        assert [typed_days(day) for day in year] == [meant(day) for day in year]
        assert sum(map(meant, year)) > 4
    else:
        assert [holiday_shown(holiday) for holiday in read.hours.holidays] == [means]


@pytest.mark.parametrize(
    "name",
    ["Monday thru Fridy", "Mondayish", "m", "ma", "Every second Tuesday", "1", ""],
)
def test_a_name_that_is_not_understood_closes_no_day(name: str) -> None:
    given = {name: "9-17", "sat": "10-14"}
    read = parse("p", {"hours": given})
    assert "hours" in (read.problem or "")
    assert [shown(spans) for spans in week(given)] == ["00:00-24:00"] * 5 + [
        "10:00-14:00",
        "00:00-24:00",
    ]


def test_an_abbreviation_of_two_languages_is_read_by_its_neighbours() -> None:
    assert [bool(spans) for spans in week({"ma-vr": "9-17"})] == [True] * 5 + [
        False
    ] * 2  # Dutch
    assert [bool(spans) for spans in week({"ma-ve": "9-17"})] == [False] + [
        True
    ] * 4 + [False] * 2  # French
    french, german = (
        week({"lu-sa": "9-17", "di": "10-12"}),
        week({"mo": "9-17", "di": "10-12"}),
    )
    assert (shown(french[6]), shown(german[1])) == ("10:00-12:00", "10:00-12:00")


def test_two_entries_for_one_day_are_joined_or_reported() -> None:
    joined = {"mon": "9-12", "Monday": "13-17"}
    assert shown(week(joined)[0]) == "09:00-12:00 13:00-17:00"
    assert shown(week("Mon-Fri 9-12, Mon-Fri 13-17")[4]) == "09:00-12:00 13:00-17:00"
    contradicting = {"mon": "9-12", "Monday": "closed"}
    assert "both closed and open" in (
        parse("p", {"hours": contradicting}).problem or ""
    )
    assert shown(week(contradicting)[0]) == "09:00-12:00"
    assert [
        shown(week({"mon-fri": "9-17", "fri": "closed"})[day]) for day in (3, 4)
    ] == [
        "09:00-17:00",
        "closed",
    ]


def test_public_holidays_among_the_days_are_reported_and_close_no_day() -> None:
    given = {"mon-fri": "9-17", "Feiertage": "geschlossen"}
    assert "belongs to the field holidays" in (
        parse("p", {"hours": given}).problem or ""
    )
    assert [shown(spans) for spans in week(given)] == ["09:00-17:00"] * 5 + [
        "closed"
    ] * 2


@pytest.mark.parametrize(
    "typed",
    [
        {"open": "9:00", "close": "17:00"},
        {"from": "9", "to": "17"},
        ["09:00", "17:00"],
        [{"open": "9:00", "close": "12:00"}, {"open": "12:00", "close": "17:00"}],
    ],
)
def test_an_opening_and_a_closing_time_are_one_span(typed: Any) -> None:
    monday = week({"mon": typed})[0]
    assert (clock(monday[0].begins), clock(monday[-1].ends)) == ("09:00", "17:00")


@pytest.mark.parametrize(
    "typed",
    [
        "mon-fri 9-17, sat closed,",
        "mon-fri 9-17; sat closed;",
        ",mon-fri 9-17,, sat closed",
        "mon-fri 9-17\nsat closed\n",
    ],
)
def test_a_separator_too_many_opens_no_day(typed: str) -> None:
    pool = parse("sales", {"hours": typed})
    assert pool.problem is None
    assert pool.hours is not None
    assert pool.hours.week is not None
    assert [bool(spans) for spans in pool.hours.week] == [True] * 5 + [False] * 2


def test_a_list_of_texts_is_a_week() -> None:
    assert [shown(spans) for spans in week(["Mon-Fri 9-17", "Sat 10-14"])][4:] == [
        *("09:00-17:00", "10:00-14:00", "closed")
    ]


def test_no_pool_closes_for_a_minute_at_midnight() -> None:
    read = parse("p", {"hours": {"daily": "00:00-23:59"}})
    assert is_open(read, datetime(2026, 11, 26, 23, 59, 30, tzinfo=BERLIN))


def is_open(pool: Pool, moment: datetime, zone: ZoneInfo = BERLIN) -> bool:
    assert pool.hours is not None
    return hours.open_at(
        pool.hours, moment, zone, public_holidays.of(pool.hours.countries)
    )


def at(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=BERLIN)


def test_a_half_day_has_hours_of_its_own() -> None:
    for holidays in (
        {"24.12.": "10-12"},
        ["2026-12-24 10-12", "DE"],
        {"2026-12-20 - 2026-12-31": None, "24.12.2026": "10-12"},
    ):
        read = parse("p", {"hours": OFFICE, "holidays": holidays})
        assert [
            is_open(read, at(f"2026-12-24 {hour}"))
            for hour in ("09:30", "10:00", "11:59", "12:00", "14:00")
        ] == [*(False, True, True, False, False)]
    special_sunday = parse("p", {"hours": OFFICE, "holidays": {"2026-12-20": "13-18"}})
    assert is_open(special_sunday, at("2026-12-20 13:00"))
    each_year = parse("p", {"hours": OFFICE, "holidays": {"24.12.": "9-12"}})
    assert not is_open(each_year, at("2028-12-24 10:00"))  # a Sunday


def test_a_span_of_each_year_runs_over_the_turn_of_the_year() -> None:
    read = parse("p", {"hours": OFFICE, "holidays": "24.12.-6.1."})
    days = ("2026-12-23", "2026-12-24", "2027-01-01", "2027-01-06", "2027-01-07")
    assert [is_open(read, at(f"{day} 10:00")) for day in days] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_hours_of_a_holiday_that_are_not_understood_are_reported() -> None:
    read = parse("p", {"hours": OFFICE, "holidays": {"24.12.": "noonish"}})
    assert "noonish" in (read.problem or "") and is_open(read, at("2026-12-24 10:00"))


def problem_of(holidays: Any, zone: str = "UTC") -> str:
    data = {"holidays": holidays}
    countries = pool_record.countries_of(data)
    unknown, parts = (
        public_holidays.unknown(countries),
        public_holidays.with_parts(countries),
    )
    return pool_record.problem("p", data, {}, unknown, (), parts, ZoneInfo(zone)) or ""


@pytest.mark.parametrize(
    ("country", "has_parts"),
    [("GB", True), ("UK", True), ("CH", True), ("CA", True), ("AU", True)],
)
def test_a_country_whose_parts_have_more_holidays_gets_a_hint(
    country: str, has_parts: bool
) -> None:
    assert ("parts of it have more" in problem_of([country])) == has_parts


@pytest.mark.parametrize(
    "name", ["AT", "NL", "AT-W", "FR-GES", "GB-ENG", "GB-England", "DE-BY", "Bayern"]
)
def test_a_country_without_such_parts_and_a_part_get_none(name: str) -> None:
    assert problem_of([name]) == ""
    assert (
        sum(
            public_holidays.of([name])(date(2026, 1, 1) + timedelta(days=day))
            for day in range(365)
        )
        > 5
    )


@pytest.mark.parametrize(
    "name", ["Christmas", "DE-XX", "Bavaria", "Atlantis", "Weihnachten"]
)
def test_a_name_without_known_holidays_is_reported(name: str) -> None:
    assert name in problem_of([name])


def test_a_timestamp_that_is_no_midnight_is_reported() -> None:
    moment = datetime(
        2026, 12, 11, 23, tzinfo=UTC
    )  # midnight in Berlin, typed where time_zone was left out
    assert "2026-12-11 23:00" in problem_of([moment])
    assert problem_of([moment], "Europe/Berlin") == ""


@pytest.mark.parametrize(
    "typed",
    [
        "europe/berlin",
        "Europe/berlin",
        " Europe/Berlin ",
        "Europe/Berlin\u200b",
        "EUROPE/BERLIN",
    ],
)
def test_a_time_zone_in_another_spelling_is_understood(typed: str) -> None:
    read = settings.parse("routing", {"time_zone": typed})
    assert (read.time_zone, read.problem) == ("Europe/Berlin", None)
    assert (
        settings.parse("routing", {"time_zone": "America/New York"}).time_zone
        == "America/New_York"
    )


@pytest.mark.parametrize("typed", ["Berlin", "MEZ", "+01:00", "Mars/Olympus"])
def test_what_is_no_time_zone_is_reported(typed: str) -> None:
    assert "time_zone" in (
        settings.parse("routing", {"time_zone": typed}).problem or ""
    )


@pytest.mark.parametrize(("typed", "means"), rows("typed as seconds"))
def test_seconds_are_understood_as_the_page_says(typed: str, means: str) -> None:
    read = parse("p", {"overflow_after": typed})
    if means == "reported":
        assert "overflow_after" in (read.problem or "")
        return
    expected = None if means == "never" else int(means)
    assert (read.overflow_after, read.problem) == (expected, None)


@pytest.mark.parametrize(("typed", "means"), rows("typed as a field of a pool"))
def test_fields_are_understood_as_the_page_says(typed: str, means: str) -> None:
    read = parse("p", {typed: "300"})
    if means == "reported":
        assert typed in (read.problem or "")
    else:
        assert read == parse("p", {means: "300"})
        assert read.problem is None


@pytest.mark.parametrize(("typed", "means"), rows("typed as a time zone"))
def test_time_zones_are_understood_as_the_page_says(typed: str, means: str) -> None:
    read = settings.parse("routing", {"time_zone": typed})
    if means == "reported":
        assert "time_zone" in (read.problem or "")
    else:
        assert (read.time_zone, read.problem) == (means, None)


def test_a_deadline_counts_open_time_only() -> None:
    read = parse("p", {"hours": OFFICE, "holidays": ["2026-11-30"]})
    assert read.hours is not None
    none = public_holidays.of(())
    friday = at("2026-11-27 16:57")
    assert hours.open_for(read.hours, friday, 300, BERLIN, none) == at(
        "2026-12-01 09:02"
    )
    assert (
        hours.open_seconds(read.hours, friday, at("2026-12-01 09:02"), BERLIN, none)
        == 300
    )
    never = parse("p", {"hours": {"daily": "closed"}})
    assert (
        never.hours is not None
        and hours.open_for(never.hours, friday, 300, BERLIN, none) is None
    )
