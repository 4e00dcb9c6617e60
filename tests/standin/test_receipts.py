"""What becomes of a message on its way to a phone, as the stand-in reports it."""

from __future__ import annotations

import pytest
from twilio.rest import Client

from local.twilio import StandIn
from tests.standin.conftest import ANN, BEN, OURS, Receiver, refusal

KIM = "kim@example.com"
ON_WHATSAPP, OUR_WHATSAPP = f"whatsapp:{ANN}", f"whatsapp:{OURS}"


@pytest.fixture
def conversation(hooked: StandIn) -> str:
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid or ""
    hooked.worker_join(sid, KIM)
    return sid


@pytest.fixture
def on_whatsapp(hooked: StandIn) -> str:
    hooked.set_autocreate(OUR_WHATSAPP)
    sid = hooked.inbound(ON_WHATSAPP, OUR_WHATSAPP, "Hello").conversation_sid or ""
    hooked.worker_join(sid, KIM)
    return sid


def _statuses(receiver: Receiver) -> list[str]:
    return [hook.params["Status"] for hook in receiver.of("onDeliveryUpdated")]


def test_an_sms_is_sent_and_then_delivered(
    hooked: StandIn, receiver: Receiver, conversation: str
) -> None:
    sent = hooked.worker_message(conversation, KIM, "Hi")
    assert sent["delivery"] is None
    assert _statuses(receiver) == ["sent", "delivered"]
    assert receiver.events()[-3:] == [
        "onMessageAdded",
        "onDeliveryUpdated",
        "onDeliveryUpdated",
    ]
    params = receiver.of("onDeliveryUpdated")[-1].params
    assert (params["ErrorCode"], params["MessageSid"], params["Source"]) == (
        "0",
        sent["sid"],
        "SMS",
    )
    assert (
        len(
            {
                hook.params["DeliveryReceiptSid"]
                for hook in receiver.of("onDeliveryUpdated")
            }
        )
        == 1
    )
    delivery = hooked.messages(conversation)[-1]["delivery"]
    assert (delivery["sent"], delivery["delivered"], delivery["read"]) == (
        "all",
        "all",
        "none",
    )


def test_whatsapp_reports_that_it_was_read(
    hooked: StandIn, receiver: Receiver, on_whatsapp: str
) -> None:
    hooked.worker_message(on_whatsapp, KIM, "Hi")
    assert _statuses(receiver) == ["sent", "delivered", "read"]
    assert {hook.params["Source"] for hook in receiver.of("onDeliveryUpdated")} == {
        "WHATSAPP"
    }


def test_the_answer_comes_before_the_first_receipt(
    twilio: StandIn, sdk: Client, receiver: Receiver, conversation: str
) -> None:
    twilio.carriers(delay=0.2)
    message = sdk.conversations.v1.conversations(conversation).messages.create(
        author=KIM, body="Hi"
    )
    assert (message.delivery, message.fetch().delivery) == (None, None)
    assert message.delivery_receipts.list() == []
    assert twilio.settle()
    assert [one.status for one in message.delivery_receipts.list()] == ["delivered"]


def test_receipts_may_come_out_of_order(
    hooked: StandIn, receiver: Receiver, on_whatsapp: str
) -> None:
    hooked.carriers(out_of_order=True)
    hooked.worker_message(on_whatsapp, KIM, "Hi")
    assert _statuses(receiver) == ["read", "delivered", "sent"]
    assert hooked.messages(on_whatsapp)[-1]["delivery"]["read"] == "all"


def test_one_that_cannot_be_delivered_says_why(
    hooked: StandIn, receiver: Receiver, conversation: str
) -> None:
    hooked.refuse_delivery(ANN, 63016)
    sent = hooked.worker_message(conversation, KIM, "Hi")
    params = receiver.of("onDeliveryUpdated")[-1].params
    assert (params["Status"], params["ErrorCode"]) == ("undelivered", "63016")
    delivery = hooked.messages(conversation)[-1]["delivery"]
    assert (delivery["undelivered"], delivery["delivered"]) == ("all", "none")
    hooked.deliver(conversation, sent["sid"], "read")
    assert receiver.of("onDeliveryUpdated")[-1].params["Status"] == "read"


