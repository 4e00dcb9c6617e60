"""What messages change in a conversation's record, whatever order they are told in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import messages, patience, transitions
from domain.conversation import (
    ASSIGNED,
    CUSTOMER,
    LONGEST_TEXT,
    MOST_HEARD,
    MOST_UNDELIVERED,
    QUEUED,
    SERVICE,
    WORKER,
    Conversation,
    parse,
    stored,
)
from domain.delivery import Failure
from domain.messages import Message
from domain.pool import Pool
from domain.worker import Worker

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANN, BEN = "ann@example.com", "ben@example.com"
ADA = "+447700900001"
SALES = Pool("sales", "Sales")
NEW = Conversation(
    "CH1",
    state=ASSIGNED,
    worker=ANN,
    address=ADA,
    created_at=START,
    assigned_at=START,
    pool="sales",
)
TOLD = (
    "last_message",
    "unread",
    "awaiting_since",
    "first_answer_at",
    "answered_in",
    "answered_at",
    "answered_by",
    "heard",
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def said(index: int, author: str = ADA, **more: object) -> Message:
    return replace(Message(index, at(10 * index), author, f"message {index}"), **more)  # type: ignore[arg-type] # a test's


def after(record: Conversation, *told: Message) -> Conversation:
    for message in told:
        sender = messages.sender_of(message, record) or messages.stranger(
            message.author, ["greeter"]
        )
        record = messages.noted(record, message, sender)
    return record


def told(record: Conversation) -> dict[str, object]:
    return {name: getattr(record, name) for name in TOLD}


def test_a_customer_asks_asks_again_and_is_answered() -> None:
    asked = after(NEW, said(0), said(1))
    assert (asked.unread, asked.awaiting_since, asked.first_answer_at) == (
        2,
        at(0),
        None,
    )
    answered = after(asked, said(2, ANN))
    assert (answered.unread, answered.awaiting_since, answered.first_answer_at) == (
        0,
        None,
        at(20),
    )
    assert answered.answered_in == 20
    assert answered.last_message is not None
    assert (answered.last_message.sender, answered.last_message.text) == (
        WORKER,
        "message 2",
    )
    again = after(answered, said(3), said(4, ANN))
    assert (again.unread, again.awaiting_since, again.first_answer_at) == (
        0,
        None,
        at(20),
    )
    assert [line["what"] for line in again.log] == ["answered"]
    assert again.log[0]["why"] == "after 20 s"


def test_the_service_and_bots_answer_nobody() -> None:
    record = after(
        NEW,
        said(0),
        said(1, "Sales", attributes=messages.BY_SERVICE),
        said(2, "system"),
        said(3, "greeter"),
    )
    assert (record.unread, record.awaiting_since, record.first_answer_at) == (
        1,
        at(0),
        None,
    )
    assert record.last_message is not None
    assert (record.last_message.sender, record.last_message.index) == (SERVICE, 3)


@pytest.mark.parametrize(
    ("author", "source", "sender"),
    [
        (ADA, None, CUSTOMER),
        ("+447700900777", None, CUSTOMER),
        ("whatsapp:+447700900777", "API", CUSTOMER),
        ("bobby@example.com", "EMAIL", CUSTOMER),
        (ANN, "SDK", WORKER),
        (BEN, "API", None),
        ("system", "API", SERVICE),
    ],
)
def test_from_whom_a_message_is(
    author: str, source: str | None, sender: str | None
) -> None:
    assert messages.sender_of(said(0, author, source=source), NEW) == sender
    others = replace(NEW, worker=None, others=(BEN,))
    assert messages.sender_of(said(0, BEN), others) == WORKER
    by_mail = replace(NEW, address="bobby@example.com")
    assert messages.sender_of(said(0, "bobby@example.com"), by_mail) == CUSTOMER


_AUTHORS = st.lists(
    st.sampled_from([ADA, ADA, ANN, "greeter"]), min_size=1, max_size=MOST_HEARD
)


@settings(deadline=None)  # a busy machine is no failure
@given(authors=_AUTHORS, data=st.data(), arrived_first=st.booleans())
def test_twice_and_in_any_order_lead_to_the_same_record(
    authors: list[str], data: st.DataObject, arrived_first: bool
) -> None:
    """Where the first of all is the customer's, who began it, the arrival may have presumed it or not."""
    authors[0] = ADA
    in_order = [said(index, author) for index, author in enumerate(authors)]
    mixed = data.draw(st.permutations(in_order)) + data.draw(
        st.lists(st.sampled_from(in_order), max_size=5)
    )
    begun = transitions.presumed(NEW) if arrived_first else NEW
    assert told(after(begun, *mixed)) == told(after(NEW, *in_order))


