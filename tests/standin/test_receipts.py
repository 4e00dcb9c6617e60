"""What became of a message on its way to a phone, as the stand-in tells it."""

from __future__ import annotations

import pytest

from local.twilio import StandIn
from tests.standin.conftest import ANN, OURS, Receiver

KIM = "kim@example.com"


@pytest.fixture
def conversation(hooked: StandIn) -> str:
    sid = hooked.inbound(ANN, OURS, "Hello").conversation_sid or ""
    hooked.worker_join(sid, KIM)
    return sid


def test_a_delivered_message_says_so(hooked: StandIn, receiver: Receiver, conversation: str) -> None:
    sent = hooked.worker_message(conversation, KIM, "Hi")
    params = receiver.only("onDeliveryUpdated").params
    assert (params["Status"], params["ErrorCode"], params["MessageSid"]) == ("delivered", "0", sent["sid"])
    assert receiver.events()[-2:] == ["onMessageAdded", "onDeliveryUpdated"]
    assert sent["delivery"]["delivered"] == sent["delivery"]["sent"] == "all"


def test_one_that_cannot_be_delivered_says_why(
    hooked: StandIn, receiver: Receiver, conversation: str
) -> None:
    hooked.refuse_delivery(ANN, 63016)
    sent = hooked.worker_message(conversation, KIM, "Hi")
    params = receiver.only("onDeliveryUpdated").params
    assert (params["Status"], params["ErrorCode"]) == ("undelivered", "63016")
    assert (sent["delivery"]["undelivered"], sent["delivery"]["delivered"]) == ("all", "none")
    hooked.deliver(conversation, sent["sid"], "read")
    assert receiver.of("onDeliveryUpdated")[-1].params["Status"] == "read"


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
    assert (params["Status"], params["ErrorCode"], params["MessageSid"]) == ("failed", "21610", sent["sid"])
    hooked.inbound(ANN, OURS, "Start")
    hooked.worker_message(conversation, KIM, "Hi again")
    assert receiver.of("onDeliveryUpdated")[-1].params["Status"] == "delivered"


def test_an_opt_out_is_per_pair_of_numbers_and_sms_only(hooked: StandIn, receiver: Receiver) -> None:
    hooked.inbound(ANN, OURS, "STOP")
    for customer, ours in ((ANN, "+15550008888"), (f"whatsapp:{ANN}", f"whatsapp:{OURS}")):
        hooked.set_autocreate(ours)
        sid = str(hooked.inbound(customer, ours, "Hello").conversation_sid)
        if customer != ANN:
            hooked.inbound(customer, ours, "STOP")
        hooked.worker_join(sid, KIM)
        hooked.worker_message(sid, KIM, "Hi")
        assert receiver.of("onDeliveryUpdated")[-1].params["Status"] == "delivered"


def test_stop_in_a_sentence_is_an_ordinary_message(
    hooked: StandIn, receiver: Receiver, conversation: str
) -> None:
    hooked.inbound(ANN, OURS, "Please stop by")
    hooked.worker_message(conversation, KIM, "Hi")
    assert receiver.of("onDeliveryUpdated")[-1].params["Status"] == "delivered"
