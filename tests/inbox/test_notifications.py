"""Notifications: who is told what on which device, what of it a push service can read, and what goes wrong."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask, Response, request
from google.cloud.firestore import DELETE_FIELD
from joserfc import jwt
from joserfc.jwk import ECKey

from domain import device
from local.servers import LocalServer
from providers import clock
from tests.inbox.conftest import ANN, OURS, Open
from tests.inbox.page import ALICE, BOB, Page
from tests.service import Service

SUBJECT = "mailto:office@example.com"


@dataclass
class Browser:
    """A browser's subscription: what it gave the page, and what has arrived for it."""

    url: str
    status: int = 201
    seconds: float = 0.0
    arrived: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = b"sixteen bytes ok"

    def subscription(self) -> dict[str, Any]:
        point = self.key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": _text(point), "auth": _text(self.secret)}
        return {"endpoint": self.url, "expirationTime": None, "keys": keys}

    def shown(self) -> list[dict[str, Any]]:
        """What it would show, decrypted as a browser does."""
        return [json.loads(self._opened(body)) for _, body in self.arrived]

    def _opened(self, body: bytes) -> bytes:
        opened: bytes = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"
        )
        return opened


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A push service on this machine, with one browser behind it; and keys of ours to sign with."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    monkeypatch.setenv("VAPID_PRIVATE_KEY", _text(number.to_bytes(32, "big")))
    monkeypatch.setenv("VAPID_SUBJECT", SUBJECT)
    app = Flask("push")
    server = LocalServer(app)
    browser = Browser(f"{server.url}/push/1")

    @app.post("/push/1")
    def push() -> Response:
        time.sleep(browser.seconds)
        browser.arrived.append((dict(request.headers), request.get_data()))
        return Response(status=browser.status)

    server.start()
    yield browser
    server.stop()


def keep(
    page: Page, browser: Browser, text: bool = True, name: str = "device-0001"
) -> int:
    body = {"subscription": browser.subscription(), "text": text}
    return page.post(f"devices/{name}", body, method="PUT").status_code


def devices(service: Service, identity: str = ALICE) -> dict[str, Any]:
    return dict(
        (service.db.document(f"workers/{identity}").get().to_dict() or {}).get(
            "devices"
        )
        or {}
    )


def test_a_phone_is_told_of_a_new_conversation_and_of_each_message(
    service: Service, open_as: Open, phone: Browser
) -> None:
    page = open_as(ALICE, status="Available", display_name="Alice")
    assert keep(page, phone) == 200
    service.settle()
    service.standin.set_autocreate(OURS)
    sid = service.standin.inbound(ANN, OURS, "Hello").conversation_sid
    service.settle()
    service.standin.inbound(ANN, OURS, "Are you there?")
    service.settle()
    shown = phone.shown()
    assert {one["sid"] for one in shown} == {sid}
    assert shown[0]["title"] == f"New: {ANN}"
    assert (shown[-1]["title"], shown[-1]["body"]) == (ANN, "Are you there?")
    assert len(shown) in (
        2,
        3,
    )  # the first message may have come with the conversation, or right after it


def test_a_push_service_learns_who_we_are_and_nothing_else(
    service: Service, open_as: Open, phone: Browser
) -> None:
    page = open_as(ALICE, status="Available")
    keep(page, phone)
    service.settle()
    service.standin.set_autocreate(OURS)
    service.standin.inbound(ANN, OURS, "swordfish")
    service.settle()
    headers, body = phone.arrived[0]
    assert (
        headers["Content-Encoding"],
        headers["Urgency"],
        int(headers["Ttl"]) > 0,
    ) == (
        "aes128gcm",
        "high",
        True,
    )
    assert b"swordfish" not in body and ANN.encode() not in body
    scheme, _, rest = headers["Authorization"].partition(" ")
    parts = dict(one.strip().split("=", 1) for one in rest.split(","))
    assert (scheme, parts["k"]) == ("vapid", page.state()["push_key"])
    point = base64.urlsafe_b64decode(parts["k"] + "=")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(parts["t"], ECKey.import_key(pem), algorithms=["ES256"]).claims
    assert (claims["aud"], claims["sub"]) == (
        phone.url.removesuffix("/push/1"),
        SUBJECT,
    )
    assert 0 < claims["exp"] - time.time() <= 24 * 3600


def test_without_text_it_says_new_message_and_no_more(
    service: Service, open_as: Open, phone: Browser
) -> None:
    page = open_as(ALICE, status="Available")
    keep(page, phone, text=False)
    service.settle()
    service.standin.set_autocreate(OURS)
    service.standin.inbound(ANN, OURS, "swordfish")
    service.settle()
    service.standin.inbound(ANN, OURS, "swordfish")
    service.settle()
    titles = [one["title"] for one in phone.shown()]
    assert titles[0] == "A new conversation is yours" and set(titles[1:]) == {
        "New message"
    }
    assert "swordfish" not in str(phone.shown()) and ANN not in str(phone.shown())


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_has_unsubscribed_is_forgotten(
    service: Service, open_as: Open, phone: Browser, status: int
) -> None:
    page = open_as(ALICE, status="Available")
    keep(page, phone)
    service.settle()
    phone.status = status
    service.standin.set_autocreate(OURS)
    service.standin.inbound(ANN, OURS, "Hello")
    service.settle()
    assert devices(service) == {}


