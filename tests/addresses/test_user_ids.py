"""WhatsApp's user ids, usernames, and other senders who are no number: their names, and what records say of them."""

from __future__ import annotations

import pytest
from google.cloud.firestore import Client

from domain import addresses, phone_numbers
from functions.conversation_written import notifications
from functions.inbox import listing
from providers import conversations
from tests.addresses.test_customers import OURS, _introduced
from tests.core import forms, records
from tests.core.test_routing import write
from tests.service import Service

ID = "GB.13491208655302741918"
USER_ID = f"whatsapp:{ID}"
NAME = "WhatsApp user …1918"
NUMBER = "whatsapp:+447700900001"
OUR_WHATSAPP = f"whatsapp:{OURS}"


def _problem(db: Client, name: str) -> str | None:
    return records.read(db, "customers", name).get("problem")


def test_a_user_id_is_shown_as_a_name_that_people_can_read(
    service: Service, db: Client
) -> None:
    arrived = _introduced(service, USER_ID)
    assert arrived["display_name"] == NAME
    (record,) = db.collection("customers").stream()
    assert (record.to_dict() or {})["addresses"] == [USER_ID]
    conversation = conversations.load(
        str(next(iter(db.collection("conversations").stream())).id)
    )
    assert listing.shown(conversation, "ann@example.com")["name"] == NAME
    assert notifications.content(conversation, "wrote", with_text=True)["title"] == NAME


@pytest.mark.parametrize("create_customers", [True, False])
def test_twilios_friendly_name_is_that_name(
    service: Service, db: Client, create_customers: bool
) -> None:
    records.routing(db, create_customers=create_customers)
    for _ in range(2):
        form = forms.conversation_add(USER_ID)
        answer = service.post("pre_event", form)
        assert answer.get_json()["friendly_name"] == NAME
        _introduced(service, USER_ID)


def test_a_record_of_before_is_shown_so_as_well(service: Service, db: Client) -> None:
    sid = forms.sid()
    db.document(f"conversations/{sid}").set(
        {"state": "assigned", "display_name": USER_ID}
    )
    assert listing.shown(conversations.load(sid), "ann@example.com")["name"] == NAME


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (USER_ID, NAME),
        (ID, NAME),
        ("whatsapp:US.ENT.13491208655302741918", NAME),
        ("Ada", "Ada"),
        ("+447700900001", "+447700900001"),
        (NUMBER, NUMBER),
        ("de.mueller", "de.mueller"),
        ("Mr.Smith", "Mr.Smith"),
        ("DR.Smithers", "DR.Smithers"),
        ("", ""),
    ],
)
def test_only_a_user_id_gets_another_name(name: str, shown: str) -> None:
    assert addresses.called(name) == shown


def test_nobody_is_greeted_by_that_name() -> None:
    assert addresses.is_only_an_address(NAME)


@pytest.mark.parametrize(
    "typed",
    [
        ID,
        "gb.13491208655302741918",
        "whatsapp:gb.13491208655302741918",
        "WhatsApp: GB.13491208655302741918",
        "\u200bgb.13491208655302741918 ",
    ],
)
def test_a_user_id_is_understood_however_it_is_typed(
    service: Service, db: Client, typed: str
) -> None:
    records.customer(db, "ada", addresses=[typed])
    service.settle()
    record = records.read(db, "customers", "ada")
    assert (record["addresses"], record.get("problem")) == ([USER_ID], None)
    assert _introduced(service, USER_ID)["customer_id"] == "ada"


def test_what_may_be_something_else_is_not_taken_for_a_user_id() -> None:
    for typed in ("de.mueller", "gb.7771abc", "gb.777"):
        assert phone_numbers.normalised(typed) is None, typed
    assert (
        phone_numbers.normalised("whatsapp:us.ent.7771abc") == "whatsapp:US.ENT.7771abc"
    )


@pytest.mark.parametrize(
    "typed", ["@ada.byron", "whatsapp:@ada.byron", "WhatsApp @ada_1815"]
)
def test_a_username_is_reported_with_what_to_do(
    service: Service, db: Client, typed: str
) -> None:
    records.customer(db, "ada", addresses=[typed])
    service.settle()
    problem = str(_problem(db, "ada"))
    assert "is a WhatsApp username" in problem and "copy the id" in problem


@pytest.mark.parametrize(
    "sender",
    [
        "urn:mbid:AQAAY0FmSg==",
        "rcs:acme_agent",
        "viber:abc",
        "ACME",
        "12345",
        "messenger:4711",
        "line:U1",
        USER_ID,
    ],
)
def test_a_record_that_the_service_made_has_no_problem(
    service: Service, db: Client, sender: str
) -> None:
    name = _introduced(service, sender)["customer_id"]
    assert (records.read(db, "customers", name)["addresses"], _problem(db, name)) == (
        [sender],
        None,
    )
    db.document(f"customers/{name}").update({"display_name": "Ada"})
    service.settle()
    assert _problem(db, name) is None
    db.document(f"customers/{name}").update({"addresses": [sender, "0170 1234567"]})
    service.settle()
    assert "0170 1234567 is not an international number" in str(_problem(db, name))


@pytest.mark.parametrize(
    ("known", "left", "state"),
    [
        ([NUMBER, USER_ID], USER_ID, "closed"),
        (["+447700900001", ID], USER_ID, "closed"),
        ([NUMBER], USER_ID, "queued"),
        ([USER_ID], USER_ID, "queued"),
        ([NUMBER, "+447700900002"], "+447700900002", "queued"),
        ([NUMBER], "whatsapp:+44 7700 900001", "closed"),
        (["bobby@example.com"], "bobby@example.com", "queued"),
    ],
)
def test_a_customer_who_leaves_under_another_name_of_theirs_waits_no_more(
    service: Service, db: Client, known: list[str], left: str, state: str
) -> None:
    records.customer(db, "ada", addresses=known)
    service.settle()
    sid = write(service, NUMBER, OUR_WHATSAPP)
    service.settle()
    db.document(f"conversations/{sid}").update({"customer_id": "ada"})
    event = forms.participant("onParticipantRemoved", sid)
    binding = {
        "MessagingBinding.Address": left,
        "MessagingBinding.ProxyAddress": OUR_WHATSAPP,
    }
    assert service.post("post_event", event | binding).status_code == 200
    assert records.conversation(db, sid)["state"] == state
