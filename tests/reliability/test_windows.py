"""WhatsApp's 24 hours, played by the model: what the pools' own texts do when a window closes."""

from collections.abc import Iterator
from typing import Any

import pytest

from proof.windows import is_free_text
from tests.reliability.model import Model
from tests.reliability.run import parts
from tests.reliability.world import ANN, CUSTOMERS, WHATSAPP


@pytest.fixture(scope="module")
def _running() -> Iterator[None]:
    with parts() as Model.parts:
        yield


@pytest.fixture
def model(_running: None) -> Iterator[Model]:
    model = Model()
    try:
        model.set_status(workers=[ANN], status="Unavailable")
        yield model
        model.check()
    finally:
        model.dispose()


def own_texts(model: Model) -> list[dict[str, Any]]:
    conversations = model.twilio.state()["conversations"]
    messages = [message for one in conversations for message in one["messages"]]
    return [one for one in messages if "service_text" in (one["attributes"] or "")]


def begin(model: Model) -> None:
    model.write(letters=[(CUSTOMERS[2], WHATSAPP)])
    model.deliver_everything()
    assert len(own_texts(model)) == 1  # queued


def assign(model: Model) -> None:
    model.set_status(workers=[ANN], status="Available")
    model.deliver_everything()
    assert model.inside(model.sids()[0]) == [ANN]


def test_a_pools_text_is_not_sent_after_24_hours(model: Model) -> None:
    begin(model)
    model.wait_long(hours=25)
    assign(model)
    assert len(own_texts(model)) == 1


def test_a_pools_template_is_sent_after_24_hours(model: Model) -> None:
    model.set_assigned_text(pool="default", text="template")
    begin(model)
    model.wait_long(hours=25)
    assign(model)
    assert [is_free_text(one) for one in own_texts(model)] == [True, False]


def test_a_message_of_the_customer_opens_the_window_again(model: Model) -> None:
    begin(model)
    model.wait_long(hours=25)
    model.write(letters=[(CUSTOMERS[2], WHATSAPP)])
    model.deliver_everything()
    assign(model)
    assert is_free_text(own_texts(model)[-1]) and len(own_texts(model)) == 2


def test_no_text_follows_a_63016(model: Model) -> None:
    model.write(letters=[(CUSTOMERS[2], WHATSAPP)])
    model.close_window(customer=CUSTOMERS[2])
    model.pass_time(2)
    model.deliver_everything()
    assert len(own_texts(model)) == 1
    assign(model)
    assert len(own_texts(model)) == 1
