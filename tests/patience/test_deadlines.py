"""No unanswered customer is lost: deadlines of inactive conversations, lost replies, open hours, and five returns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.cloud.firestore import Client

from assignment import supervising
from assignment.supervising import Act
from domain import hours, messages, opening
from domain.conversation import CUSTOMER, WORKER, Conversation
from domain.delivery import Failure
from domain.hours import ALL_DAY, Hours, Span
from domain.messages import Message
from domain.opening import Opening
from providers import clock
from tests.core import forms, records
from tests.core.records import conversation, is_pending, workers_in
from tests.core.test_answers import answer, lose, pass_time, sweep
from tests.core.test_routing import write
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
ADA = "+15550000001"
OFFICE_HOURS = {"mon-fri": "09:00-17:00"}
FRIDAY_16_57 = timedelta(hours=16, minutes=57)


@pytest.fixture
def sid(service: Service, db: Client) -> str:
    """A conversation that Ann has, in a pool with an answer deadline of five minutes."""
    records.pool(db, "default", answer_within=300, unavailable_after=9)
    records.worker(db, ANN)
    service.settle()
    return write(service)


def write_again(service: Service, text: str = "Hello?") -> None:
    service.standin.inbound(ADA, forms.PROXY, text)
    service.settle()


def set_state(service: Service, sid: str, state: str) -> None:
    service.standin.set_state(sid, state)
    service.settle()


def wait_until(service: Service, moment: datetime) -> None:
    pass_time(service, (moment - clock.now()).total_seconds())


def friday() -> datetime:
    """Return midnight of a Friday that is still to come."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=(4 - today.weekday()) % 7 + 7)


def worker(db: Client, identity: str = ANN) -> dict[str, Any]:
    return records.read(db, "workers", identity)


def state(db: Client, sid: str) -> tuple[str, str | None]:
    record = conversation(db, sid)
    return record["state"], record["worker"]


def test_an_inactive_conversation_goes_back_after_the_deadline(
    service: Service, db: Client, sid: str
) -> None:
    set_state(service, sid, "inactive")
    assert state(db, sid) == ("inactive", ANN)
    pass_time(service, 400)
    sweep(service)
    assert state(db, sid) == ("queued", None)
    assert worker(db)["missed"] == 1
    assert worker(db)["active"] == 0
    records.worker(db, BEN)
    service.settle()
    assert conversation(db, sid)["worker"] == BEN


def test_an_inactive_conversation_that_was_answered_stays(
    service: Service, db: Client, sid: str
) -> None:
    answer(service, sid)
    set_state(service, sid, "inactive")
    pass_time(service, 4000)
    sweep(service)
    assert state(db, sid) == ("inactive", ANN)


