"""What follows from the figures, as plain functions over plain values."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from domain.figures import EDGES, Span, Waits, buckets, percentile
from functions.wallboard.attention import in_queue
from functions.wallboard.figures import (
    Now,
    PoolRow,
    Waiting,
    hours_of_day,
    parts_of_day,
)
from functions.wallboard.statistics import Workforce
from functions.wallboard.wording import duration, percent

NOON = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)


def waits_of(*seconds: float) -> Waits:
    at_most = tuple(sum(one <= edge for one in seconds) for edge in EDGES)
    return Waits(arrived=len(seconds), seconds=sum(seconds), at_most=at_most)


def test_the_percentile_lies_in_the_bucket_of_the_exact_one() -> None:
    seconds = [float(i) for i in range(1, 101)]
    found = percentile(waits_of(*seconds), 0.95)
    assert found is not None
    assert 60 < found <= 120
    assert percentile(waits_of(*[1.0] * 99, 500.0), 0.95) is not None
    assert (percentile(waits_of(*[1.0] * 99, 500.0), 0.95) or 0) <= 5


def test_nobody_answered_has_no_percentile_and_a_wait_past_the_last_edge_has_no_number() -> (
    None
):
    assert percentile(Waits(), 0.95) is None
    assert percentile(waits_of(9000.0), 0.95) == float("inf")
    assert duration(float("inf")) == "over 1 h"
    one_came_between_the_two_counts = Waits(arrived=1, unanswered=2)
    assert percentile(one_came_between_the_two_counts, 0.95) is None
    assert (duration(None), percent(None)) == ("–", "–")


def test_the_buckets_sum_up_to_those_answered() -> None:
    waits = waits_of(1, 7, 7, 45, 4000)
    assert sum(buckets(waits)) == waits.answered == 5
    assert buckets(waits)[0] == 1
    assert buckets(waits)[-1] == 1


def test_a_day_on_which_the_clocks_change_has_23_or_25_hours() -> None:
    last_minute = {"2026-03-29": 23, "2026-10-25": 25, "2026-06-01": 24}
    for day, count in last_minute.items():
        midnight = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=UTC)
        offset = timedelta(hours=1 if day != "2026-06-01" and count == 25 else 0)
        now = midnight + timedelta(hours=21, minutes=30) + offset
        assert len(hours_of_day(now, "Europe/Berlin")) == count


def test_a_day_begins_at_midnight_where_the_people_are() -> None:
    assert hours_of_day(NOON, "Asia/Tokyo")[0].start == datetime(
        2026, 5, 31, 15, tzinfo=UTC
    )


def test_the_parts_of_a_day_cover_it_without_a_gap_or_an_overlap() -> None:
    for minutes in (0, 3, 6, 59, 60, 62, 66, 700, 1439):
        now = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        hours = hours_of_day(now, "UTC")
        parts = parts_of_day(hours, now)
        assert parts[0].start == hours[0].start
        assert parts[-1].end == hours[-1].end
        assert all(a.end == b.start for a, b in pairwise(parts))
        assert len(parts) == 1 or parts[0].end <= now - timedelta(minutes=5)


def test_stuck_is_who_waits_too_long_and_a_pool_that_nobody_belongs_to() -> None:
    long_ago, just_now = NOON - timedelta(minutes=11), NOON - timedelta(minutes=9)
    queue = (
        Waiting("CH1", "sales", "Ada", long_ago, "no one in Sales is Available"),
        Waiting("CH2", "sales", "Grace", just_now, "others wait"),
    )
    rows = (
        PoolRow("sales", "Sales", 2, long_ago, Workforce(unavailable=1)),
        PoolRow("orphans", "Orphans", 1, just_now, Workforce()),
    )
    found = [
        *in_queue(Now(NOON, 3, long_ago, Workforce(unavailable=1), rows, False, queue))
    ]
    assert [(one.what, one.sid) for one in found] == [("Orphans", None), ("Ada", "CH1")]
    assert "11 min 0 s; no one in Sales is Available" in found[1].why


def test_waits_of_two_spans_add_up() -> None:
    both = waits_of(1, 30) + waits_of(70)
    assert both == waits_of(1, 30, 70)
    assert Span(NOON, NOON) == Span(NOON, NOON)
