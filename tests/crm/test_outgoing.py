"""Which of our numbers a worker writes from."""

from collections.abc import Callable

import pytest
from google.cloud.firestore import Client

from tests.core import records
from tests.crm.frontline import JOHN, App
from tests.service import Service

Keep = Callable[..., None]


def test_the_own_number_wins_then_the_pools_in_order_then_the_environment(
    app: App, keep: Keep, db: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("bobby")
    assert app.proxy_address().status_code == 403
    monkeypatch.setenv("TWILIO_SMS_NUMBER", "+15550009001")
    assert app.proxy_address().get_json() == {"proxy_address": "+15550009001"}
    records.pool(db, "default", addresses=["whatsapp:+15550009002", "+15550009002"])
    assert app.proxy_address().get_json() == {"proxy_address": "+15550009002"}
    records.pool(db, "sales", addresses=["+15550009003"])
    records.worker(db, JOHN, pools=["nowhere", "sales", "default"])
    assert app.proxy_address().get_json() == {"proxy_address": "+15550009003"}
    records.worker(db, JOHN, pools=["sales"], addresses=["+1 555 000 9004"])
    assert app.proxy_address().get_json() == {"proxy_address": "+15550009004"}


def test_each_channel_has_its_own_numbers(
    app: App, keep: Keep, db: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("bobby")
    records.worker(db, JOHN, addresses=["+15550009004"])
    whatsapp = {"ChannelType": "WhatsApp", "ChannelValue": "whatsapp:+15550000001"}
    answer = app.proxy_address(**whatsapp)
    assert answer.status_code == 403
    assert "no number for whatsapp" in answer.get_json()["error"]
    monkeypatch.setenv("TWILIO_WHATSAPP_NUMBER", "+15550009005")
    assert app.proxy_address(**whatsapp).get_json() == {
        "proxy_address": "whatsapp:+15550009005"
    }


def test_a_customer_is_not_written_to_from_their_own_number(
    app: App, keep: Keep, db: Client
) -> None:
    keep("bobby")
    records.worker(db, JOHN, addresses=["+15550000001", "+15550009004"])
    assert app.proxy_address().get_json() == {"proxy_address": "+15550009004"}


@pytest.mark.parametrize("value", [True, "yes please"])
def test_who_may_not_be_written_to_is_not_and_the_log_says_why(
    app: App, keep: Keep, db: Client, capsys: pytest.CaptureFixture[str], value: object
) -> None:
    keep("bobby", do_not_contact=value)
    records.worker(db, JOHN, addresses=["+15550009004"])
    assert app.proxy_address().status_code == 403
    assert (
        "The customer bobby may not be written to (do_not_contact)."
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"ChannelType": "pigeon"}, "ChannelType"),
        ({"ChannelValue": "bobby"}, "ChannelValue"),
        ({"ChannelValue": " 15550000001"}, "ChannelValue"),
        ({"ChannelValue": "+1"}, "ChannelValue"),
        ({"Worker": "a/b"}, "Worker"),
    ],
)
def test_malformed_input_is_refused_with_the_name_of_the_field(
    app: App, keep: Keep, form: dict[str, str], field: str
) -> None:
    keep("bobby")
    answer = app.proxy_address(**form)
    assert answer.status_code == 400
    assert field in answer.get_json()["error"]


def test_the_app_can_write_to_a_customer_first(service: Service, db: Client) -> None:
    service.standin.set_autocreate("+15550009004")
    records.worker(db, JOHN, addresses=["+15550009004"])
    records.customer(
        db, "bobby", display_name="Bobby", addresses=["+15550000001"], worker=JOHN
    )
    answer = service.post(
        "outgoing_conversation",
        {
            "Location": "GetProxyAddress",
            "Worker": JOHN,
            "CustomerId": "bobby",
            "ChannelType": "sms",
            "ChannelValue": "+15550000001",
        },
    )
    assert answer.get_json() == {"proxy_address": "+15550009004"}
    service.settle()
