"""Signing in: what is refused, by the product's own verifier before a real exchange with the local issuer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from local.oidc import Issuer
from providers import clock
from tests.inbox.page import ALICE, BOB, Page, told
from tests.service import Service

Twist = Callable[[Issuer], None]
NOW = int(time.time())


def claims(**changed: Any) -> Twist:
    return lambda issuer: issuer.claims.update(changed)


def signed_by(sign: Callable[[Issuer, dict[str, Any]], str]) -> Twist:
    def twist(issuer: Issuer) -> None:
        issuer.sign = lambda found: sign(issuer, found)

    return twist


def _with_another_key(issuer: Issuer, found: dict[str, Any]) -> str:
    return jwt.encode(
        {"alg": "RS256", "kid": "local-1"}, found, RSAKey.generate_key(2048)
    )


def _with_an_unknown_key(issuer: Issuer, found: dict[str, Any]) -> str:
    return jwt.encode(
        {"alg": "RS256", "kid": "unknown"}, found, RSAKey.generate_key(2048)
    )


def _with_the_right_key_under_another_name(
    issuer: Issuer, found: dict[str, Any]
) -> str:
    return jwt.encode({"alg": "RS256", "kid": "unknown"}, found, issuer.key)


def _unsigned(issuer: Issuer, found: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, found)
    return ".".join(_part(json.dumps(one).encode()) for one in parts) + "."


def _with_the_public_key_as_a_password(issuer: Issuer, found: dict[str, Any]) -> str:
    """By hand: no library lets one do that any more."""
    password = issuer.key.as_pem(private=False)
    head, body = (
        _part(json.dumps(one).encode())
        for one in ({"alg": "HS256", "kid": "local-1"}, found)
    )
    mac = hmac.new(password, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_part(mac)}"


def _cut(issuer: Issuer, found: dict[str, Any]) -> str:
    return issuer.signed(found)[:-9]


def _changed(issuer: Issuer, found: dict[str, Any]) -> str:
    head, _, tail = issuer.signed(found).split(".")
    return f"{head}.{_part(json.dumps(found | {'email': BOB}).encode())}.{tail}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


REFUSED: dict[str, Twist] = {
    "another audience": claims(aud="another-client"),
    "two audiences, of which the other is the party": claims(
        aud=["x", "local-inbox"], azp="x"
    ),
    "no audience": claims(aud=None),
    "another issuer": claims(iss="https://accounts.example.com"),
    "no issuer": claims(iss=None),
    "expired": claims(exp=NOW - 3600, iat=NOW - 7200),
    "no exp": claims(exp=None),
    "exp as a text": claims(exp="never"),
    "made in an hour": claims(iat=NOW + 3600, exp=NOW + 7200),
    "no iat": claims(iat=None),
    "another nonce": claims(nonce="another"),
    "no nonce": claims(nonce=None),
    "e-mail not verified": claims(email_verified=False),
    "nothing said of the e-mail": claims(email_verified=None),
    "verified as another word": claims(email_verified="no"),
    "verified as a text": claims(email_verified="true"),
    "verified as a number": claims(email_verified=1),
    "a control character in the e-mail": claims(email=f"{ALICE}\x00"),
    "a deleted character in the e-mail": claims(email="ali\x7fce@example.com"),
    "a tab before the e-mail": claims(email=f"\t{ALICE}"),
    "no account": claims(sub=None),
    "an account without a name": claims(sub=""),
    "an account that is a number": claims(sub=7),
    "an account with a name without end": claims(sub="x" * 256),
    "no e-mail": claims(email=None),
    "an e-mail that is none": claims(email={"a": 1}),
    "another key": signed_by(_with_another_key),
    "a key that is unknown": signed_by(_with_an_unknown_key),
    "the right key under a name that is unknown": signed_by(
        _with_the_right_key_under_another_name
    ),
    "alg none": signed_by(_unsigned),
    "HS256 with the public key": signed_by(_with_the_public_key_as_a_password),
    "cut": signed_by(_cut),
    "changed after it was signed": signed_by(_changed),
    "no token": signed_by(lambda issuer, found: ""),
    "not a token": signed_by(lambda issuer, found: "a.b.c"),
}


@pytest.mark.parametrize("twist", REFUSED.values(), ids=REFUSED.keys())
def test_a_token_that_is_not_for_us_now_lets_nobody_in(
    service: Service, browser: Page, issuer: Issuer, twist: Twist
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    twist(issuer)
    answer = browser.sign_in(ALICE)
    assert (answer.status_code, told(answer) != "") == (403, True)
    assert "inbox" not in browser.browser.cookies
    assert browser.get("state").status_code == 401


def test_a_token_that_is_right_lets_its_worker_in(
    service: Service, browser: Page
) -> None:
    service.db.document(f"workers/{ALICE}").set(
        {"status": "Available", "display_name": "Alice"}
    )
    assert browser.sign_in(ALICE).status_code == 200
    assert browser.state()["me"] == {
        "identity": ALICE,
        "name": "Alice",
        "status": "Available",
    }


def test_a_code_is_good_once_and_only_for_the_browser_that_asked(
    service: Service, browser: Page, issuer: Issuer
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    back = browser.back_from(ALICE)
    other = Page(browser.url, issuer)
    assert (
        other.browser.get(back, timeout=20).status_code == 403
    )  # which never began to sign in
    other.back_from(BOB)
    assert (
        other.browser.get(back, timeout=20).status_code == 403
    )  # which began another one
    kept = browser.browser.cookies.copy()
    assert browser.browser.get(back, timeout=20).status_code == 200
    thief = Page(browser.url, issuer)
    thief.browser.cookies = kept  # of the sign-in, before it was finished
    assert thief.browser.get(back, timeout=20).status_code == 403
    assert thief.get("state").status_code == 401


@pytest.mark.parametrize(
    "change", ["state=x", "state=", "error=access_denied", "code="]
)
def test_what_comes_back_otherwise_than_it_was_sent_is_refused(
    browser: Page, change: str
) -> None:
    name = change.partition("=")[0]
    path, _, query = browser.back_from(ALICE).partition("?")
    kept = [one for one in query.split("&") if not one.startswith(f"{name}=")]
    answer = browser.browser.get(f"{path}?{'&'.join([*kept, change])}", timeout=20)
    assert (answer.status_code, "start over" in told(answer)) == (403, True)


def test_a_sign_in_that_took_too_long_is_begun_again(
    browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = browser.back_from(ALICE)
    ((name, sent),) = browser.browser.cookies.items()
    later = time.time() + 11 * 60
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    answer = browser.browser.get(back, timeout=20, headers={"Cookie": f"{name}={sent}"})
    assert (answer.status_code, "too long ago" in told(answer)) == (403, True)


def test_a_session_ends_after_twelve_hours(
    service: Service, browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    browser.sign_in(ALICE)
    sent = {"Cookie": f"inbox={browser.browser.cookies['inbox']}"}
    began = time.time()
    for hours, status in ((11.9, 200), (12.1, 401)):
        monkeypatch.setattr(
            "itsdangerous.timed.time.time", lambda later=began + hours * 3600: later
        )
        assert (
            requests.get(browser.url + "state", headers=sent, timeout=20).status_code
            == status
        )


def test_the_cookie_is_for_this_place_alone_and_for_no_script(
    service: Service, browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = browser.browser.get(
        browser.back_from(ALICE), timeout=20, allow_redirects=False
    )
    (cookie,) = [
        one
        for one in answer.raw.headers.getlist("Set-Cookie")
        if one.startswith("inbox=")
    ]
    assert {"HttpOnly", "SameSite=Lax", "Path=/inbox/", "Max-Age=43200"} <= set(
        cookie.split("; ")
    )
    assert "Secure" not in cookie
    monkeypatch.setenv("INBOX_URL", "https://inbox.example.com")
    begun = browser.get("sign-in")
    assert (
        "redirect_uri=https%3A%2F%2Finbox.example.com%2Fback"
        in begun.headers["Location"]
    )
    cookie = begun.headers["Set-Cookie"]
    assert cookie.startswith("__Host-inbox-sign-in-") and "Domain" not in cookie
    assert {"Secure", "Path=/", "HttpOnly"} <= set(cookie.split("; "))


@pytest.mark.parametrize("cookie", ["", "x", "e30.x.y", "e30", "a" * 5000])
def test_a_cookie_that_is_not_ours_is_nobody(browser: Page, cookie: str) -> None:
    browser.browser.cookies.set("inbox", cookie, path="/")
    answer = browser.get("state")
    assert (answer.status_code, answer.json()["sign_in"]) == (401, "sign-in")


def test_a_cookie_of_another_secret_or_of_the_sign_in_is_nobody(
    service: Service, browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    browser.back_from(ALICE)
    (begun,) = browser.browser.cookies.values()
    swapped = requests.get(
        browser.url + "state", headers={"Cookie": f"inbox={begun}"}, timeout=20
    )
    assert swapped.status_code == 401
    browser.sign_in(ALICE)
    assert browser.get("state").status_code == 200
    monkeypatch.setenv("INBOX_SECRET", "another secret of thirty-two characters")
    assert browser.get("state").status_code == 401


def test_somebody_without_a_record_is_told_whom_to_ask(
    service: Service, browser: Page
) -> None:
    answer = browser.sign_in("zoe@example.com")
    assert (answer.status_code, "Ask your administrator" in told(answer)) == (
        403,
        True,
    )
    assert (
        browser.get("state").status_code,
        "workers/zoe@example.com" in told(browser.get("state")),
    ) == (
        403,
        True,
    )
    service.db.document("workers/zoe@example.com").set({"status": "Available"})
    assert browser.state()["me"]["identity"] == "zoe@example.com"
    service.db.document("workers/zoe@example.com").delete()
    assert browser.get("state").status_code == 403  # looked at again on every request


@pytest.mark.parametrize(
    "record", ["Alice@Example.com", " alice@example.com", "ALICE@EXAMPLE.COM"]
)
def test_a_record_in_another_spelling_is_theirs(
    service: Service, browser: Page, record: str
) -> None:
    service.db.document(f"workers/{record}").set({"status": "Available"})
    service.settle()
    assert browser.sign_in(ALICE).status_code == 200
    assert browser.state()["me"]["identity"] == record


@pytest.mark.parametrize(
    "email",
    ["ａlice@example.com", "alice@example.com\u200b", "alice@exampLe.com\u212a"],
)
def test_letters_that_only_look_like_hers_are_not_hers(
    service: Service, browser: Page, email: str
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    service.settle()
    assert browser.sign_in(email).status_code == 403


def test_signing_out_ends_it(service: Service, browser: Page) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    browser.sign_in(ALICE)
    assert (
        browser.post("sign-out", Origin="https://elsewhere.example.com").status_code
        == 403
    )
    assert browser.post("sign-out").status_code == 200
    assert browser.get("state").status_code == 401


def test_without_a_client_id_it_says_that_it_is_not_set_up(
    browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OIDC_CLIENT_ID")
    for path in ("", "sign-in"):
        assert "not set up yet" in told(browser.get(path))
    assert browser.get("state").status_code == 401


def test_an_issuer_that_does_not_answer_is_said_to_be_so(
    browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "http://127.0.0.1:9")
    answer = browser.get("sign-in")
    assert (answer.status_code, "isn't responding" in told(answer)) == (503, True)


def test_an_issuer_without_a_safe_line_is_a_mistake_of_ours(
    browser: Page, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "http://issuer.example.com")
    assert browser.get("sign-in").status_code == 500
    assert "OIDC_ISSUER must begin with https://" in capsys.readouterr().out


def test_a_secret_that_can_be_guessed_is_none(
    browser: Page, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INBOX_SECRET", "short")
    browser.browser.cookies.set("inbox", "x", path="/")
    assert browser.get("state").status_code == 500
    assert "INBOX_SECRET" in capsys.readouterr().out


def test_an_issuers_new_key_is_fetched(
    service: Service, browser: Page, issuer: Issuer
) -> None:
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    assert browser.sign_in(ALICE).status_code == 200
    new, old = (
        RSAKey.generate_key(2048, {"kid": "local-2", "use": "sig"}),
        issuer.keys.keys[:],
    )
    issuer.keys.keys[:] = [*old, new]
    issuer.sign = lambda found: jwt.encode(
        {"alg": "RS256", "kid": "local-2"}, found, new
    )
    try:
        clock.shift(20)  # keys are asked for again, but not with every unknown one
        assert browser.sign_in(ALICE).status_code == 200
    finally:
        issuer.keys.keys[:] = old
