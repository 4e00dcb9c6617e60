"""What becomes of a message on its way: reports that are late, repeated, out of order or lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import delivery
from domain.delivery import Failure, Receipt
from local.twilio.records import new_sid
from tests.core import forms, records
from tests.core.test_answers import answer, lose, sweep
from tests.core.test_routing import write
from tests.service import Service

ADA = "+15550000001"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KIM = "ann@example.com"


@pytest.fixture
def sid(service: Service, db: Client) -> str:
    records.worker(db, KIM)
    service.settle()
    sid = write(service)
    service.settle()
    return sid


def conversation(db: Client, sid: str) -> dict[str, Any]:
    return records.conversation(db, sid)


def _codes(db: Client, sid: str) -> list[int]:
    return [one["code"] for one in conversation(db, sid)["undelivered"]]


def _lines(db: Client, sid: str) -> list[str]:
    whats = [line["what"] for line in conversation(db, sid)["log"]]
    return [what for what in whats if "delivered" in what]


def _refused(service: Service, sid: str) -> str:
    """The SID of a message of Ann's that did not reach Ada."""
    service.standin.refuse_delivery(ADA, 30003)
    answer(service, sid)
    service.settle()
    return str(service.standin.messages(sid)[-1]["sid"])


def test_a_message_that_arrives_after_all_is_not_listed_any_more(
    service: Service, db: Client, sid: str
) -> None:
    message = _refused(service, sid)
    assert _codes(db, sid) == [30003]
    service.standin.deliver(sid, message, "delivered")
    service.settle()
    assert (_codes(db, sid), _lines(db, sid)) == ([], ["not delivered", "delivered"])
    service.standin.deliver(sid, message, "read")
    service.settle()
    assert _lines(db, sid) == ["not delivered", "delivered"]


def test_where_that_report_is_lost_the_sweep_takes_the_mark_back(
    service: Service, db: Client, sid: str
) -> None:
    message = _refused(service, sid)
    lose(service, "onDeliveryUpdated")
    service.standin.deliver(sid, message, "delivered")
    service.settle()
    assert _codes(db, sid) == [30003]
    sweep(service)
    assert (_codes(db, sid), _lines(db, sid)) == ([], ["not delivered", "delivered"])
    assert "conversations with unheard messages" not in sweep(service)


def test_a_failure_reported_after_the_arrival_that_followed_it_is_outdated(
    service: Service, db: Client, sid: str
) -> None:
    answer(service, sid)
    service.settle()
    message = service.standin.messages(sid)[-1]["sid"]
    (hook,) = [
        one["params"]
        for one in service.standin.deliveries
        if one["event"] == "onDeliveryUpdated"
        and one["params"]["Status"] == "delivered"
    ]
    late = {
        "DateUpdated": "2020-01-01T00:00:00.000Z",
        "DeliveryReceiptSid": hook["DeliveryReceiptSid"],
    }
    service.post("post_event", forms.delivery(sid, message, "failed", "30003") | late)
    assert _codes(db, sid) == []
    service.post(
        "post_event", forms.delivery(sid, new_sid("IM"), "failed", "30003") | late
    )
    assert _codes(db, sid) == [30003]


def test_a_report_twice_in_any_case_is_one(
    service: Service, db: Client, sid: str
) -> None:
    message = new_sid("IM")
    for status in ("sent", "Failed", "failed ", "sent"):
        assert (
            service.post(
                "post_event", forms.delivery(sid, message, status, "63016")
            ).status_code
            == 200
        )
    assert (_codes(db, sid), _lines(db, sid)) == ([63016], ["not delivered"])
    for status in ("delivered", "delivered", "read"):
        service.post("post_event", forms.delivery(sid, message, status, "0"))
    assert (_codes(db, sid), _lines(db, sid)) == ([], ["not delivered", "delivered"])


def test_a_failure_is_noted_while_twilio_does_not_list_receipts(
    service: Service, db: Client, sid: str
) -> None:
    service.standin.fail(status=503, path="/Receipts$", method="GET")
    _refused(service, sid)
    assert _codes(db, sid) == [30003]


def test_a_report_about_a_conversation_without_a_record_is_answered_200(
    service: Service, db: Client
) -> None:
    form = forms.delivery(forms.sid(), new_sid("IM"), "failed", "30003")
    assert service.post("post_event", form).status_code == 200
    assert list(db.collection("conversations").stream()) == []


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_the_later_of_a_report_and_the_list_counts() -> None:
    listed = [Receipt("delivered", 0, _at(10), "DY1", "MB1")]
    assert delivery.merged(listed, Receipt("failed", 30003, _at(5), "DY1")) == listed
    assert delivery.failure(
        delivery.merged(listed, Receipt("failed", 30003, _at(11), "DY1"))
    ) == Failure(30003)
    assert delivery.failure(
        delivery.merged(listed, Receipt("failed", 30003, None, None))
    ) == Failure(30003)
    assert delivery.failure(delivery.merged([], Receipt("failed", 0))) == Failure(0)
    failed = [Receipt("failed", 30003, _at(10), "DY1", "MB1")]
    assert (
        delivery.failure(
            delivery.merged(failed, Receipt("delivered", 0, _at(12), "DY1"))
        )
        is None
    )
    assert delivery.merged(failed, Receipt("delivered", 0, _at(9), "DY1")) == failed


def test_the_order_of_reports_does_not_matter_where_each_has_its_time() -> None:
    reports = [
        Receipt("sent", 0, _at(1), "DY1", "MB1"),
        Receipt("undelivered", 30003, _at(2), "DY1", "MB1"),
        Receipt("delivered", 0, _at(3), "DY1", "MB1"),
    ]
    for order in permutations(reports):
        known: list[Receipt] = []
        for report in order:
            known = delivery.merged(known, report)
        assert known == [reports[-1]]


def test_of_several_recipients_those_who_missed_it_are_counted() -> None:
    listed = [
        Receipt("delivered", 0, _at(1), "DY1", "MB1"),
        Receipt("sent", 0, _at(1), "DY2", "MB2"),
    ]
    failure = delivery.failure(
        delivery.merged(listed, Receipt("undelivered", 30005, _at(2), "DY2", "MB2"))
    )
    assert failure == Failure(30005, 1, 2)
    assert (
        delivery.reason(failure)
        == "1 of 2 did not get it. The number does not exist any more."
    )
    by_participant = delivery.merged(
        listed, Receipt("undelivered", 30005, _at(2), None, "MB2")
    )
    assert delivery.failure(by_participant) == failure


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (21617, "1,600 characters"),
        (21656, "placeholder"),
        (30023, "daily limit"),
        (30027, "T-Mobile"),
        (30410, "in time"),
        (30454, "trial account"),
        (30485, "fraud"),
        (50542, "template"),
        (63001, "administrator"),
        (63027, "language"),
        (63033, "does not want messages"),
        (63036, "RCS"),
        (63038, "daily limit"),
        (63051, "locked"),
        (63112, "Meta"),
    ],
)
def test_a_documented_code_has_a_sentence_and_no_link(code: int, words: str) -> None:
    assert words in delivery.reason(Failure(code))
    assert delivery.link(code) is None


def test_a_code_without_a_sentence_leads_to_twilios_page() -> None:
    assert delivery.reason(Failure(12345)) == "Twilio reports error 12345."
    assert delivery.link(12345) == "https://www.twilio.com/docs/api/errors/12345"
    assert delivery.link(0) is None
