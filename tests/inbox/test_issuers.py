"""Which sign-in counts: domains, issuers that say nothing of an address, names with a slash, slow ones, one try."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from domain import issuers
from local.oidc import Issuer
from providers import clock
from tests.inbox.page import ALICE, Page, told
from tests.service import Service

EVE = "eve@gmail.example"


@pytest.fixture(autouse=True)
def _records(service: Service) -> None:
    for identity in (ALICE, EVE):
        service.db.document(f"workers/{identity}").set({"status": "Unavailable"})


@pytest.mark.parametrize(
    "allowed",
    [
        "example.com",
        "EXAMPLE.com",
        "@example.com",
        "other.example, example.com",
        " a.b  example.com\n",
    ],
)
def test_only_addresses_of_the_allowed_domains_sign_in(
    browser: Page, monkeypatch: pytest.MonkeyPatch, allowed: str
) -> None:
    monkeypatch.setenv("OIDC_ALLOWED_DOMAINS", allowed)
    assert browser.sign_in(ALICE).status_code == 200
    other = Page(browser.url, browser.issuer)
    for stranger in (
        EVE,
        "alice@sub.example.com",
        "alice@example.com.evil.example",
        "alice@xexample.com",
    ):
        answer = other.sign_in(stranger)
        assert (answer.status_code, "example.com" in told(answer)) == (403, True), (
            stranger
        )
        assert other.get("state").status_code == 401


def test_a_session_of_a_domain_that_is_no_longer_allowed_is_refused(
    browser: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser.sign_in(EVE).status_code == 200
    monkeypatch.setenv("OIDC_ALLOWED_DOMAINS", "example.com")
    assert (browser.get("state").status_code, browser.get("").status_code) == (403, 403)
    assert browser.post("sign-out").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        "*.example.com",
        "https://example.com",
        "example",
        "a@example.com",
        "a.b;c.d",
        ",",
    ],
)
def test_what_is_no_domain_is_a_mistake_of_ours(
    browser: Page,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: str,
) -> None:
    back = browser.back_from(ALICE)
    monkeypatch.setenv("OIDC_ALLOWED_DOMAINS", wrong)
    assert browser.browser.get(back, timeout=20).status_code == 500
    assert "OIDC_ALLOWED_DOMAINS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (None, 200),
        (True, 200),
        ("true", 200),
        (False, 403),
        ("false", 403),
        (1, 403),
        ("", 403),
    ],
)
def test_an_issuer_that_is_trusted_need_not_say_that_an_address_is_verified(
    browser: Page,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    said: object,
    status: int,
) -> None:
    issuer.claims = {"email_verified": said}
    monkeypatch.setenv("OIDC_TRUST_EMAIL", "1")
    assert browser.sign_in(ALICE).status_code == status
    monkeypatch.setenv("OIDC_TRUST_EMAIL", "0")
    assert browser.sign_in(ALICE).status_code == (200 if said is True else 403)


@pytest.mark.parametrize(
    "shared",
    [
        "",
        "https://accounts.google.com/",
        "https://ACCOUNTS.GOOGLE.COM.",
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "https://appleid.apple.com",
        "https://gitlab.com",
    ],
)
def test_an_issuer_that_signs_anybody_in_is_never_trusted(
    browser: Page,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shared: str,
) -> None:
    monkeypatch.setenv("OIDC_TRUST_EMAIL", "1")
    monkeypatch.setenv("OIDC_ISSUER", shared)
    assert browser.get("sign-in").status_code == 500
    assert "OIDC_TRUST_EMAIL" in capsys.readouterr().out


@pytest.mark.parametrize("value", ["yes", "true", "2"])
def test_a_trust_that_is_not_1_is_a_mistake_of_ours(
    browser: Page,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: str,
) -> None:
    monkeypatch.setenv("OIDC_TRUST_EMAIL", value)
    assert browser.get("sign-in").status_code == 500
    assert "OIDC_TRUST_EMAIL must be 1 or 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    "own",
    [
        "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
        "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47",
        "https://example.okta.com",
        "https://tenant.auth0.com",
    ],
)
def test_an_organisations_own_issuer_may_be_trusted(own: str) -> None:
    assert not issuers.is_shared(own)


@pytest.mark.parametrize("typed", ["", "/"])
@pytest.mark.parametrize("name", ["", "/"])
def test_an_issuers_name_may_end_in_a_slash(
    browser: Page,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    name: str,
) -> None:
    issuer.name = issuer.address + name
    monkeypatch.setenv("OIDC_ISSUER", issuer.address + typed)
    assert browser.sign_in(ALICE).status_code == 200
    issuer.claims = {
        "iss": issuer.address + ("" if name else "/")
    }  # to the letter, as the description says
    assert browser.sign_in(ALICE).status_code == 403


def test_an_issuer_that_calls_itself_otherwise_is_none(
    browser: Page, issuer: Issuer
) -> None:
    issuer.name = "https://elsewhere.example.com"
    assert browser.get("sign-in").status_code == 500


def test_a_sign_in_is_tried_once(browser: Page, issuer: Issuer) -> None:
    state = browser.back_from(ALICE).partition("state=")[2]
    ((name, kept),) = browser.browser.cookies.items()
    issuer.asked.clear()
    for _ in range(30):
        answer = browser.get(f"back?code=junk&state={state}", Cookie=f"{name}={kept}")
        assert (answer.status_code, "start over" in told(answer)) == (403, True)
    assert issuer.asked.count("token") == 1


def test_an_issuer_that_failed_is_not_asked_again_at_once(
    browser: Page, issuer: Issuer
) -> None:
    issuer.is_down = True
    for _ in range(5):
        assert browser.get("sign-in").status_code == 503
    assert issuer.asked == ["description"]
    issuer.is_down = False
    clock.shift(6)
    assert browser.sign_in(ALICE).status_code == 200


def test_what_is_known_of_an_issuer_serves_while_it_does_not_answer(
    browser: Page, issuer: Issuer
) -> None:
    assert browser.sign_in(ALICE).status_code == 200
    clock.shift(2 * 3600)
    issuer.is_down = True
    assert browser.get("sign-in").status_code == 302


def test_too_many_who_wait_for_the_issuer_are_answered_at_once(
    browser: Page, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' page asks again by itself, and what was begun is still good."""
    monkeypatch.setenv("THREADS", "4")
    pages = [Page(browser.url, issuer) for _ in range(6)]
    backs = [page.back_from(ALICE) for page in pages]
    issuer.delay = 1.5

    def come_back(page: Page, address: str) -> tuple[int, float, str]:
        began = time.monotonic()
        answer = page.browser.get(address, timeout=20, allow_redirects=False)
        return (
            answer.status_code,
            time.monotonic() - began,
            answer.headers.get("Refresh", ""),
        )

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(come_back, pages, backs))
    late = [number for number, (status, _, _) in enumerate(answers) if status == 503]
    assert len(late) == 4
    assert all(answers[number][1] < 1.4 and answers[number][2] for number in late)
    issuer.delay = 0
    assert pages[late[0]].browser.get(backs[late[0]], timeout=20).status_code == 200