def test_each_recipient_has_a_receipt(hooked: StandIn, receiver: Receiver) -> None:
    sid = hooked.inbound_group(ANN, [OURS, BEN], "Hello both").conversation_sid or ""
    assert hooked.settle()
    hooked.worker_join(sid, KIM, projected_address=OURS)
    hooked.refuse_delivery(BEN)
    sent = hooked.worker_message(sid, KIM, "Hi both")
    assert _statuses(receiver) == ["sent", "delivered", "sent", "undelivered"]
    delivery = hooked.messages(sid)[-1]["delivery"]
    assert (delivery["total"], delivery["delivered"], delivery["undelivered"]) == (
        2,
        "some",
        "some",
    )
    hooked.deliver(sid, sent["sid"], "delivered", to=BEN)
    assert hooked.messages(sid)[-1]["delivery"]["delivered"] == "all"


@pytest.mark.parametrize(("length", "status"), [(1600, "delivered"), (1601, "failed")])
def test_a_text_of_more_than_1600_characters_fails_on_its_way(
    hooked: StandIn, receiver: Receiver, conversation: str, length: int, status: str
) -> None:
    hooked.worker_message(conversation, KIM, "x" * length)
    params = receiver.of("onDeliveryUpdated")[-1].params
    assert (params["Status"], params["ErrorCode"]) == (
        status,
        "21617" if status == "failed" else "0",
    )


def test_a_text_of_more_than_32_kilobytes_is_refused(
    twilio: StandIn, sdk: Client, conversation: str
) -> None:
    messages = sdk.conversations.v1.conversations(conversation).messages
    assert refusal(lambda: messages.create(author=KIM, body="é" * (16 * 1024 + 1))) == (
        50504,
        400,
    )
    assert messages.create(author=KIM, body="é" * 16 * 1024).sid


def test_what_the_customer_writes_has_no_receipt(
    hooked: StandIn, receiver: Receiver, conversation: str
) -> None:
    hooked.inbound(ANN, OURS, "Still there?")
    assert not receiver.of("onDeliveryUpdated")
    assert hooked.messages(conversation)[-1]["delivery"] is None


@pytest.mark.parametrize("word", ["STOP", "unsubscribe", " Cancel "])
def test_after_an_opt_out_word_messages_fail_until_start(
    hooked: StandIn, receiver: Receiver, conversation: str, word: str
) -> None:
    hooked.inbound(ANN, OURS, word)
    sent = hooked.worker_message(conversation, KIM, "Hi")
    params = receiver.of("onDeliveryUpdated")[-1].params
    assert (params["Status"], params["ErrorCode"], params["MessageSid"]) == (
        "failed",
        "21610",
        sent["sid"],
    )
    hooked.inbound(ANN, OURS, "Start")
    hooked.worker_message(conversation, KIM, "Hi again")
    assert receiver.of("onDeliveryUpdated")[-1].params["Status"] == "delivered"


def test_an_opt_out_is_per_pair_of_numbers_and_sms_only(
    hooked: StandIn, receiver: Receiver
) -> None:
    hooked.inbound(ANN, OURS, "STOP")
    for customer, ours in (
        (ANN, "+15550008888"),
        (f"whatsapp:{ANN}", f"whatsapp:{OURS}"),
    ):
        hooked.set_autocreate(ours)
        sid = str(hooked.inbound(customer, ours, "Hello").conversation_sid)
        if customer != ANN:
            hooked.inbound(customer, ours, "STOP")
        hooked.worker_join(sid, KIM)
        hooked.worker_message(sid, KIM, "Hi")
        assert receiver.of("onDeliveryUpdated")[-1].params["Status"] in (
            "delivered",
            "read",
        )


def test_stop_in_a_sentence_is_an_ordinary_message(
    hooked: StandIn, receiver: Receiver, conversation: str
) -> None:
    hooked.inbound(ANN, OURS, "Please stop by")
    hooked.worker_message(conversation, KIM, "Hi")
    assert receiver.of("onDeliveryUpdated")[-1].params["Status"] == "delivered"
