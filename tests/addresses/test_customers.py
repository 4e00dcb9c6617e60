"""Whose address it is: one customer however the number is spelled, and nobody else once the number has passed on."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import addresses
from providers import customers as store
from tests.core import forms, records
from tests.core.test_routing import write
from tests.crm.frontline import App
from tests.service import Service

ANN = "ann@example.com"
BOB = "bob@example.com"
OURS = forms.PROXY
MEXICO, MEXICO_WHATSAPP = "+525512345678", "whatsapp:+5215512345678"
BRAZIL, BRAZIL_WHATSAPP = "+5531988887777", "whatsapp:+553188887777"
ARGENTINA, ARGENTINA_WHATSAPP = "+541112345678", "whatsapp:+5491112345678"
USER_ID = "whatsapp:US.13491208655302741918"
NUMBER = "+15550004001"


def _introduced(
    service: Service, address: str, sid: str | None = None
) -> dict[str, Any]:
    """A conversation arrives, as Twilio tells it: routed, then its customer introduced; its record in the log."""
    name = sid or forms.sid()
    assert (
        service.post("post_event", forms.conversation_added(name, address)).status_code
        == 200
    )
    binding = {
        "MessagingBinding.Address": address,
        "MessagingBinding.ProxyAddress": OURS,
    }
    event = forms.participant("onParticipantAdded", name) | binding
    service.post(
        "post_event", event
    )  # there is no such participant at Twilio: the record is made before that
    service.settle()
    return records.conversation(service.db, name)


@pytest.mark.parametrize(
    ("typed", "sender"),
    [
        ("tel:+447700900001", "+447700900001"),
        ("Mobile: +44 7700 900001", "whatsapp:+447700900001"),
        ("+4407700900021", "+447700900021"),
        ("\u202a+44\u00a07700\u200e900001\u202c", "+447700900001"),
        ("＋４４７７００９００００１", "+447700900001"),
        (MEXICO, MEXICO_WHATSAPP),
        (MEXICO_WHATSAPP, "whatsapp:+525512345678"),
        ("+5215512345678", MEXICO),
        (BRAZIL, BRAZIL_WHATSAPP),
        ("+553188887777", BRAZIL),
        (ARGENTINA, ARGENTINA_WHATSAPP),
        ("+5491112345678", ARGENTINA),
        (USER_ID, USER_ID),
        ("Messenger: 1234567890", "messenger:1234567890"),
    ],
)
def test_a_sender_is_the_customer_and_gets_their_own_worker(
    service: Service, db: Client, typed: str, sender: str
) -> None:
    records.routing(db, mode="custom")
    records.worker(db, ANN)
    records.customer(db, "bobby", display_name="Bobby", addresses=[typed], worker=ANN)
    service.settle()
    assert "problem" not in records.read(db, "customers", "bobby")
    form = forms.conversation_add(sender)
    assert service.post("pre_event", form).get_json()["friendly_name"] == "Bobby"
    arrived = _introduced(service, sender)
    assert (arrived["customer_id"], arrived["mode"], arrived["worker"]) == (
        "bobby",
        "custom",
        ANN,
    )
    assert [one.id for one in db.collection("customers").stream()] == ["bobby"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (MEXICO, MEXICO_WHATSAPP),
        (MEXICO, "+52 1 55 1234 5678"),
        (BRAZIL_WHATSAPP, f"whatsapp:{BRAZIL}"),
        (ARGENTINA, ARGENTINA_WHATSAPP),
        ("+447700900021", "+44 (0)7700 900021"),
        ("bobby@example.com", "Bob <BOBBY@example.com>"),
        ("+447700900021", "whatsapp:+447700900021"),
    ],
)
def test_two_customers_with_one_number_are_told_however_it_is_spelled(
    service: Service, db: Client, one: str, other: str
) -> None:
    records.customer(db, "bobby", display_name="Bobby", addresses=[one])
    records.customer(db, "twin", display_name="Twin", addresses=[other])
    service.settle()
    assert (
        "also belongs to the customer twin"
        in records.read(db, "customers", "bobby")["problem"]
    )
    assert (
        "also belongs to the customer bobby"
        in records.read(db, "customers", "twin")["problem"]
    )
    db.document("customers/twin").update({"addresses": ["+15550000008"]})
    service.settle()
    assert "problem" not in records.read(db, "customers", "bobby")


@pytest.mark.parametrize(
    "typed",
    [
        "+52 1 55 1234",
        "+525512",
        "5512345678",
        "whatsapp:+5215512345678",
        "tel:+52 55 1234 5678",
        "+52\u200b55",
    ],
)
def test_both_spellings_are_found(
    app: App, db: Client, keep: Callable[..., None], typed: str
) -> None:
    keep("sms", display_name="Sms", addresses=[MEXICO])
    assert app.names(Query=typed) == ["Sms"]
    keep("sms", display_name="Whatsapp", addresses=[MEXICO_WHATSAPP])
    assert app.names(Query=typed) == ["Whatsapp"]


def test_a_record_for_a_whatsapp_user_id_has_no_problem_and_can_be_written_to(
    service: Service, db: Client
) -> None:
    records.worker(db, ANN, addresses=["whatsapp:+1 (202) 555-0101"])
    arrived = _introduced(service, USER_ID)
    record = records.read(db, "customers", arrived["customer_id"])
    assert record["addresses"] == [USER_ID]
    assert "problem" not in record
    details = {
        "Location": "GetCustomerDetailsByCustomerId",
        "Worker": ANN,
        "CustomerId": arrived["customer_id"],
    }
    channel = service.post("crm", details).get_json()["objects"]["customer"][
        "channels"
    ][0]
    assert channel == {"type": "whatsapp", "value": USER_ID}
    asked = details | {
        "Location": "GetProxyAddress",
        "ChannelType": channel["type"],
        "ChannelValue": channel["value"],
    }
    assert service.post("outgoing_conversation", asked).get_json() == {
        "proxy_address": "whatsapp:+12025550101"
    }


@pytest.mark.parametrize("create", [True, False], ids=["with records", "without"])
def test_a_number_that_has_passed_on_is_a_strangers(
    service: Service, db: Client, create: bool
) -> None:
    """The office renames a record that the service made, and replaces the number in it."""
    records.routing(db, mode="custom", custom_fallback="none")
    records.worker(db, BOB)
    first = _introduced(service, NUMBER)["customer_id"]
    bob = {"display_name": "Bob Baker", "worker": BOB, "addresses": ["+15550004002"]}
    db.document(f"customers/{first}").update(bob)
    records.routing(db, mode="custom", custom_fallback="none", create_customers=create)
    service.settle()
    named = service.post("pre_event", forms.conversation_add(NUMBER)).get_json()[
        "friendly_name"
    ]
    assert named == NUMBER
    for sender in (NUMBER, f"whatsapp:{NUMBER}", NUMBER):
        stranger = _introduced(service, sender)
        assert stranger["customer_id"] != first
        assert stranger["display_name"] in (NUMBER, f"whatsapp:{NUMBER}")
        assert stranger.get("worker") is None
    assert {name: records.read(db, "customers", first)[name] for name in bob} == bob
    others = [one for one in db.collection("customers").stream() if one.id != first]
    assert len(others) == create
    assert all(one.get("addresses") == [NUMBER] for one in others)
    assert _introduced(service, "+15550004002")["customer_id"] == first


def test_a_number_that_passes_on_again_and_again_is_each_time_a_strangers(
    service: Service, db: Client
) -> None:
    seen = set()
    for number in range(4):
        name = _introduced(service, NUMBER)["customer_id"]
        seen.add(name)
        db.document(f"customers/{name}").update({"addresses": [f"+1555000500{number}"]})
        service.settle()
    assert len(seen) == 4


@pytest.mark.parametrize(
    "senders",
    [(NUMBER, f"whatsapp:{NUMBER}"), (MEXICO, MEXICO_WHATSAPP)],
    ids=["one spelling", "two"],
)
def test_two_channels_of_one_number_that_write_at_once_become_one_record(
    service: Service, db: Client, senders: tuple[str, str]
) -> None:
    at_once = threading.Barrier(len(senders) * 3)
    made = []

    def arrive(address: str) -> None:
        stranger = store.find(address)
        at_once.wait(10)
        made.append(store.create(stranger, address).customer_id)

    threads = [
        threading.Thread(target=arrive, args=(sender,)) for sender in senders * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    service.settle()
    (record,) = db.collection("customers").stream()
    assert set(made) == {record.id}
    assert set(record.get("addresses")) == set(senders)
    assert record.id == addresses.stable_id(senders[0], store.key())


def test_an_import_without_ids_does_not_take_a_record_by_the_number_that_it_once_had(
    db: Client, project: str, tmp_path: Any
) -> None:
    from tools import customers as command
    from tools import customers_store

    name = addresses.stable_id(NUMBER, customers_store.key(db))
    db.document(f"customers/{name}").set(
        {"display_name": "Bob Baker", "addresses": ["+15550004002"]}
    )
    file = tmp_path / "customers.csv"
    file.write_text(f"display_name,addresses\nStranger,{NUMBER}\n")
    for _ in range(2):
        assert command.main(["import", str(file), "--project", project]) == 0
    assert records.read(db, "customers", name)["display_name"] == "Bob Baker"
    assert len(list(db.collection("customers").stream())) == 2


def _merged(service: Service, db: Client) -> str:
    """The record that the service made is deleted while its conversation is open; Ada has the number now."""
    records.worker(db, ANN, addresses=["+15550009004"])
    records.worker(db, BOB, "Unavailable")
    gone = records.conversation(db, write(service, NUMBER))["customer_id"]
    db.document(f"customers/{gone}").delete()
    records.customer(
        db, "ada", display_name="Ada Byron", addresses=["+1 555 000 4001"], worker=BOB
    )
    db.document("templates/hello").set({"content": "Hello {{Name}}"})
    service.settle()
    return str(gone)


def _asked(service: Service, customer_id: str) -> dict[str, Any]:
    form = {"Worker": ANN, "CustomerId": customer_id}
    number = {"ChannelType": "sms", "ChannelValue": NUMBER}
    return {
        "details": service.post(
            "crm", form | {"Location": "GetCustomerDetailsByCustomerId"}
        ),
        "templates": service.post(
            "templates", form | {"Location": "GetTemplatesByCustomerId"}
        ),
        "number": service.post(
            "outgoing_conversation", form | {"Location": "GetProxyAddress"} | number
        ),
    }


def test_an_open_conversation_of_a_merged_customer_is_whose_address_it_is_now(
    service: Service, db: Client
) -> None:
    gone = _merged(service, db)
    answers = _asked(service, gone)
    assert {
        name: answer.status_code for name, answer in answers.items()
    } == dict.fromkeys(answers, 200)
    assert answers["details"].get_json()["objects"]["customer"]["customer_id"] == "ada"
    assert answers["templates"].get_json()[0]["templates"] == [
        {"content": "Hello Ada Byron"}
    ]
    assert answers["number"].get_json() == {"proxy_address": "+15550009004"}
    db.document("customers/ada").update({"do_not_contact": True})
    assert _asked(service, gone)["number"].status_code == 403


def test_who_does_not_talk_to_them_is_told_nothing_by_a_deleted_id(
    service: Service, db: Client
) -> None:
    gone = _merged(service, db)
    form = {
        "Worker": "carl@example.com",
        "CustomerId": gone,
        "Location": "GetCustomerDetailsByCustomerId",
    }
    assert service.post("crm", form).status_code == 403


def test_a_deleted_customer_whose_address_nobody_has_is_gone(
    service: Service, db: Client
) -> None:
    gone = _merged(service, db)
    db.document("customers/ada").delete()
    for customer_id in (gone, "never"):
        answers = _asked(service, customer_id)
        assert {
            name: answer.status_code for name, answer in answers.items()
        } == dict.fromkeys(answers, 404)


def test_an_id_says_nothing_about_the_number_to_whoever_has_not_the_key(
    service: Service, db: Client
) -> None:
    made = _introduced(service, NUMBER)["customer_id"]
    assert made != addresses.stable_id(NUMBER, None)
    assert made == addresses.stable_id(
        NUMBER, records.read(db, "service", "identifiers")["key"].encode()
    )


def test_a_record_from_before_there_was_a_key_keeps_its_name_on_every_channel(
    service: Service, db: Client, project: str, tmp_path: Any
) -> None:
    from tools import customers as command

    former = addresses.stable_id(NUMBER, None)
    records.customer(db, former, display_name="Ada", addresses=[f"whatsapp:{NUMBER}"])
    service.settle()
    assert _introduced(service, NUMBER)["customer_id"] == former
    assert set(records.read(db, "customers", former)["addresses"]) == {
        NUMBER,
        f"whatsapp:{NUMBER}",
    }
    file = tmp_path / "customers.csv"
    file.write_text(f"display_name,addresses\nAda Byron,{NUMBER}; whatsapp:{NUMBER}\n")
    assert command.main(["import", str(file), "--project", project]) == 0
    assert [one.id for one in db.collection("customers").stream()] == [former]


@pytest.mark.parametrize("key", [7, "", None, ["x"]], ids=str)
@pytest.mark.parametrize("who", ["the service", "an import"])
def test_a_key_that_makes_no_sense_is_made_anew(db: Client, key: Any, who: str) -> None:
    from tools import customers_store

    db.document("service/identifiers").set({"key": key})
    used = store.key() if who == "the service" else customers_store.key(db)
    assert used == records.read(db, "service", "identifiers")["key"].encode()
    assert len(used) == 64
