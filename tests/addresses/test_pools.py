"""Our own numbers, typed as people type them: by which pool a conversation enters, and from where a worker writes."""

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.firestore import DELETE_FIELD, Client

from functions import pool_written
from functions.http.trigger import Change
from tests.core import forms, records
from tests.core.test_routing import write
from tests.crm.frontline import JOHN, App
from tests.service import Service

Keep = Callable[..., None]
OURS = "+12025550102"
WHATSAPP = f"whatsapp:{OURS}"
ANN, BEN = "ann@example.com", "ben@example.com"
ON_A_BAD_DAY = {"twice": True, "shuffle": 4}


def _pool(db: Client, name: str) -> dict[str, Any]:
    return records.read(db, "pools", name)


@pytest.mark.parametrize(
    ("typed", "to", "kept"),
    [
        ("+1 (202) 555-0102", OURS, OURS),
        ("tel:+1-202-555-0102", OURS, OURS),
        ("Office: +1 202 555 0102", OURS, OURS),
        ("\u202a+12025550102\u202c", OURS, OURS),
        ("＋１２０２５５５０１０２", OURS, OURS),
        ("001 202 555 0102", OURS, OURS),
        ("WhatsApp: +1 202 555 0102", WHATSAPP, WHATSAPP),
        ("+1 (202) 555-0102", WHATSAPP, OURS),
        ("+4407700900021", "+447700900021", "+447700900021"),
        ("+49 (0)170 1234567", "+491701234567", "+491701234567"),
        ("+52 55 1234 5678", "whatsapp:+5215512345678", "+525512345678"),
    ],
)
def test_a_number_typed_as_people_type_it_names_the_pool(
    service: Service, db: Client, typed: str, to: str, kept: str
) -> None:
    records.pool(db, "p", addresses=[typed], mode="none")
    service.settle()
    assert _pool(db, "p") == {"addresses": [kept], "mode": "none"}
    sid = forms.sid()
    binding = {"MessagingBinding.ProxyAddress": to}
    service.post("post_event", forms.conversation_added(sid, "+15550000001", **binding))
    arrived = records.conversation(db, sid)
    assert (arrived["state"], arrived["pool"]) == ("unrouted", "p")
    service.settle()
    assert "problem" not in _pool(db, "p")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("(202) 555-0101", "(202) 555-0101 is not a number of Twilio's"),
        ("0170 1234567", "0170 1234567 is not a number of Twilio's"),
        ("The Acme Company", "The Acme Company is not a number of Twilio's"),
        (
            "Off\u200bice in London",
            "Off‹U+200B ZERO WIDTH SPACE›ice in London is not a number of Twilio's",
        ),
        ({"number": OURS}, "addresses has an entry that is not a text"),
        (5, "addresses has an entry that is not a text"),
        (None, "addresses has an entry that is not a text"),
    ],
)
def test_what_is_no_number_is_told_kept_and_stops_nothing(
    service: Service, db: Client, typed: object, told: str
) -> None:
    records.pool(db, "p", addresses=[OURS, typed], mode="none")
    service.settle()
    assert told in _pool(db, "p")["problem"]
    assert _pool(db, "p")["addresses"] == [OURS, typed]
    assert records.conversation(db, write(service, "+15550000001", OURS))["pool"] == "p"
    assert service.post("sweep", signed=False).status_code == 200
    assert told in _pool(db, "p")["problem"]
    db.document("pools/p").update({"addresses": [OURS]})
    service.settle()
    assert "problem" not in _pool(db, "p")


def test_short_codes_and_other_channels_stay_as_they_are(
    service: Service, db: Client
) -> None:
    records.pool(db, "p", addresses=["12345", "messenger:1234567890", OURS])
    service.settle()
    assert _pool(db, "p") == {"addresses": ["12345", "messenger:1234567890", OURS]}


@pytest.mark.parametrize(
    ("ours", "customer"),
    [
        ("rcs:acme_agent", "rcs:+447700900001"),
        ("rcs:acme_7f3k_agent", "rcs:+447700900001"),
        ("support@acme.com", "bobby@example.com"),
        ("ACME", "+447700900001"),
        ("Acme & Co 2", "+447700900001"),
        ("urn:mbid:AQAAY0FmSg==", "urn:mbid:BQAAY0FmSg=="),
    ],
)
def test_each_channels_own_sender_names_the_pool_without_a_problem(
    service: Service, db: Client, ours: str, customer: str
) -> None:
    records.pool(db, "p", addresses=[ours], mode="none")
    service.settle()
    assert _pool(db, "p") == {"addresses": [ours], "mode": "none"}
    sid = forms.sid()
    binding = {"MessagingBinding.ProxyAddress": ours}
    service.post("post_event", forms.conversation_added(sid, customer, **binding))
    assert records.conversation(db, sid)["pool"] == "p"
    service.settle()
    assert "problem" not in _pool(db, "p")


