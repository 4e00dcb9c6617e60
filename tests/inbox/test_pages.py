"""Two pages share the sign-in code, and each has a session, an address and a right of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from domain.worker import Worker
from functions.http import requests, router, session
from functions.http.answers import Answer, NotFound, NotSignedIn, Refused, WrongMethod
from functions.http.page import Page
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox.page import PAGE
from tests.inbox.page import ALICE

SECRET = "a secret of more than 32 characters"
DESK = Page("desk", "Desk", "The team.", Path(), why_not=lambda worker: "Not for you.")


@pytest.fixture(autouse=True)
def _addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INBOX_SECRET", SECRET)
    monkeypatch.setenv("INBOX_URL", "https://inbox.example.com")
    monkeypatch.setenv("DESK_URL", "https://desk.example.com")


def request(path: str = "/", method: str = "GET", **headers: str) -> Request:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(EnvironBuilder(path, method=method, headers=named).get_environ())


def visit(path: str = "/", method: str = "GET", **headers: str) -> Visit:
    return Visit(request(path, method, **headers), lambda size, seconds: b"")


@pytest.mark.parametrize(("page", "other"), [(PAGE, DESK), (DESK, PAGE)])
def test_session_of_one_page_is_none_at_another(page: Page, other: Page) -> None:
    cookie = session.sealed(page, SECRET, ALICE, ALICE)
    own = request(Cookie=f"__Host-{page.name}={cookie}")
    assert session.of(page, own).identity == ALICE
    for name in (page.name, other.name):
        with pytest.raises(NotSignedIn):
            session.of(other, request(Cookie=f"__Host-{name}={cookie}"))


def test_change_needs_the_header_and_origin_of_its_page() -> None:
    own = {"X_Desk": "1", "Origin": "https://desk.example.com"}
    requests.refuse_others(DESK, visit(**own))
    for wrong in (
        {"X_Inbox": "1", "Origin": "https://desk.example.com"},
        {"X_Desk": "1", "Origin": "https://inbox.example.com"},
    ):
        with pytest.raises(Refused, match=r"https://desk\.example\.com/"):
            requests.refuse_others(DESK, visit(**wrong))


def test_page_refuses_a_worker_without_its_right() -> None:
    worker, person = Worker(ALICE, confirmed=True), Person(ALICE, ALICE)
    assert session.worker_of(PAGE, person, worker) is worker
    with pytest.raises(Refused, match=r"Not for you\."):
        session.worker_of(DESK, person, worker)


def test_address_of_the_proxy_is_the_pages_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INBOX_SIGN_IN", "iap")
    monkeypatch.setenv("IAP_AUDIENCE", "/inbox")
    monkeypatch.setenv("DESK_IAP_AUDIENCE", "/desk")
    audiences = [proxy and proxy.audience for proxy in (PAGE.iap(), DESK.iap())]
    assert audiences == ["/inbox", "/desk"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/things/1", ("DELETE", "GET")),
        ("POST", "/sign-in", ("GET",)),
        ("GET", "/sign-out", ("POST",)),
    ],
)
def test_wrong_method_names_the_right_ones(
    method: str, path: str, allowed: tuple[str, ...]
) -> None:
    pages = router.Router(
        DESK,
        [
            router.Route("GET", "things/<name>", lambda *parts, name: Answer()),
            router.Route("DELETE", "things/<name>", lambda *parts, name: Answer()),
        ],
    )
    own = {"X_Desk": "1", "Origin": "https://desk.example.com"}
    with pytest.raises(WrongMethod) as error:
        pages.answer(visit(path, method, **own))
    assert error.value.allowed == allowed
    for missing in ("/things", "/things/1/2", "/things/", "/sign-in/"):
        with pytest.raises(NotFound):
            pages.answer(visit(missing))