@settings(deadline=None)  # a busy machine is no failure
@given(authors=_AUTHORS)
def test_what_is_told_is_what_the_messages_say(authors: list[str]) -> None:
    """Against the rule in its plainest form."""
    record = after(NEW, *(said(index, author) for index, author in enumerate(authors)))
    answered = max(
        (index for index, author in enumerate(authors) if author == ANN), default=-1
    )
    waiting = [
        index
        for index, author in enumerate(authors)
        if author == ADA and index > answered
    ]
    assert record.unread == len(waiting)
    assert record.awaiting_since == (at(10 * waiting[0]) if waiting else None)


def test_what_is_too_old_to_be_remembered_changes_nothing() -> None:
    record = after(NEW, *(said(index) for index in range(1, MOST_HEARD + 3)))
    assert record.unread == MOST_HEARD + 2
    assert after(record, said(0)) == record
    assert len(record.heard) == MOST_HEARD


def test_a_worker_who_looks_has_read_up_to_there() -> None:
    record = after(NEW, said(0), said(1), said(2))
    looked = messages.read(record, 1)
    assert (looked.unread, looked.awaiting_since) == (1, at(0))
    assert messages.read(looked, 0) == looked
    assert messages.read(looked, 2).unread == 0
    assert after(messages.read(NEW, 0), said(0)).unread == 0, (
        "seen at Twilio before it was heard of here"
    )
    far = messages.read(record, 10**9)
    assert (
        after(far, *(said(3 + number) for number in range(MOST_HEARD + 1))).unread > 0
    )


def test_the_text_is_cut_and_the_record_comes_back_as_it_was_stored() -> None:
    record = after(NEW, said(0, text="x" * 500), said(1, ANN))
    record = messages.read(
        messages.not_delivered(record, "IM" + "0" * 32, Failure(63016, 1, 2), at(30)), 1
    )
    assert parse("CH1", stored(record)) == record
    long = after(NEW, said(0, text="x" * 500)).last_message
    assert long is not None
    assert len(long.text) == LONGEST_TEXT


def test_what_was_not_delivered_is_listed_once_the_newest_last() -> None:
    record = NEW
    for number in (*range(MOST_UNDELIVERED + 2), MOST_UNDELIVERED + 1):
        record = messages.not_delivered(
            record, f"IM{number:032x}", Failure(63016), at(number)
        )
    assert [one.at for one in record.undelivered] == [
        at(n) for n in range(2, MOST_UNDELIVERED + 2)
    ]
    assert record.log[-1]["why"] == "Twilio's error 63016"


def test_who_waits_since_when() -> None:
    sales = Pool("sales", "Sales")
    never = replace(NEW, queued_at=at(5), awaiting_since=at(0))
    later = at(3600)
    assert transitions.queued(never, sales, later, "").queued_at == at(5), (
        "nobody answered: its age is kept"
    )
    assert transitions.queued(
        replace(never, queued_at=None), sales, later, ""
    ).queued_at == at(0)
    answered = replace(never, first_answer_at=at(20), awaiting_since=None)
    assert transitions.queued(answered, sales, later, "").queued_at == later
    asked_again = replace(answered, awaiting_since=at(3000))
    assert transitions.queued(asked_again, sales, later, "").queued_at == at(3000)
    assert (
        transitions.queued(replace(NEW, created_at=None), sales, later, "").queued_at
        == later
    )


def test_the_answer_is_overdue_exactly_at_the_second() -> None:
    pool = Pool("sales", "Sales", answer_within=60)
    record = replace(NEW, awaiting_since=at(0), assigned_at=at(0))
    assert not patience.is_overdue(record, pool, at(60) - timedelta(microseconds=1))
    assert patience.is_overdue(record, pool, at(60))
    given_later = replace(record, assigned_at=at(30))
    assert not patience.is_overdue(given_later, pool, at(89)), (
        "who got it later has as long as everybody"
    )
    assert patience.is_overdue(given_later, pool, at(90))
    assert not patience.is_overdue(record, replace(pool, answer_within=None), at(10**6))
    for other in (
        {"awaiting_since": None},
        {"state": QUEUED},
        {"mode": "none"},
        {"address": None},
        {"pool": None},
    ):
        assert not patience.is_overdue(replace(record, **other), pool, at(10**6)), other


def test_so_many_in_a_row_make_a_worker_unavailable_and_say_why() -> None:
    pool = Pool("sales", "Sales", unavailable_after=2)
    ann = Worker(ANN, available=True)
    once = patience.missed(ann, pool, at(0), answered=False)
    assert (once.missed, once.available, once.missed_at) == (1, True, at(0))
    twice = patience.missed(once, pool, at(60), answered=False)
    assert (twice.missed, twice.available, twice.status_since) == (2, False, at(60))
    assert (
        twice.unavailable_because
        == "2 conversations in a row went back to the queue for want of an answer"
    )
    assert patience.missed(once, pool, at(60), answered=True).missed == 1
    assert patience.missed(
        once, Pool("sales", "Sales"), at(60), answered=False
    ).available