@pytest.mark.parametrize(
    "behaviour", [{}, ON_A_BAD_DAY], ids=["in order", "twice and shuffled"]
)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (OURS, "+1 (202) 555-0102"),
        ("whatsapp:+525512345678", "whatsapp:+5215512345678"),
        ("12345", "12345"),
    ],
)
def test_two_pools_with_one_number_name_each_other_until_it_is_mended(
    service: Service, db: Client, behaviour: dict[str, Any], one: str, other: str
) -> None:
    service.triggers.behave(service.project, **behaviour)
    records.pool(db, "east", addresses=[one])
    records.pool(db, "west", addresses=[other], capacity="many")
    records.pool(db, "other", addresses=["+15550000009"])
    service.settle()
    assert "also belongs to the pool west" in _pool(db, "east")["problem"]
    assert "also belongs to the pool east" in _pool(db, "west")["problem"]
    assert "capacity" in _pool(db, "west")["problem"]
    assert "problem" not in _pool(db, "other")
    db.document("pools/west").update(
        {"addresses": ["+15550000008"], "capacity": DELETE_FIELD}
    )
    service.settle()
    assert "problem" not in _pool(db, "east")
    assert "problem" not in _pool(db, "west")


def test_what_a_conversation_and_the_sweep_see_does_not_take_the_warning_away(
    service: Service, db: Client
) -> None:
    records.pool(db, "east", addresses=[OURS])
    records.pool(db, "west", addresses=[OURS])
    records.worker(db, ANN, pools=["east", "west"])
    service.settle()
    before = _pool(db, "east")["problem"]
    write(service, "+15550000001", OURS)
    service.post("sweep", signed=False)
    service.settle()
    assert _pool(db, "east")["problem"] == before
    db.document("pools/west").delete()
    service.settle()
    assert "problem" not in _pool(db, "east")


def test_a_pool_for_whatsapp_and_one_for_texts_may_share_a_number(
    service: Service, db: Client
) -> None:
    records.pool(db, "texts", addresses=[OURS])
    records.pool(db, "chats", addresses=[WHATSAPP])
    service.settle()
    assert "problem" not in _pool(db, "texts") | _pool(db, "chats")
    assert (
        records.conversation(db, write(service, "whatsapp:+15550000001", WHATSAPP))[
            "pool"
        ]
        == "chats"
    )


def test_its_own_writes_are_no_reason_to_write_again(
    service: Service, db: Client
) -> None:
    records.pool(db, "p", addresses=["+1 (202) 555-0102", 5], capacity=float("nan"))
    service.settle()  # would not end
    version = db.document("pools/p").get().update_time
    pool_written.handle(Change("p", None, _pool(db, "p")))
    pool_written.handle(Change("p", {"addresses": ["+1 202"]}, None))
    pool_written.handle(Change("gone", {"addresses": [OURS]}, None))
    assert db.document("pools/p").get().update_time == version


@pytest.mark.parametrize(
    "capacity", [2, None, 2.0], ids=["a larger number", "no limit", "a double"]
)
def test_more_room_is_used_at_once(
    service: Service, db: Client, capacity: float | None
) -> None:
    records.pool(db, "default", capacity=1)
    records.worker(db, ANN)
    service.settle()
    first, second = (write(service, f"+1555000000{number}") for number in (1, 2))
    assert records.is_pending(db, second)
    db.document("pools/default").update({"capacity": capacity})
    service.settle()
    assert records.conversation(db, second)["worker"] == ANN
    assert records.conversation(db, first)["worker"] == ANN
    assert records.active(db, ANN) == 2


def test_less_room_is_said_in_the_workers_records(service: Service, db: Client) -> None:
    records.worker(db, ANN)
    write(service)
    assert records.read(db, "workers", ANN)["full"] is False
    records.pool(db, "default", capacity=1)
    service.settle()
    assert records.read(db, "workers", ANN)["full"] is True


@pytest.mark.parametrize(
    ("own", "proxy"),
    [
        (["(202) 555-0101", "+15550009004"], "+15550009004"),
        (["2025550101"], "+15550009009"),
        (["0170 1234567", "n/a"], "+15550009009"),
        (["+1 (202) 555-0101"], "+12025550101"),
        (["tel:+12025550101"], "+12025550101"),
        (["\u202a+12025550101\u202c"], "+12025550101"),
        (["+4901701234567"], "+491701234567"),
        (["+4407700900021"], "+447700900021"),
        (["+39 06 1234 5678"], "+390612345678"),
        (["001 202 555 0101"], "+12025550101"),
        (["whatsapp:+12025550101", "+1 202 555 0103"], "+12025550103"),
        ([5, {"number": "+12025550101"}, "12345"], "12345"),
    ],
)
def test_nobody_writes_from_a_spelling_that_twilio_does_not_own(
    app: App,
    keep: Keep,
    db: Client,
    monkeypatch: pytest.MonkeyPatch,
    own: list[object],
    proxy: str,
) -> None:
    monkeypatch.setenv("TWILIO_SMS_NUMBER", "+1 (555) 000-9009")
    keep("bobby")
    records.worker(db, JOHN, addresses=own)
    assert app.proxy_address().get_json() == {"proxy_address": proxy}


def test_nobody_writes_to_themselves_in_another_spelling(
    app: App, keep: Keep, db: Client
) -> None:
    keep("bobby", addresses=["whatsapp:+5215512345678"])
    records.worker(
        db, JOHN, addresses=["whatsapp:+52 55 1234 5678", "whatsapp:+15550009004"]
    )
    asked = {"ChannelType": "whatsapp", "ChannelValue": "whatsapp:+5215512345678"}
    assert app.proxy_address(**asked).get_json() == {
        "proxy_address": "whatsapp:+15550009004"
    }