def test_the_deadline_starts_again_when_the_conversation_turns_active(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    set_state(service, sid, "inactive")
    pass_time(service, 86_400)
    records.pool(db, "default", answer_within=600)
    service.settle()
    write_again(service)
    assert state(db, sid) == ("assigned", ANN)
    pass_time(service, 60)
    sweep(service)
    assert state(db, sid) == ("assigned", ANN)
    pass_time(service, 600)
    sweep(service)
    assert state(db, sid) == ("queued", None)


@pytest.mark.parametrize("code", [30003, 63016, 21610])
def test_a_reply_that_was_not_delivered_ends_no_wait(
    service: Service, db: Client, sid: str, code: int
) -> None:
    asked = conversation(db, sid)["awaiting_since"]
    service.standin.refuse_delivery(ADA, code)
    answer(service, sid)
    record = conversation(db, sid)
    assert abs(record["awaiting_since"] - asked) < timedelta(seconds=1)
    assert record["first_answer_at"] is None
    assert record["undelivered_at"] is not None
    pass_time(service, 400)
    sweep(service)
    assert conversation(db, sid)["state"] == "queued"
    assert worker(db).get("missed", 0) == 0, "Ann has answered"


def test_a_later_reply_that_arrives_ends_the_wait(
    service: Service, db: Client, sid: str
) -> None:
    service.standin.refuse_delivery(ADA, 30003)
    answer(service, sid)
    service.standin.refuse_delivery(ADA, status="delivered")
    answer(service, sid)
    record = conversation(db, sid)
    assert record["awaiting_since"] is None
    assert record["undelivered_at"] is None
    assert record["first_answer_at"] is not None


def test_a_report_that_comes_before_the_message_counts_too(
    service: Service, db: Client, sid: str
) -> None:
    lose(service, "onMessageAdded")
    service.standin.refuse_delivery(ADA, 30003)
    answer(service, sid)
    service.standin.heal()
    sweep(service)
    record = conversation(db, sid)
    assert [message["from"] for message in record["heard"]] == ["customer", "worker"]
    assert record["awaiting_since"] is not None


def test_a_failed_reply_that_arrives_after_all_ends_the_wait(
    service: Service, db: Client, sid: str
) -> None:
    service.standin.refuse_delivery(ADA, 30003)
    answer(service, sid)
    message = service.standin.messages(sid)[-1]["sid"]
    service.standin.deliver(sid, message, "delivered")
    service.settle()
    record = conversation(db, sid)
    assert record["awaiting_since"] is None
    assert record["first_answer_at"] is not None


def test_seconds_count_only_while_the_pool_is_open(
    service: Service, db: Client
) -> None:
    monday = friday() + timedelta(days=3)
    wait_until(service, friday() + FRIDAY_16_57)
    records.pool(db, "default", answer_within=300, hours=OFFICE_HOURS)
    records.worker(db, ANN)
    service.settle()
    sid = write(service)
    for moment in (timedelta(hours=-24), timedelta(hours=9, minutes=1)):
        wait_until(service, monday + moment)
        sweep(service)
        assert state(db, sid) == ("assigned", ANN), moment
    wait_until(service, monday + timedelta(hours=9, minutes=2, seconds=30))
    sweep(service)
    assert state(db, sid) == ("queued", None)


def test_overflow_counts_only_while_the_pool_is_open(
    service: Service, db: Client
) -> None:
    monday = friday() + timedelta(days=3)
    wait_until(service, friday() + FRIDAY_16_57)
    other = {"overflow": "other", "overflow_after": 300}
    records.pool(db, "default", hours=OFFICE_HOURS, **other)
    records.pool(db, "other")
    service.settle()
    sid = write(service)
    due = conversation(db, sid)["due_at"]
    assert monday + timedelta(hours=9, minutes=1) < due
    assert due < monday + timedelta(hours=9, minutes=3)


def test_the_wait_for_the_assigned_worker_counts_only_while_the_pool_is_open(
    service: Service, db: Client
) -> None:
    monday = friday() + timedelta(days=3)
    wait_until(service, friday() + FRIDAY_16_57)
    records.pool(db, "default", hours=OFFICE_HOURS)
    records.routing(db, mode="custom", own_worker="wait", own_worker_wait=300)
    records.customer(db, "ada", addresses=[ADA], worker=ANN)
    records.worker(db, ANN, "Unavailable")
    service.settle()
    sid = write(service, ADA)
    due = conversation(db, sid)["due_at"]
    assert monday + timedelta(hours=9, minutes=1) < due
    assert due < monday + timedelta(hours=9, minutes=3)


def test_an_unavailable_worker_misses_nothing(
    service: Service, db: Client, sid: str
) -> None:
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    pass_time(service, 400)
    sweep(service)
    assert state(db, sid) == ("queued", None)
    assert worker(db).get("missed", 0) == 0


def test_turning_available_begins_the_count_again(
    service: Service, db: Client, sid: str
) -> None:
    pass_time(service, 400)
    sweep(service)
    assert worker(db)["missed"] == 1
    records.set_status(db, ANN, "Unavailable")
    service.settle()
    records.set_status(db, ANN, "Available")
    service.settle()
    assert worker(db)["missed"] == 0


def test_a_miss_counts_once_per_conversation_and_wait(
    service: Service, db: Client, sid: str
) -> None:
    for _ in range(3):
        pass_time(service, 700)
        sweep(service)
    assert conversation(db, sid)["returns"] > 1
    assert worker(db)["missed"] == 1


def five_returns(service: Service, db: Client, sid: str) -> None:
    for _ in range(12):
        pass_time(service, 700)
        sweep(service)
        if conversation(db, sid)["returns"] == 5:
            return
    pytest.fail(f"{conversation(db, sid)['returns']} returns")


def test_after_five_returns_a_conversation_needs_a_person(
    service: Service, db: Client, sid: str
) -> None:
    five_returns(service, db, sid)
    records.worker(db, BEN)
    service.settle()
    for _ in range(2):
        pass_time(service, 700)
        sweep(service)
    assert state(db, sid) == ("queued", None)
    assert is_pending(db, sid)
    assert workers_in(service.standin, sid) == []
    assert records.read(db, "pending_conversations", sid)["needs_person"] is True
    other = write(service, "+15550000002")
    assert conversation(db, other)["state"] == "assigned", "others are served"


def test_the_next_message_of_the_customer_ends_the_five(
    service: Service, db: Client, sid: str
) -> None:
    five_returns(service, db, sid)
    pass_time(service, 700)
    write_again(service)
    assert state(db, sid) == ("assigned", ANN)
    assert conversation(db, sid)["returns"] == 0


def test_a_lost_message_of_the_customer_ends_the_five_by_the_sweep(
    service: Service, db: Client, sid: str
) -> None:
    five_returns(service, db, sid)
    pass_time(service, 700)
    lose(service, "onMessageAdded")
    write_again(service)
    service.standin.heal()
    for _ in range(2):
        sweep(service)
    assert state(db, sid) == ("assigned", ANN)


def test_a_supervisor_who_sends_it_to_a_pool_ends_the_five(
    service: Service, db: Client, sid: str
) -> None:
    five_returns(service, db, sid)
    records.pool(db, "sales")
    records.worker(db, BEN, pools=["sales"])
    service.settle()
    supervising.to_pool(Act(sid, "maria@example.com"), "sales")
    service.settle()
    assert state(db, sid) == ("assigned", BEN)


@pytest.mark.parametrize("collection", ["conversations", "pending_conversations"])
def test_a_pool_that_a_person_types_ends_the_five(
    service: Service, db: Client, sid: str, collection: str
) -> None:
    five_returns(service, db, sid)
    records.pool(db, "sales")
    records.worker(db, BEN, pools=["sales"])
    service.settle()
    db.document(f"{collection}/{sid}").update({"pool": "sales"})
    service.settle()
    sweep(service)
    assert state(db, sid) == ("assigned", BEN)


def test_a_worker_that_a_person_types_gets_one_that_needs_a_person(
    service: Service, db: Client, sid: str
) -> None:
    five_returns(service, db, sid)
    records.worker(db, BEN, "Unavailable")
    service.settle()
    db.document(f"conversations/{sid}").update({"worker": BEN})
    service.settle()
    assert state(db, sid) == ("assigned", BEN)
    assert not is_pending(db, sid)


# A wait for the assigned worker follows the settings and the customer


@pytest.fixture
def waiting_for_ann(service: Service, db: Client) -> str:
    records.routing(db, mode="custom", own_worker="wait", own_worker_wait=None)
    records.customer(db, "ada", addresses=[ADA], worker=ANN)
    records.worker(db, ANN, "Unavailable")
    records.worker(db, BEN)
    service.settle()
    sid = write(service, ADA)
    assert records.read(db, "pending_conversations", sid)["for_worker"] == ANN
    return sid


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("settings/routing", {"own_worker_wait": 60}),
        ("settings/routing", {"mode": "pool"}),
        ("settings/routing", {"own_worker": "available"}),
        ("customers/ada", {"worker": BEN}),
        ("customers/ada", {"worker": None}),
    ],
    ids=lambda value: str(value),
)
def test_a_wait_for_one_worker_follows_an_edit(
    service: Service,
    db: Client,
    waiting_for_ann: str,
    path: str,
    fields: dict[str, Any],
) -> None:
    pass_time(service, 100)
    db.document(path).update(fields)
    service.settle()
    for _ in range(2):
        pass_time(service, 60)
        sweep(service)
    assert state(db, waiting_for_ann) == ("assigned", BEN)