@pytest.mark.parametrize("trouble", ["500", "429", "slow", "gone"])
def test_a_push_service_in_trouble_holds_up_nobody(
    service: Service, open_as: Open, phone: Browser, trouble: str
) -> None:
    page = open_as(ALICE, status="Available")
    if trouble == "gone":
        phone.url = "http://127.0.0.1:9/push/1"
    keep(page, phone)
    service.settle()
    phone.status, phone.seconds = (
        (int(trouble), 0.0) if trouble.isdecimal() else (201, 2.5)
    )
    service.standin.set_autocreate(OURS)
    began = time.monotonic()
    sid = service.standin.inbound(ANN, OURS, "Hello").conversation_sid
    assert sid is not None
    routed = time.monotonic() - began
    service.settle(timeout=30)
    stored = service.db.document(f"conversations/{sid}").get().to_dict()
    assert stored is not None
    assert stored["state"] == "assigned"
    assert routed < 2.4 or trouble != "slow"  # the webhooks have not waited for it
    assert list(devices(service)) == ["device-0001"]


def test_what_she_has_read_rings_no_phone(
    service: Service, open_as: Open, phone: Browser
) -> None:
    from functions.conversation_written import notifications
    from functions.conversation_written.receiver import Written
    from providers import conversations

    page = open_as(ALICE, status="Available")
    service.settle()
    service.standin.set_autocreate(OURS)
    sid = str(service.standin.inbound(ANN, OURS, "Hello").conversation_sid)
    service.settle()
    before = conversations.load(sid)
    service.standin.inbound(ANN, OURS, "Are you there?")
    service.settle()
    after = conversations.load(sid)
    page.post(f"conversations/{sid}/read", {"index": 1})
    service.settle()
    keep(page, phone)
    notifications._told.clear()
    notifications.tell(Written(before, after))  # the event comes late
    assert phone.arrived == []


def test_an_event_that_comes_twice_rings_once(
    service: Service, open_as: Open, phone: Browser
) -> None:
    page = open_as(ALICE, status="Available")
    keep(page, phone)
    service.settle()
    service.triggers.behave(service.project, "conversation_written", twice=True)
    try:
        service.standin.set_autocreate(OURS)
        service.standin.inbound(ANN, OURS, "Hello")
        service.settle()
    finally:
        service.triggers.behave(service.project, "conversation_written")
    shown = [(one["title"], one["body"]) for one in phone.shown()]
    assert len(shown) == len(set(shown)) and shown


def test_a_device_is_told_anew_and_the_eleventh_takes_the_place_of_the_oldest(
    service: Service, open_as: Open, phone: Browser
) -> None:
    page = open_as(ALICE)
    address = phone.url
    for number in range(device.MOST + 2):
        phone.url = f"{address}?{number}"
        assert keep(page, phone, name=f"device-{number:04}") == 200
    assert sorted(devices(service)) == [
        f"device-{number:04}" for number in range(2, device.MOST + 2)
    ]
    assert (
        keep(page, phone, name="device-again") == 200
    )  # the same browser under another name
    assert len(devices(service)) == device.MOST and "device-0011" not in devices(
        service
    )
    for _ in range(2):
        assert page.post("devices/device-again", method="DELETE").status_code == 200
    assert len(devices(service)) == device.MOST - 1
    assert (
        page.state()["me"]["status"] == "Unavailable"
    )  # all else in the record is as it was


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/1",
        "https://127.0.0.1/1",
        "https://[::1]/1",
        "https://localhost/1",
        "https://metadata.google.internal/computeMetadata/v1/",
        "https://metadata/1",
        "https://169.254.169.254/1",
        "https://user@push.example.com/1",
        "https://push.example.com:8443/1",
        "https://push.example.com/\n1",
        "https://169.254.169.254\\.push.apple.com/x",
        "https://127.0.0.1\\.push.apple.com/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://10.1/",
        "https://metadata.google.internal./",
        "https://localhost./",
        "https://kubernetes.default.svc/",
        "https://127.0.0.1.nip.io/",
        "https://web.push.apple.com./1",
        "https://evilpush.apple.com/1",
        "https://push.apple.com.evil.example/1",
        "https://fcm.googleapis.com.evil.example/1",
        "https://fcm.googleapis.com@evil.example/1",
        "https://evil.example#.push.apple.com/1",
        "https://evil.example/?.push.apple.com",
        "https://fcm.googleapis.com/\\@evil.example",
        "https://fcm.googleapis.com:8443/1",
        "http://fcm.googleapis.com/1",
        "http://127.0.0.1:80@evil.example/",
        "http://127.0.0.1:80\\@evil.example/",
        "http://127.0.0.1:1#@evil.example/",
        "http://127.0.0.1/1",
        "file:///etc/passwd",
        "https://" + "x" * 2000 + ".example.com/",
        "x",
    ],
)
def test_nothing_but_a_push_service_outside_is_written_to(
    service: Service, open_as: Open, phone: Browser, endpoint: str
) -> None:
    page = open_as(ALICE)
    phone.url = endpoint
    assert keep(page, phone) == 400
    assert devices(service) == {}
    assert not device.is_push_service(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://wns2-par02p.notify.windows.com/w/?token=abc",
    ],
)
def test_the_push_services_that_browsers_name_are_taken(endpoint: str) -> None:
    assert device.is_push_service(endpoint)


