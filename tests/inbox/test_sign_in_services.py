"""The sign-in services that teams have, several tabs, and where a worker comes back to."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from local.oidc import Issuer
from local.oidc.kinds import KINDS
from providers import configuration, openid
from tests.inbox.page import ALICE, Page, told
from tests.service import Service

SID = "CH" + "a" * 32


@pytest.fixture
def page(service: Service, browser: Page) -> Page:
    """Alice's browser; she is not signed in."""
    service.db.document(f"workers/{ALICE}").set({"status": "Available"})
    return browser


def prompt(page: Page, path: str = "sign-in") -> str:
    """Return what the redirect to the issuer asks for."""
    query = parse_qs(urlsplit(page.get(path).headers["Location"]).query)
    return query.get("prompt", [""])[0]


@pytest.mark.parametrize("name", KINDS)
def test_each_service_signs_a_worker_in(
    page: Page, issuer: Issuer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.behave_as(KINDS[name])
    openid.forget()
    if name == "Entra ID":
        monkeypatch.setenv("OIDC_TRUST_EMAIL", "1")
    answer = page.sign_in(ALICE)
    assert answer.status_code == 200, told(answer)
    assert page.state()["me"]["identity"] == ALICE


def test_an_address_that_the_service_does_not_verify_says_what_to_set_up(
    page: Page, issuer: Issuer
) -> None:
    issuer.behave_as(KINDS["Entra ID"])
    answer = page.sign_in(ALICE)
    assert (answer.status_code, "doesn't say" in told(answer)) == (403, True)


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {"email": None}], ids=str
)
def test_user_info_is_believed_no_more_than_a_token(
    page: Page, issuer: Issuer, claims: dict[str, object]
) -> None:
    issuer.behave_as(KINDS["Authelia"])
    issuer.claims = claims
    assert page.sign_in(ALICE).status_code == 403


@pytest.mark.parametrize(
    ("address", "claims", "counts"),
    [
        ("https://login.microsoftonline.com/our-own/v2.0", {"xms_edov": True}, True),
        ("https://login.microsoftonline.com/our-own/v2.0", {"xms_edov": "1"}, True),
        ("https://login.microsoftonline.com/our-own/v2.0", {"xms_edov": False}, False),
        ("https://login.microsoftonline.com/our-own/v2.0", {}, False),
        ("https://elsewhere.example", {"xms_edov": True}, False),
        (
            "https://login.microsoftonline.com/our-own/v2.0",
            {"xms_edov": True, "email_verified": False},
            False,
        ),
    ],
)
def test_entra_says_in_a_claim_of_its_own_that_an_address_is_verified(
    address: str, claims: dict[str, object], counts: bool
) -> None:
    issuer = configuration.Issuer(address, "client", "secret")
    assert openid.is_verified({"email": ALICE, **claims}, issuer) is counts


def test_user_info_of_another_account_is_refused(page: Page, issuer: Issuer) -> None:
    issuer.behave_as(KINDS["Authelia"])
    issuer.sign = lambda claims: issuer.signed({**claims, "sub": "another"})
    answer = page.sign_in(ALICE)
    assert (answer.status_code, "another account" in told(answer)) == (403, True)


def test_an_issuers_clock_may_be_a_minute_ahead(page: Page, issuer: Issuer) -> None:
    import time

    issuer.claims = {"iat": int(time.time()) + 60}
    assert page.sign_in(ALICE).status_code == 200


def test_two_tabs_sign_in_one_after_the_other(page: Page) -> None:
    first, second = page.back_from(ALICE), page.back_from(ALICE)
    for back in (first, second):
        assert page.browser.get(back, timeout=20).status_code == 200


def test_a_stray_redirect_ends_no_sign_in(page: Page) -> None:
    back = page.back_from(ALICE)
    assert page.get("back?state=x&code=y").status_code == 403
    assert page.browser.get(back, timeout=20).status_code == 200


def test_sign_ins_that_are_never_finished_do_not_pile_up(page: Page) -> None:
    for _ in range(12):
        page.back_from(ALICE)
    assert len(page.browser.cookies) <= 6
    assert page.sign_in(ALICE).status_code == 200


@pytest.mark.parametrize(
    ("place", "fragment"),
    [
        (SID, f"#{SID}"),
        ("people/workers/a%40example.com", "#people/workers/a%40example.com"),
        ("//elsewhere.example", "#//elsewhere.example"),
        ("%0d%0aSet-Cookie: x", ""),
        ("<script>", ""),
        ("x" * 201, ""),
    ],
)
def test_a_worker_comes_back_to_the_same_place(
    page: Page, place: str, fragment: str
) -> None:
    begun = page.browser.get(
        f"{page.url}sign-in",
        params={"to": place},
        timeout=20,
        allow_redirects=False,
    )
    chosen = page.browser.get(
        f"{begun.headers['Location']}&email={ALICE}", timeout=20, allow_redirects=False
    )
    back = page.browser.get(
        chosen.headers["Location"], timeout=20, allow_redirects=False
    )
    path = urlsplit(page.url).path
    assert back.headers["Location"] == f"{path}{fragment}"


def test_after_signing_out_the_issuer_asks_for_an_account(page: Page) -> None:
    assert prompt(page) == ""
    page.sign_in(ALICE)
    assert page.post("sign-out").status_code == 200
    assert prompt(page) == "select_account"
    page.sign_in(ALICE)
    assert prompt(page) == ""


def test_an_issuer_that_cannot_offer_accounts_asks_for_the_password(
    page: Page, issuer: Issuer
) -> None:
    issuer.behave_as(KINDS["Keycloak"])
    openid.forget()
    assert prompt(page, "sign-in?again") == "login"
