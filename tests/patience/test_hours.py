"""When a pool is open: to the second, over midnight, when the clock is changed, on holidays, as people type it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.cloud.firestore import Client

from domain import hours
from domain.pool import Pool, parse
from domain.pool_texts import chosen, filled
from domain.waiting_words import expected_wait, opens
from providers import public_holidays
from tests.core import records
from tests.service import Service

BERLIN, NEW_YORK, CAIRO = (
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("America/New_York"),
    ZoneInfo("Africa/Cairo"),
)
SECOND = timedelta(seconds=1)
LONG_DAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
OFFICE = {"mon-fri": "09:00-12:00, 13:00-17:00"}


def pool(typed: Any = None, holidays: Any = ()) -> Pool:
    return parse("p", {"hours": typed, "holidays": list(holidays)})


def at(local: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    """This time on the wall, in UTC."""
    return datetime.fromisoformat(local).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def is_open(one: Pool, moment: datetime, zone: ZoneInfo = BERLIN) -> bool:
    return one.hours is None or hours.open_at(
        one.hours, moment, zone, public_holidays.of(one.hours.countries)
    )


def opening(one: Pool, moment: datetime, zone: ZoneInfo = BERLIN) -> datetime | None:
    assert one.hours is not None
    return hours.opens_next(
        one.hours, moment, zone, public_holidays.of(one.hours.countries)
    )


def test_it_opens_and_closes_to_the_second() -> None:
    office = pool(OFFICE)
    for begins, ends in (("09:00", "12:00"), ("13:00", "17:00")):
        first, last = at(f"2026-11-26 {begins}"), at(f"2026-11-26 {ends}")
        assert [
            is_open(office, moment)
            for moment in (first - SECOND, first, last - SECOND, last)
        ] == [*(False, True, True, False)]
    assert opening(office, at("2026-11-26 12:00")) == at("2026-11-26 13:00")
    assert opening(office, at("2026-11-26 17:00")) == at("2026-11-27 09:00")
    assert opening(office, at("2026-11-27 17:00")) == at(
        "2026-11-30 09:00"
    )  # over the weekend
    assert opening(office, at("2026-11-27 16:59:59")) == at("2026-11-27 16:59:59")


def test_past_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    bar = pool({"fri": "22:00-02:00", "sat": "18:00-24:00"}, ["2026-11-28"])
    assert is_open(
        bar, at("2026-11-28 01:59:59")
    )  # Friday's, though Saturday is a holiday
    assert not is_open(bar, at("2026-11-28 02:00"))
    assert not is_open(bar, at("2026-11-28 20:00"))
    assert is_open(bar, at("2026-12-05 23:59:59"))
    assert not is_open(bar, at("2026-12-06 00:00"))
    assert opening(bar, at("2026-11-28 02:00")) == at("2026-12-04 22:00")


def test_in_the_night_without_an_hour_it_opens_when_the_clock_jumps() -> None:
    early = pool({"daily": "02:30-06:00"})
    jump = at("2026-03-29 03:00")  # one second after 01:59:59
    assert opening(early, at("2026-03-28 12:00")) == jump
    assert [is_open(early, moment) for moment in (jump - SECOND, jump)] == [False, True]
    midnight = pool({"daily": "00:30-06:00"})  # in Cairo the clock jumps at midnight
    assert opening(midnight, at("2026-04-23 12:00", CAIRO), CAIRO) == at(
        "2026-04-24 01:00", CAIRO
    )


def test_the_hour_that_comes_twice_is_there_twice() -> None:
    night = pool({"daily": "02:15-02:45"})
    first, second = at("2026-10-25 02:15"), at("2026-10-25 02:15", fold=1)
    assert second - first == timedelta(hours=1)
    for begins in (first, second):
        ends = begins + timedelta(minutes=30)
        assert [
            is_open(night, moment)
            for moment in (begins - SECOND, begins, ends - SECOND, ends)
        ] == [*(False, True, True, False)]
    assert opening(night, first + timedelta(minutes=30)) == second
    late = pool({"daily": "22:00-02:30"})
    assert opening(late, at("2026-10-25 02:30")) == at("2026-10-25 02:00", fold=1)
    whole_day = pool({"sun": "24h"})
    day = [at("2026-10-25") + timedelta(hours=number) for number in range(26)]
    assert [is_open(whole_day, moment) for moment in day] == [True] * 25 + [False]


def test_holidays_are_dates_each_years_days_and_those_of_a_country() -> None:
    named = pool(
        OFFICE,
        ["2026-11-26", "24.12.", "DE-BY", datetime(2026, 11, 26, 23, tzinfo=UTC)],
    )
    noon = [
        f"{day} 10:00"
        for day in (
            "2026-11-26",
            "2026-11-27",
            "2027-12-24",
            "2026-06-04",
            "2026-11-30",
        )
    ]
    assert [is_open(named, at(moment)) for moment in noon] == [
        False,
        False,
        False,
        False,
        True,
    ]
    assert opening(named, at("2026-11-25 17:00")) == at("2026-11-30 09:00")
    assert is_open(
        pool(OFFICE, ["DE-BE"]), at("2026-06-04 10:00")
    )  # Corpus Christi is none in Berlin
    assert not is_open(pool(None, ["US"]), at("2026-07-03 10:00", NEW_YORK), NEW_YORK)
    assert is_open(pool(None, ["US"]), at("2026-07-02 10:00", NEW_YORK), NEW_YORK)


def test_who_never_opens_opens_at_no_time() -> None:
    assert opening(pool({"daily": "closed"}), at("2026-11-26 10:00")) is None
    assert is_open(pool(), at("2026-11-26 03:00"))


@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("9-17", ["9-17"]),
        ("9:00–17:00", ["9-17"]),
        ("9.00 - 17.00", ["9-17"]),
        ("9 Uhr bis 17 Uhr", ["9-17"]),
        ("9am-5pm", ["9-17"]),
        ("9-5 p.m.", ["9-17"]),
        ("1-5 pm", ["13-17"]),
        ("0900-1700", ["9-17"]),
        ("9h30-12h et 14h-18h", ["9.5-12", "14-18"]),
        ("9-12 13-17", ["9-12", "13-17"]),
        ("9 am to 12 pm 1 pm to 5 pm", ["9-12", "13-17"]),
        ("9-12\u200b,13-17", ["9-12", "13-17"]),
        (["09:00-12:00", "13:00-17:00"], ["9-12", "13-17"]),
        ("22:00-02:00", ["22-26"]),
        ("0-24", ["0-24"]),
        ("24/7", ["0-24"]),
        ("Closed", []),
        ("-", []),
        (None, []),
    ],
)
def test_what_people_type_is_understood(typed: Any, spans: list[str]) -> None:
    read = pool({"Monday": typed, "TUE": "9-17"})
    assert read.hours is not None and read.hours.week is not None
    hour = timedelta(hours=1)
    assert [
        f"{one.begins / hour:g}-{one.ends / hour:g}" for one in read.hours.week[0]
    ] == spans
    assert read.problem is None


@pytest.mark.parametrize(
    "typed",
    ["nine to five", "9-5", "25-26", "9:60-10:00", "9:00-9:00", 9, {"a": 1}, "9-"],
)
def test_nonsense_is_told_and_counts_as_open_all_day(typed: Any) -> None:
    read = pool({"mon": typed, "tue": "closed"})
    assert "hours" in (read.problem or "")
    assert is_open(read, at("2026-11-30 03:00"))
    assert not is_open(read, at("2026-12-01 12:00"))
    only = pool({"mon": typed})
    assert all(is_open(only, at(f"2026-12-0{day} 03:00")) for day in range(1, 8))


@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("9-17", [["9-17"]] * 7),
        ("all day", [["0-24"]] * 7),
        ("mon-fri 9-17", [["9-17"]] * 5 + [[], []]),
        ("Mon–Fri: 9:00–17:00; Sat 10-14", [["9-17"]] * 5 + [["10-14"], []]),
        (
            "; ".join(f"{day} 09:00-12:00, 13:00-17:00" for day in LONG_DAYS),
            [["9-12", "13-17"]] * 7,
        ),
        (
            "mon 9-12, 13-17, tue closed, w\u00aded 9-17",
            [["9-12", "13-17"], [], ["9-17"], [], [], [], []],
        ),
    ],
)
def test_a_whole_week_in_one_text_is_understood(
    typed: str, spans: list[list[str]]
) -> None:
    read = pool(typed)
    assert (
        read.hours is not None and read.hours.week is not None and read.problem is None
    )
    hour = timedelta(hours=1)
    assert [
        [f"{one.begins / hour:g}-{one.ends / hour:g}" for one in day]
        for day in read.hours.week
    ] == spans


def test_a_text_too_long_for_a_week_is_told_and_never_read_in_part() -> None:
    read = pool("mon 9-17; " * 150)
    assert "hours" in (read.problem or "") and is_open(read, at("2026-12-01 12:00"))


def test_a_day_wins_over_the_group_that_it_is_in() -> None:
    read = pool({"Wednesday": "closed", "Mo–Fr": "9-17", "weekend": "10-12"})
    week = [
        is_open(read, at(f"2026-12-0{day} 11:00")) for day in range(1, 8)
    ]  # from a Tuesday on
    assert week == [True, False, True, True, True, True, True]


def test_a_country_that_nobody_knows_is_told_in_the_record(
    service: Service, db: Client
) -> None:
    records.pool(
        db, "sales", holidays=["DE-BY", "DE-XX", "Bavaria"], hours={"mon": "soon"}
    )
    service.settle()
    problem = records.read(db, "pools", "sales")["problem"]
    assert (
        all(word in problem for word in ("DE-XX", "Bavaria", "soon"))
        and "holidays of DE-BY" not in problem
    )


def test_when_it_opens_is_said_on_the_pools_clock_in_the_texts_language() -> None:
    now = at("2026-11-26 18:00")
    said = [
        opens(at(when), now, BERLIN, "de-AT")
        for when in ("2026-11-26 19:30", "2026-11-30 09:00")
    ]
    assert said == ["19:30", "Montag 09:00"]
    assert (
        opens(at("2026-12-03 09:00"), now, BERLIN, "de") == "2026-12-03 09:00"
    )  # a week ahead: which Thursday?
    assert opens(at("2026-11-30 09:00"), now, BERLIN, None) == "2026-11-30 09:00"


def test_how_long_it_takes_is_said_only_where_there_is_a_pace() -> None:
    assert expected_wait(1, 2) is None
    assert [expected_wait(*one) for one in ((1, 3), (1, 60), (4, 9), (7, 3))] == [
        *("10 min", "1 min", "14 min", "1 h 10 min")
    ]
    assert expected_wait(100, 3) is None


def test_a_sentence_with_something_unknown_is_left_out() -> None:
    text = "Hello {{name}}, thanks! You are no. {{Position}} in line, approx. {{Wait}}. See https://x.example/a.b.\nBye"
    assert (
        filled(text, {"Name": "Ada", "Position": "2"})
        == "Hello Ada, thanks! See https://x.example/a.b.\nBye"
    )
    assert filled("{{Wait}} to go.", {}) == ""
    assert filled("{{Name}}", {"Name": "{{Wait}}"}) == "{{Wait}}"
    assert len(filled("{{Name}}.", {"Name": "x" * 2000})) == 1600


@pytest.mark.parametrize(
    "content",
    [
        "Hello {Name}",
        "Hello {{Nmae}}",
        "Hello {{Name}",
        "x" * 1601,
        "😀" * 801,
        5,
        ["x"],
    ],
)
def test_a_text_that_is_not_right_is_told_and_not_sent(content: Any) -> None:
    read = parse(
        "p", {"texts": {"queued": content, "Away": {"en": "Fine", "de": content}}}
    )
    assert "texts.queued" in (read.problem or "") and "texts.away.de" in (
        read.problem or ""
    )
    assert set(read.texts) == {"away"}
    assert chosen(read.texts["away"], "de") == read.texts["away"][0]
