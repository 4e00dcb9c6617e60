"""onConversationAdd: a name and an avatar, in time, whatever happens."""

from __future__ import annotations

import json
import socket
import time

import pytest
from google.cloud.firestore import Client

from tests.core import forms, records
from tests.service import Service

AVATAR = "https://example.com/ada.png"


def answer(service: Service, form: dict[str, str]) -> dict[str, object]:
    response = service.post("pre_event", form)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    content: dict[str, object] = json.loads(response.data)
    return content


@pytest.fixture
def _ada(db: Client) -> None:
    records.customer(
        db, "ada", display_name="Ada Byron", addresses=["+15550000001"], avatar=AVATAR
    )


@pytest.mark.usefixtures("_ada")
@pytest.mark.parametrize("address", ["+15550000001", "whatsapp:+15550000001"])
def test_a_known_customer_is_named_on_every_channel(
    service: Service, address: str
) -> None:
    named = answer(service, forms.conversation_add(address))
    assert named["friendly_name"] == "Ada Byron"
    assert json.loads(str(named["attributes"])) == {"avatar": AVATAR}


@pytest.mark.usefixtures("_ada")
def test_the_exact_address_wins_over_the_bare_number(
    service: Service, db: Client
) -> None:
    records.customer(
        db,
        "a-first-by-id",
        display_name="By WhatsApp",
        addresses=["whatsapp:+15550000001"],
    )
    assert (
        answer(service, forms.conversation_add("whatsapp:+15550000001"))[
            "friendly_name"
        ]
        == "By WhatsApp"
    )
    assert (
        answer(service, forms.conversation_add("+15550000001"))["friendly_name"]
        == "Ada Byron"
    )


@pytest.mark.usefixtures("_ada")
def test_attributes_are_merged_into_what_is_there(service: Service) -> None:
    named = answer(
        service,
        forms.conversation_add(Attributes='{"colour": "blue", "avatar": "mine"}'),
    )
    assert json.loads(str(named["attributes"])) == {"colour": "blue", "avatar": "mine"}


def test_an_unknown_customer_is_called_by_the_address(service: Service) -> None:
    assert answer(service, forms.conversation_add("whatsapp:+15550000009")) == {
        "friendly_name": "whatsapp:+15550000009"
    }


def test_a_group_is_called_by_who_wrote(service: Service, db: Client) -> None:
    records.customer(db, "bob", display_name="Bob", addresses=["+15550000002"])
    form = forms.conversation_add(
        f"{forms.PROXY}, +15550000003",
        **{"MessagingBinding.AuthorAddress": "+15550000002"},
    )
    assert answer(service, form)["friendly_name"] == "Bob"


@pytest.mark.parametrize(
    "form",
    [
        forms.conversation_add(None),
        forms.conversation_add() | {"EventType": "onConversationUpdate"},
        forms.conversation_add(Attributes="no json"),
        {},
    ],
)
def test_nothing_to_say_leaves_the_conversation_as_it_is(
    service: Service, form: dict[str, str]
) -> None:
    assert answer(service, form) == {}


@pytest.mark.usefixtures("_ada")
@pytest.mark.parametrize("odd", ["null", "[]", "[1]", "5"])
def test_attributes_of_another_kind_count_as_none(service: Service, odd: str) -> None:
    named = answer(service, forms.conversation_add("+15550000001", Attributes=odd))
    assert json.loads(str(named["attributes"])) == {"avatar": AVATAR}


def test_a_silent_database_does_not_cost_the_message(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(
            "FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{silent.getsockname()[1]}"
        )
        began = time.monotonic()
        assert answer(service, forms.conversation_add()) == {}
        assert time.monotonic() - began < 3


def test_a_database_that_is_away_does_not_cost_the_message(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    began = time.monotonic()
    assert answer(service, forms.conversation_add()) == {}
    assert time.monotonic() - began < 3


def test_records_with_wrong_types_do_not_cost_the_message(
    service: Service, db: Client
) -> None:
    records.customer(
        db,
        "odd",
        display_name=7,
        addresses=["+15550000001", 5, None],
        avatar=["x"],
        links="no",
        worker=3,
    )
    assert answer(service, forms.conversation_add()) == {
        "friendly_name": "+15550000001"
    }


@pytest.mark.parametrize(
    "avatar",
    [
        "data:image/png;base64," + "A" * 20_000,
        "https://example.com/" + "a" * 20_000,
        "javascript:x()",
    ],
)
def test_an_avatar_that_is_none_is_left_out_and_told(
    service: Service, db: Client, avatar: str
) -> None:
    records.customer(
        db, "ada", display_name="Ada", addresses=["+15550000001"], avatar=avatar
    )
    service.settle()
    assert answer(service, forms.conversation_add("+15550000001")) == {
        "friendly_name": "Ada"
    }
    assert "avatar" in records.read(db, "customers", "ada")["problem"]


@pytest.mark.parametrize("name", ["x", "中" * 5000])
@pytest.mark.parametrize("there", [16_200, 16_350, 40_000])
@pytest.mark.usefixtures("_ada")
def test_no_answer_is_larger_than_twilio_takes(
    service: Service, db: Client, there: int, name: str
) -> None:
    db.document("customers/ada").update({"display_name": name})
    form = forms.conversation_add(Attributes=json.dumps({"note": "n" * there}))
    named = answer(service, form)
    assert 0 < len(str(named["friendly_name"])) <= 256
    assert len(str(named.get("attributes", "")).encode()) <= 16_384
