"""INBOX_SIGN_IN=iap: Google's signed header instead of a sign-in of our own; the verifier is the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, jsonify
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from local.servers import LocalServer
from tests.inbox.page import ALICE, Page, told
from tests.service import Service

AUDIENCE = "/projects/1/locations/us-central1/services/inbox"
Header = Callable[..., str]


@pytest.fixture
def header(browser: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Header]:
    """header(email=..., aud=...): what the proxy would send."""
    key = ECKey.generate_key("P-256", {"kid": "iap-1"})
    app = Flask("keys")

    @app.get("/keys")
    def keys() -> Response:
        return jsonify(KeySet([key]).as_dict(private=False))

    server = LocalServer(app).start()
    monkeypatch.setenv("INBOX_SIGN_IN", "iap")
    monkeypatch.setenv("IAP_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("IAP_KEYS_URL", f"{server.url}/keys")

    def made(with_key: Any = key, **changed: Any) -> str:
        now = int(time.time())
        usual = {
            "iss": "https://cloud.google.com/iap",
            "aud": AUDIENCE,
            "email": ALICE,
            "sub": "1",
        }
        claims = usual | {"iat": now, "exp": now + 600} | changed
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": "iap-1"}, kept, with_key)

    yield made
    server.stop()


def test_who_the_proxy_says_is_signed_in(
    service: Service, browser: Page, header: Header
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    answer = browser.get("state", X_Goog_IAP_JWT_Assertion=header())
    assert (answer.status_code, answer.json()["me"]["identity"]) == (200, ALICE)
    sent = {"X_Goog_IAP_JWT_Assertion": header()}
    assert browser.post("status", {"status": "Unavailable"}, **sent).status_code == 200
    assert browser.get("", **sent).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "/projects/1/locations/us-central1/services/another"},
        {"aud": None},
        {"iss": "https://accounts.google.com"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": None},
        {"email": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": f"{ALICE}\x00"},
        {"sub": None},
        {"with_key": ECKey.generate_key("P-256")},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_header_is_nobody(
    service: Service, browser: Page, header: Header, changed: dict[str, Any]
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    assert (
        browser.get("state", X_Goog_IAP_JWT_Assertion=header(**changed)).status_code
        == 401
    )


def test_behind_the_proxy_our_own_cookie_is_nobody(
    service: Service, browser: Page, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    monkeypatch.delenv("INBOX_SIGN_IN")
    browser.sign_in(ALICE)
    assert browser.get("state").status_code == 200
    monkeypatch.setenv("INBOX_SIGN_IN", "iap")
    assert browser.get("state").status_code == 401
    assert (
        browser.get("").status_code,
        "Google's sign-in" in told(browser.get("")),
    ) == (403, True)
    assert browser.get("sign-in").headers["Location"] == "/inbox/"


@pytest.mark.parametrize("email", ["a/b@evil.example", "..", "system"])
def test_an_address_that_is_no_identity_is_no_worker(
    service: Service, browser: Page, header: Header, email: str
) -> None:
    service.db.document("workers/unknown").set({"status": "Available"})
    for path in ("state", ""):
        answer = browser.get(path, X_Goog_IAP_JWT_Assertion=header(email=email))
        assert (answer.status_code, "can't be the name" in told(answer)) == (403, True)


def test_only_addresses_of_the_allowed_domains_come_in(
    service: Service, browser: Page, header: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_ALLOWED_DOMAINS", "example.com")
    for identity, status in ((ALICE, 200), ("eve@gmail.example", 403)):
        service.db.document(f"workers/{identity}").set({"status": "Available"})
        sent = {"X_Goog_IAP_JWT_Assertion": header(email=identity)}
        assert browser.get("state", **sent).status_code == status
        assert browser.get("", **sent).status_code == status


def test_another_account_with_the_same_address_is_refused(
    service: Service, browser: Page, header: Header
) -> None:
    record = service.db.document(f"workers/{ALICE}")
    record.set({"status": "Available"})
    assert (
        browser.get("", X_Goog_IAP_JWT_Assertion=header(sub="first")).status_code == 200
    )
    subject = {"issuer": "https://cloud.google.com/iap", "subject": "first"}
    assert record.get().get("subject") == subject
    for path in ("", "state"):
        answer = browser.get(path, X_Goog_IAP_JWT_Assertion=header(sub="second"))
        assert (answer.status_code, "field subject" in told(answer)) == (403, True), (
            path
        )
    assert record.get().get("subject") == subject


def test_only_google_can_sign_out_and_the_page_says_so(
    service: Service, browser: Page, header: Header
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    sent = {"X_Goog_IAP_JWT_Assertion": header()}
    answer = browser.post("sign-out", **sent)
    assert (answer.status_code, "Google account" in told(answer)) == (409, True)
    assert browser.get("state", **sent).json()["sign_out"] is False


def test_without_an_audience_it_is_not_set_up(
    browser: Page,
    header: Header,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("IAP_AUDIENCE")
    assert browser.get("state", X_Goog_IAP_JWT_Assertion="x").status_code == 500
    assert "IAP_AUDIENCE" in capsys.readouterr().out
