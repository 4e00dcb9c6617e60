"""The rules, without anything around them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain import addresses, rules, transitions
from domain.conversation import LONGEST_LOG, Conversation, Pending
from domain.fields import NO_LIMIT, Fields
from domain.pool import Pool
from domain.pool import parse as parse_pool
from domain.rules import Route
from domain.settings import Settings
from domain.worker import Worker, is_identity
from domain.worker import parse as parse_worker

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POOL = Pool("default", "Everyone")
ANN = Worker("ann", available=True, pools=("default",), is_complete=True)


@pytest.mark.parametrize(
    ("settings", "pool", "own", "expected"),
    [
        (Settings(), None, None, Route("pool", "default")),
        (Settings(), None, "ann", Route("pool", "default")),
        (Settings(default_pool="front"), None, None, Route("pool", "front")),
        (
            Settings(mode="none"),
            None,
            "ann",
            Route("none", "default", why="this number is not routed"),
        ),
        (Settings(mode="none"), Pool("s", "S", mode="pool"), None, Route("pool", "s")),
        (
            Settings(mode="pool"),
            Pool("s", "S", mode="none"),
            None,
            Route("none", "s", why="this number is not routed"),
        ),
        (
            Settings(mode="custom"),
            None,
            "ann",
            Route("custom", "default", "ann", "the customer's own worker"),
        ),
        (
            Settings(mode="custom"),
            Pool("s", "S"),
            None,
            Route("pool", "s", why="the customer has no worker of their own"),
        ),
        (
            Settings(mode="custom", custom_fallback="none"),
            None,
            None,
            Route("none", "default", why="the customer has no worker of their own"),
        ),
    ],
)
def test_a_route_follows_from_the_number_the_settings_and_the_customer(
    settings: Settings, pool: Pool | None, own: str | None, expected: Route
) -> None:
    assert rules.decide_route(settings, pool, own) == expected


@pytest.mark.parametrize(
    ("own", "capacities", "expected"),
    [
        (None, (5, 2), 5),
        (None, (), 5),
        (1, (5, 2), 1),
        (0, (5,), 0),
        (NO_LIMIT, (1,), NO_LIMIT),
        (None, (1, NO_LIMIT), NO_LIMIT),
    ],
)
def test_an_own_capacity_wins_else_the_largest_of_the_pools(
    own: float | None, capacities: tuple[float, ...], expected: float
) -> None:
    have = {str(i): Pool(str(i), "", capacity=c) for i, c in enumerate(capacities)}
    worker = replace(ANN, own_capacity=own, pools=tuple(have))
    assert rules.capacity_of(worker, have) == expected


@pytest.mark.parametrize(
    "worker",
    [
        replace(ANN, available=False),
        replace(ANN, active=5),
        replace(ANN, active=9),
        replace(ANN, active=None),
    ],
)
def test_nobody_takes_more_than_they_may(worker: Worker) -> None:
    theirs = {"sales": Pool("sales", "Sales", capacity=5)}
    assert not rules.can_take(replace(worker, pools=("sales",)), theirs)
    assert rules.can_take(replace(ANN, pools=("sales",), active=4), theirs)


@pytest.mark.parametrize(
    "status",
    ["available", "AVAILABLE", " Available", "Busy", "", True, 1, ["Available"]],
)
def test_only_exactly_available_is_available(status: object) -> None:
    worker = parse_worker("ann", {"status": status, "pools": ["default"]})
    assert not worker.available
    assert worker.problem is not None
    assert "status must be exactly Available or Unavailable" in worker.problem


@pytest.mark.parametrize(
    ("before", "after", "wakes"),
    [
        (None, ANN, True),
        (replace(ANN, available=False), ANN, True),
        (replace(ANN, full=True, active=5), replace(ANN, active=4), True),
        (replace(ANN, active=2), replace(ANN, active=1), True),
        (ANN, replace(ANN, pools=("default", "sales")), True),
        (ANN, replace(ANN, own_capacity=9), True),
        (ANN, replace(ANN, active=1), False),
        (ANN, replace(ANN, display_name="Ann"), False),
        (ANN, replace(ANN, available=False), False),
        (replace(ANN, active=2), replace(ANN, active=1, full=True), False),
        (replace(ANN, pools=("default", "sales")), ANN, False),
        (ANN, ANN, False),
    ],
)
def test_only_a_change_that_gives_room_wakes_the_queue(
    before: Worker | None, after: Worker, wakes: bool
) -> None:
    assert rules.wakes(before, after) is wakes


def test_a_conversation_back_in_the_queue_keeps_its_age() -> None:
    begun = Conversation("CH1", created_at=NOW - timedelta(hours=1))
    first = transitions.queued(begun, POOL, NOW, "")
    again = transitions.queued(
        replace(first, state="assigned", worker="ann"),
        POOL,
        NOW + timedelta(hours=2),
        "",
    )
    assert first.queued_at == again.queued_at == NOW
    assert again.worker is None


def test_who_left_is_not_asked_again_for_a_while() -> None:
    left = transitions.without(Conversation("CH1"), "ann", NOW)
    entry = Pending(
        "CH1", "default", left.excluded_workers, left.excluded_until, NOW, 0
    )
    assert not entry.is_for("ann", NOW + timedelta(minutes=4))
    assert entry.is_for("bob", NOW)
    assert entry.is_for("ann", NOW + timedelta(minutes=5))


def test_a_story_is_bounded() -> None:
    conversation = Conversation("CH1")
    for number in range(LONGEST_LOG + 5):
        conversation = conversation.noted(NOW, "assigned", str(number))
    assert len(conversation.log) == LONGEST_LOG
    assert conversation.log[-1]["why"] == str(LONGEST_LOG + 4)


@pytest.mark.parametrize(
    ("members", "full", "words"),
    [
        (0, 0, "no one belongs to Sales"),
        (4, 1, "no one in Sales is Available; 3 Unavailable, 1 full"),
        (2, 2, "no one in Sales is Available; 2 full"),
        (3, 0, "no one in Sales is Available; 3 Unavailable"),
    ],
)
def test_why_nobody_is_free_is_said_in_words(
    members: int, full: int, words: str
) -> None:
    assert rules.why_nobody(Pool("sales", "Sales"), members, full) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (130, "2 min 10 s"), (3600, "1 h 0 min"), (-3, "0 s")],
)
def test_waits_are_said_in_words(seconds: float, words: str) -> None:
    assert rules.in_words(seconds) == words


def test_only_a_lease_that_ran_out_leaves_an_assignment_to_others() -> None:
    claimed = transitions.claimed(Conversation("CH1"), ANN, "token", NOW, "")
    assert not rules.is_abandoned(claimed, NOW)
    assert rules.is_abandoned(claimed, NOW + transitions.LEASE)
    assert not rules.is_abandoned(
        transitions.confirmed(claimed, None, NOW), NOW + transitions.LEASE
    )


@pytest.mark.parametrize(
    ("value", "expected", "is_nonsense"),
    [
        (5, 5, False),
        (5.0, 5, False),
        (0, 0, False),
        (None, NO_LIMIT, False),
        ("5", 7, True),
        (-1, 7, True),
        (2.5, 7, True),
        (True, 7, True),
        (float("nan"), 7, True),
    ],
)
def test_a_capacity_is_a_whole_number_or_null(
    value: object, expected: float, is_nonsense: bool
) -> None:
    fields = Fields({"capacity": value})
    assert fields.limit("capacity", default=7) == expected
    assert (fields.problem is not None) is is_nonsense


def test_a_pool_without_a_record_has_the_defaults() -> None:
    pool = parse_pool("sales", None)
    assert (
        pool.display_name,
        pool.capacity,
        pool.strategy,
        pool.mode,
        pool.problem,
    ) == (
        "sales",
        5,
        "longest_idle",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("+12345678", ("+12345678",)),
        ("whatsapp:+12345678", ("whatsapp:+12345678", "+12345678")),
        ("bobby@example.com", ("bobby@example.com",)),
    ],
)
def test_the_exact_address_comes_before_the_bare_number(
    address: str, known: tuple[str, ...]
) -> None:
    assert addresses.spellings(address) == known


def test_an_unknown_sender_has_one_id_on_every_channel() -> None:
    of_number = addresses.stable_id("+12345678", b"key")
    assert of_number == addresses.stable_id("whatsapp:+12345678", b"key")
    assert of_number != addresses.stable_id("+12345679", b"key")
    assert of_number != addresses.stable_id("+12345678", b"another installation's")


@pytest.mark.parametrize(
    "identity", ["", "a/b", ".", "..", "__x__", "system", "US" + "0" * 32, "x" * 257]
)
def test_what_twilio_or_firestore_does_not_take_is_no_identity(identity: str) -> None:
    assert not is_identity(identity)
    assert is_identity("john@example.com")


@pytest.mark.parametrize("typed", ["none", "None", " NONE ", "none "])
def test_a_word_of_ours_is_understood_in_any_case(typed: str) -> None:
    parsed = parse_pool("sales", {"mode": typed, "strategy": "Least_Busy"})
    assert (parsed.mode, parsed.strategy, parsed.problem) == (
        "none",
        "least_busy",
        None,
    )


@pytest.mark.parametrize("typed", ["available", "AVAILABLE", "Available "])
def test_a_status_is_meant_to_the_letter(typed: str) -> None:
    parsed = parse_worker("ann@example.com", {"status": typed})
    assert not parsed.available
    assert "status" in (parsed.problem or "")
