"""A worker gets nothing of another worker's customer, by whichever of Frontline's callbacks; and nobody writes to
somebody who does not want it."""

from typing import Any

import pytest
from google.cloud.firestore import Client
from werkzeug.wrappers import Response

from tests.core import records
from tests.service import Service

JOHN, MARY = "john@example.com", "mary@example.com"
MARYS, JOHNS = "+15550009999", "+15550001111"
LOCATIONS = {
    "crm": "GetCustomerDetailsByCustomerId",
    "templates": "GetTemplatesByCustomerId",
    "outgoing_conversation": "GetProxyAddress",
}


@pytest.fixture
def firm(service: Service, db: Client) -> Service:
    """Two workers with a customer each; Mary's has something to hide."""
    records.worker(db, JOHN, addresses=["+15550005555", "whatsapp:+15550005555"])
    records.worker(db, MARY, addresses=["+15550006666"])
    db.document("templates/hello").set(
        {"category": "Openers", "content": "Hello {{Name}}"}
    )
    db.document("templates/iban").set(
        {"category": "Openers", "content": "Yours: {{customer.iban}}"}
    )
    records.customer(
        db,
        "c-mary",
        display_name="Secret Client",
        worker=MARY,
        addresses=[MARYS],
        iban="DE02 1203",
    )
    records.customer(
        db, "c-john", display_name="Johnny", worker=JOHN, addresses=[JOHNS]
    )
    service.settle()
    return service


def ask(
    firm: Service, function: str, worker: str, customer: str, **form: str
) -> Response:
    value = MARYS if customer == "c-mary" else JOHNS
    asked = {"Location": LOCATIONS[function], "Worker": worker, "CustomerId": customer}
    return firm.post(
        function, asked | {"ChannelType": "sms", "ChannelValue": value} | form
    )


@pytest.mark.parametrize("function", LOCATIONS)
def test_another_workers_customer_is_refused_and_nothing_of_them_is_told(
    firm: Service, db: Client, function: str
) -> None:
    db.document("customers/c-mary").update({"do_not_contact": True})
    firm.settle()
    answer = ask(firm, function, JOHN, "c-mary")
    assert answer.status_code == 403
    assert "another worker" in answer.get_data(as_text=True)
    assert not any(
        text in answer.get_data(as_text=True)
        for text in ("Secret", "1203", MARYS, "do_not")
    )


@pytest.mark.parametrize("function", LOCATIONS)
def test_the_own_one_nobodys_one_and_who_one_talks_to_are_open_and_so_is_all_with_the_setting(
    firm: Service, db: Client, function: str
) -> None:
    assert ask(firm, function, MARY, "c-mary").status_code == 200
    db.document("conversations/CH1").set(
        {"customer_id": "c-mary", "worker": JOHN, "state": "assigned"}
    )
    assert ask(firm, function, JOHN, "c-mary").status_code == 200
    db.document("conversations/CH1").update({"state": "closed"})
    assert ask(firm, function, JOHN, "c-mary").status_code == 403
    records.routing(db, crm_open=True)
    assert ask(firm, function, JOHN, "c-mary").status_code == 200
    records.routing(db)
    db.document("customers/c-mary").update({"worker": None})
    assert ask(firm, function, JOHN, "c-mary").status_code == 200


def write(firm: Service, channel: str, value: str) -> Any:
    return ask(
        firm,
        "outgoing_conversation",
        JOHN,
        "c-john",
        ChannelType=channel,
        ChannelValue=value,
    ).status_code


@pytest.mark.parametrize(
    "value", [MARYS, "+19005551234", "+1555000111", "+155500011111"]
)
@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_an_address_that_is_not_the_customers_gets_no_number(
    firm: Service, channel: str, value: str
) -> None:
    assert write(firm, channel, value) == 403
    assert write(firm, channel, f"whatsapp:{value}") == 403


def test_the_customers_own_address_will_do_on_either_channel_however_it_is_typed(
    firm: Service, db: Client
) -> None:
    for listed in ([JOHNS], [f"whatsapp:{JOHNS}"], ["+1 (555) 000-1111"]):
        db.document("customers/c-john").update({"addresses": listed})
        for value in (JOHNS, f"whatsapp:{JOHNS}", "+1 555 000 1111"):
            assert write(firm, "sms", value) == 200
            assert write(firm, "whatsapp", value) == 200


@pytest.mark.parametrize("twins_address", [JOHNS, f"whatsapp:{JOHNS}"])
@pytest.mark.parametrize("refusal", [True, "please not"])
def test_who_has_a_second_record_that_says_no_is_not_written_to(
    firm: Service, db: Client, twins_address: str, refusal: object
) -> None:
    """Whoever wrote it down: two records of one person, or a worker who names the other one."""
    twin = {"worker": MARY, "addresses": ["+15550003333", twins_address]}
    records.customer(db, "a-twin", do_not_contact=False, **twin)
    assert write(firm, "sms", JOHNS) == 200
    records.customer(db, "a-twin", do_not_contact=refusal, **twin)
    assert write(firm, "sms", JOHNS) == 403
    assert write(firm, "whatsapp", JOHNS) == 403
    db.document("customers/a-twin").delete()
    assert write(firm, "sms", JOHNS) == 200