def test_an_own_worker_setting_of_always_gives_it_to_the_assigned_worker(
    service: Service, db: Client, waiting_for_ann: str
) -> None:
    db.document("settings/routing").update({"own_worker": "always"})
    sweep(service)
    assert state(db, waiting_for_ann) == ("assigned", ANN)


def test_a_wait_for_the_deputy_of_the_assigned_worker_stays_as_it_is(
    service: Service, db: Client, waiting_for_ann: str
) -> None:
    records.worker(db, "carol@example.com", "Unavailable")
    away = {"away_until": "2099-01-01", "deputy": "carol@example.com"}
    db.document(f"workers/{ANN}").update(away)
    service.settle()
    sweep(service)
    entry = records.read(db, "pending_conversations", waiting_for_ann)
    assert entry["for_worker"] == "carol@example.com"
    assert "waits that follow an edit of settings or customer" not in sweep(service)
    assert records.read(db, "pending_conversations", waiting_for_ann) == entry


def test_a_wait_that_no_edit_concerns_stays_as_it_is(
    service: Service, db: Client, waiting_for_ann: str
) -> None:
    before = records.read(db, "pending_conversations", waiting_for_ann)
    for _ in range(2):
        mended = sweep(service)
    assert "waits that follow an edit of settings or customer" not in mended
    assert records.read(db, "pending_conversations", waiting_for_ann) == before


def test_a_priority_edited_while_they_wait_moves_a_customer(
    service: Service, db: Client
) -> None:
    records.customer(db, "ada", addresses=[ADA])
    service.settle()
    first, second = write(service, "+15550000002"), write(service, ADA)
    db.document("customers/ada").update({"priority": 10})
    service.settle()
    assert records.read(db, "pending_conversations", second)["priority"] == 10
    records.worker(db, ANN, capacity=1)
    service.settle()
    assert state(db, second) == ("assigned", ANN)
    assert state(db, first) == ("queued", None)


