"""The 24 hours in a conversation's record: what opens them, what closes them, in any order and any number of times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import messages, transitions, window
from domain.conversation import CUSTOMER, WORKER, Conversation, parse, stored
from domain.delivery import Failure
from domain.messages import Message
from providers import clock, windows
from tests.core import forms, records
from tests.service import Service

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESS, OURS = "whatsapp:+447700900001", "whatsapp:+15550009999"
MESSAGE = "IM" + "1" * 32
NEW = Conversation(
    "CH1", state="assigned", address=ADDRESS, proxy_address=OURS, created_at=START
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def wrote(
    before: Conversation, index: int, seconds: float, sender: str = CUSTOMER
) -> Conversation:
    return messages.noted(before, Message(index, at(seconds), ADDRESS, "Hello"), sender)


def failed(
    before: Conversation, seconds: float, code: int = window.CLOSED
) -> Conversation:
    return messages.not_delivered(before, MESSAGE, Failure(code), at(seconds))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_messages_and_a_63016_lead_to_the_same_in_any_order(
    order: tuple[int, ...],
) -> None:
    steps = [
        lambda c: wrote(c, 0, 10),
        lambda c: failed(c, 20),
        lambda c: wrote(c, 2, 30),
    ]
    record = NEW
    for number in (*order, *order):  # each of them twice
        record = steps[number](record)
    assert record.customer_wrote_at == at(30)


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_63016_closes_what_an_earlier_message_opened(order: tuple[int, ...]) -> None:
    steps = [
        lambda c: wrote(c, 0, 10.7),
        lambda c: failed(c, 10),
    ]  # Twilio's receipt has whole seconds
    record = NEW
    for number in order:
        record = steps[number](record)
    assert record.customer_wrote_at is None
    assert wrote(record, 1, 12).customer_wrote_at == at(12)


def test_only_the_customer_opens_it_and_only_63016_closes_it() -> None:
    record = wrote(wrote(NEW, 0, 10), 1, 500, WORKER)
    assert failed(record, 600, 30003).customer_wrote_at == at(10)


def test_an_arrival_opens_it_before_its_message_is_known() -> None:
    assert transitions.presumed(NEW).customer_wrote_at == START


def test_a_record_of_an_earlier_version_says_it_by_its_messages() -> None:
    data: dict[str, Any] = stored(wrote(NEW, 0, 10))
    del data["customer_wrote_at"]
    assert parse("CH1", data, "version").customer_wrote_at == at(10)
    assert (
        parse("CH1", data | {"customer_wrote_at": None}, "version").customer_wrote_at
        is None
    )
    assert (
        parse("CH1", data | {"customer_wrote_at": "x"}, "version").customer_wrote_at
        is None
    )


@pytest.mark.parametrize("channel", ["sms", "email", "rcs", "chat"])
def test_other_channels_have_none(channel: str) -> None:
    assert window.of(channel, None) is None
    assert not window.is_closed(None, START)


def test_it_is_open_until_the_24_hours_are_over() -> None:
    found = window.of("whatsapp", START)
    assert found is not None and found.is_open(
        START + window.LENGTH - timedelta(seconds=1)
    )
    assert not found.is_open(START + window.LENGTH)
    assert window.is_closed(window.of("messenger", None), START)


def seeded(db: Client, ago: timedelta, **fields: Any) -> str:
    sid = forms.sid()
    record = {"address": ADDRESS, "proxy_address": OURS, "state": "assigned"}
    db.document(f"conversations/{sid}").set(
        record | {"customer_wrote_at": clock.now() - ago} | fields
    )
    return sid


@pytest.mark.parametrize(
    ("fields", "is_open"),
    [
        ({}, True),
        ({"proxy_address": None}, True),
        ({"proxy_address": "whatsapp:+15550008888"}, False),
        ({"address": "whatsapp:+447700900002"}, False),
        ({"address": "+447700900001"}, False),  # by SMS
    ],
)
def test_another_conversation_of_the_same_two_numbers_opens_it(
    service: Service, db: Client, fields: dict[str, Any], is_open: bool
) -> None:
    seeded(db, timedelta(hours=1), state="closed", **fields)
    found = windows.between(ADDRESS, OURS)
    assert found is not None and found.is_open(clock.now()) is is_open


def test_mexicos_two_spellings_are_one_number(service: Service, db: Client) -> None:
    seeded(db, timedelta(hours=1), address="whatsapp:+5215512345678")
    found = windows.between("whatsapp:+525512345678", OURS)
    assert found is not None and found.is_open(clock.now())


def test_a_63016_closes_every_conversation_of_the_pair_however_often_it_comes(
    service: Service, db: Client
) -> None:
    this, earlier = (
        seeded(db, timedelta(hours=2)),
        seeded(db, timedelta(hours=1), state="closed"),
    )
    other = seeded(db, timedelta(hours=1), proxy_address="whatsapp:+15550008888")
    for _ in range(2):
        moment = clock.now().isoformat()
        form = forms.delivery(this, MESSAGE, "failed", "63016") | {
            "DateUpdated": moment
        }
        assert service.post("post_event", form).status_code == 200
    assert records.conversation(db, this)["customer_wrote_at"] is None
    assert records.conversation(db, earlier)["customer_wrote_at"] is None
    assert records.conversation(db, other)["customer_wrote_at"] is not None
    assert windows.is_closed(Conversation("", address=ADDRESS, proxy_address=OURS))