def test_in_the_cloud_this_machine_is_no_push_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from providers import web_push

    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    assert web_push.takes("http://127.0.0.1:8080/push/1")
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST")
    assert not web_push.takes("http://127.0.0.1:8080/push/1")
    assert web_push.takes("https://fcm.googleapis.com/fcm/send/abc")


def _text_to_alice(service: Service) -> None:
    """Ann writes, and Alice is given the conversation."""
    service.standin.set_autocreate(OURS)
    service.standin.inbound(ANN, OURS, "swordfish")
    service.settle()


def test_an_endpoint_that_is_no_push_service_is_not_called_whatever_the_record_says(
    service: Service, open_as: Open, phone: Browser
) -> None:
    page = open_as(ALICE, status="Available")
    keep(page, phone)
    service.db.document(f"workers/{ALICE}").update(
        {"devices.`device-0001`.endpoint": "https://127.1/"}
    )
    service.settle()
    _text_to_alice(service)
    assert (phone.arrived, devices(service)) == ([], {})


@pytest.mark.parametrize("text", [True, False])
def test_a_browser_is_notified_for_the_worker_who_told_it_last(
    service: Service, open_as: Open, phone: Browser, text: bool
) -> None:
    alice = open_as(ALICE, status="Available")
    keep(alice, phone, text=text)
    bob = open_as(BOB)
    assert keep(bob, phone, text=text, name="device-bobs") == 200
    assert (devices(service), list(devices(service, BOB))) == ({}, ["device-bobs"])
    service.settle()
    _text_to_alice(service)
    assert phone.arrived == []
    assert keep(alice, phone) == 200  # she signs in there again
    assert (list(devices(service)), devices(service, BOB)) == (["device-0001"], {})


def test_of_two_workers_who_tell_one_browser_at_once_one_keeps_it(
    service: Service, open_as: Open, phone: Browser
) -> None:
    pages = {ALICE: open_as(ALICE), BOB: open_as(BOB)}
    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(lambda page: keep(page, phone), pages.values())) == [
                200,
                200,
            ]
        assert sorted(len(devices(service, identity)) for identity in pages) == [0, 1]


def test_a_device_is_told_nothing_after_its_session(
    service: Service, open_as: Open, phone: Browser
) -> None:
    page = open_as(ALICE, status="Available")
    keep(page, phone)
    service.settle()
    clock.shift(12 * 3600 + 5)
    _text_to_alice(service)
    assert phone.arrived == []
    assert keep(page, phone, name="device-0002") == 200
    assert list(devices(service)) == ["device-0002"]  # what is over makes room


def test_a_device_from_before_there_was_an_end_is_told_nothing(
    service: Service, open_as: Open, phone: Browser
) -> None:
    page = open_as(ALICE, status="Available")
    keep(page, phone)
    service.db.document(f"workers/{ALICE}").update(
        {"devices.`device-0001`.until": DELETE_FIELD}
    )
    service.settle()
    _text_to_alice(service)
    assert phone.arrived == []


def test_without_keys_of_ours_nothing_is_read_and_nobody_is_told(
    service: Service, open_as: Open, phone: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_as(ALICE, status="Available")
    keep(page, phone)
    monkeypatch.delenv("VAPID_PRIVATE_KEY")
    service.settle()
    service.standin.set_autocreate(OURS)
    service.standin.inbound(ANN, OURS, "Hello")
    service.settle()
    assert (phone.arrived, page.state()["push_key"]) == ([], None)


@pytest.mark.parametrize(
    "name", ["__abcdefgh__", "__abcdefgh", "short", "x" * 65, "a.b.c.d.e"]
)
def test_a_device_has_a_name_that_a_record_can_hold(
    open_as: Open, phone: Browser, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    page = open_as(ALICE)
    capsys.readouterr()
    assert keep(page, phone, name=name) == 404
    assert "ERROR" not in capsys.readouterr().out