def test_an_unrouted_customer_who_writes_again_gets_their_worker(
    service: Service, db: Client
) -> None:
    rules = {"own_worker": "available", "custom_fallback": "none"}
    records.routing(db, mode="custom", **rules)
    records.customer(db, "ada", addresses=[ADA], worker=ANN)
    records.worker(db, ANN, "Unavailable")
    service.settle()
    sid = write(service, ADA)
    write_again(service)
    assert conversation(db, sid)["state"] == "unrouted"
    assert len(conversation(db, sid)["heard"]) == 2
    records.set_status(db, ANN, "Available")
    service.settle()
    write_again(service)
    assert state(db, sid) == ("assigned", ANN)
    assert conversation(db, sid)["mode"] == "custom"


def test_the_text_queued_is_sent_when_the_wait_for_one_worker_ends(
    service: Service, db: Client
) -> None:
    records.pool(db, "default", texts={"queued": "You are number {{Position}}."})
    records.routing(db, mode="custom", own_worker="wait", own_worker_wait=60)
    records.customer(db, "ada", addresses=[ADA], worker=ANN)
    records.worker(db, ANN, "Unavailable")
    service.settle()
    sid = write(service, ADA)
    assert len(service.standin.messages(sid)) == 1
    pass_time(service, 100)
    sweep(service)
    bodies = [message["body"] for message in service.standin.messages(sid)]
    assert bodies[1:] == ["You are number 1."]


def test_the_latest_open_moment_is_the_inverse_of_the_open_seconds() -> None:
    spans = (Span(timedelta(hours=9), timedelta(hours=12)),)
    week = Hours(week=(spans, spans, (), ALL_DAY, spans, (), ()))
    zone = ZoneInfo("Europe/Berlin")
    clock_of_pool = Opening(week, zone, lambda day: False)
    until = datetime(2026, 10, 28, 10, 30, tzinfo=UTC)
    for seconds in (1, 300, 3600, 20_000, 100_000, 500_000):
        since = opening.before(clock_of_pool, until, seconds)
        assert since is not None
        assert opening.seconds(clock_of_pool, since, until) == seconds
        later = since + timedelta(seconds=1)
        assert opening.seconds(clock_of_pool, later, until) < seconds
    closed = Opening(Hours(week=((),) * 7), zone, lambda day: False)
    assert hours.open_before(closed.hours, until, 1, zone, closed.is_holiday) is None


# A record is the same in whatever order messages and reports of lost replies come

Step = Callable[[Conversation], Conversation]
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
FIRST_REPLY, SECOND_REPLY = "IM" + "a" * 32, "IM" + "b" * 32


def asks(index: int) -> Step:
    at = NOON + timedelta(seconds=10 * index)
    message = Message(index, at, ADA, "Hello", source="SMS")
    return lambda before: messages.noted(before, message, CUSTOMER)


def replies(index: int, message_sid: str) -> Step:
    at = NOON + timedelta(seconds=10 * index)
    message = Message(index, at, ANN, "Good morning", sid=message_sid)
    return lambda before: messages.noted(before, message, WORKER)


def is_lost(message_sid: str) -> Step:
    at = NOON + timedelta(minutes=5)
    failure = Failure(30003)
    return lambda before: messages.not_delivered(before, message_sid, failure, at)


@pytest.mark.parametrize(
    ("lost", "awaited_for"),
    [
        ((FIRST_REPLY,), None),
        ((SECOND_REPLY,), 20),
        ((FIRST_REPLY, SECOND_REPLY), 0),
        ((), None),
    ],
)
def test_messages_and_reports_lead_to_one_record_in_any_order(
    lost: tuple[str, ...], awaited_for: int | None
) -> None:
    steps = [asks(0), replies(1, FIRST_REPLY), asks(2), replies(3, SECOND_REPLY)]
    steps += map(is_lost, lost)
    start = Conversation(
        forms.sid(),
        state="assigned",
        worker=ANN,
        address=ADA,
        created_at=NOON,
        awaiting_since=NOON,
        unread=1,
    )
    found = set()
    for order in permutations(steps):
        record = start
        for step in order:
            record = step(record)
        found.add((record.awaiting_since, record.first_answer_at, record.unread))
    ((awaiting_since, first_answer_at, unread),) = found
    awaited = None
    if awaited_for is not None:
        awaited = NOON + timedelta(seconds=awaited_for)
    assert (awaiting_since, unread) == (awaited, 0)
    assert (first_answer_at is None) == (len(lost) == 2)
