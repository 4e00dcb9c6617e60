"""Frontline waits 6 s; a Firestore that takes the connection and stays silent must not use them up."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from werkzeug.test import TestResponse

from tests.crm.frontline import JOHN, App

LIMIT = 6.0


@pytest.fixture
def silent(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv(
            "FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{server.getsockname()[1]}"
        )
        yield


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    "ask",
    [
        lambda app: app.post(
            "crm", Location="GetCustomersList", Worker=JOHN, PageSize=30
        ),
        lambda app: app.post(
            "crm", Location="GetCustomersList", Worker=JOHN, Anchor="bobby", Query="bo"
        ),
        lambda app: app.details("bobby"),
        lambda app: app.proxy_address(),
        lambda app: app.templates(),
    ],
    ids=["list", "search after an anchor", "details", "proxy address", "templates"],
)
def test_each_callback_answers_in_time_when_firestore_does_not(
    app: App, ask: Callable[[App], TestResponse]
) -> None:
    begun = time.monotonic()
    answer = ask(app)
    assert time.monotonic() - begun < LIMIT
    assert answer.status_code == 503
    assert answer.get_json() == {"error": "The database did not answer; try again."}
