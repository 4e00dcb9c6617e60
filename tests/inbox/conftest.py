"""The whole service with an issuer that signs workers in, and browsers before it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from local import oidc
from local.oidc import Issuer
from local.servers import LocalServer
from providers import openid
from tests.inbox.page import ALICE, BOB, Page
from tests.service import Service

OURS = "+15550009999"
ANN = "+447700900001"

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def issuer_server() -> Iterator[Issuer]:
    app = Flask("issuer")
    server = LocalServer(app)
    issuer = Issuer(f"{server.url}/oidc", lambda: {ALICE: "Alice", BOB: "Bob"})
    app.register_blueprint(oidc.pages(issuer))
    server.start()
    yield issuer
    server.stop()


@pytest.fixture
def issuer(issuer_server: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    monkeypatch.setenv("OIDC_ISSUER", issuer_server.address)
    monkeypatch.setenv("OIDC_CLIENT_ID", oidc.CLIENT_ID)
    monkeypatch.setenv("OIDC_CLIENT_SECRET", oidc.CLIENT_SECRET)
    monkeypatch.setenv("INBOX_SECRET", secrets.token_hex(16))
    yield issuer_server
    issuer_server.as_usual()
    openid.forget()


@pytest.fixture
def browser(service: Service, issuer: Issuer) -> Page:
    """Nobody is signed in yet."""
    return Page(service.url("inbox"), issuer)


@pytest.fixture
def open_as(service: Service, issuer: Issuer) -> Open:
    """open_as(ALICE): her page, signed in; a record is made if there is none."""

    def opened(identity: str, **record: Any) -> Page:
        them = service.db.document(f"workers/{identity}")
        if record or not them.get().exists:
            fields = {
                "status": "Unavailable",
                "pools": ["default"],
                "display_name": identity.split("@")[0],
            }
            them.set(fields | record)
        page = Page(service.url("inbox"), issuer)
        assert page.sign_in(identity).status_code == 200
        return page

    return opened


@pytest.fixture
def with_ann(service: Service, open_as: Open) -> tuple[Page, str]:
    """Alice's page, and the conversation that Ann has begun with her."""
    page = open_as(ALICE, status="Available", display_name="Alice")
    service.settle()
    service.standin.set_autocreate(OURS)
    sid = service.standin.inbound(ANN, OURS, "Hello").conversation_sid
    assert sid is not None
    service.settle()
    return page, sid
