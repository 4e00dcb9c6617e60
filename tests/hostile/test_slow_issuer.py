"""The issuer is slow, and anybody may begin to sign in: the workers who are in notice nothing of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from google.cloud import firestore

from functions.http import session
from functions.inbox.page import PAGE
from local import functions, oidc
from local.emulator import Emulator
from local.oidc import Issuer
from local.ports import HOST, free_port
from tests.inbox.conftest import issuer_server  # noqa: F401 - the fixture
from tests.inbox.page import ALICE

THREADS = 8  # as deploy.sh sets it
SECRET = "3" * 32


@pytest.fixture
def url(
    db: firestore.Client,
    project: str,
    emulator: Emulator,
    issuer_server: Issuer,  # noqa: F811 - the fixture
) -> Iterator[str]:
    db.document(f"workers/{ALICE}").set({"status": "Available", "pools": ["default"]})
    port = free_port()
    env = {
        "PATH": os.environ["PATH"],
        "GOOGLE_CLOUD_PROJECT": project,
        "FIRESTORE_EMULATOR_HOST": emulator.host,
        "INBOX_SECRET": SECRET,
        "OIDC_ISSUER": issuer_server.address,
        "OIDC_CLIENT_ID": oidc.CLIENT_ID,
        "OIDC_CLIENT_SECRET": oidc.CLIENT_SECRET,
        "THREADS": str(THREADS),
    }
    child = functions.child("inbox", port, env).start()
    try:
        child.wait_ready()
        yield f"http://{HOST}:{port}/"
    finally:
        child.stop()
        issuer_server.as_usual()


def test_a_slow_issuer_holds_up_nobody_who_is_signed_in(
    url: str,
    issuer_server: Issuer,  # noqa: F811 - the fixture
) -> None:
    signed_in = {"Cookie": f"inbox={session.sealed(PAGE, SECRET, ALICE, ALICE)}"}

    def look() -> float:
        began = time.monotonic()
        assert (
            requests.get(f"{url}state", headers=signed_in, timeout=20).status_code
            == 200
        )
        return time.monotonic() - began

    look()  # the first one opens the connections
    issuer_server.delay = 4.0
    with ThreadPoolExecutor(4 * THREADS) as pool:
        strangers = [
            pool.submit(
                requests.get, f"{url}sign-in", timeout=30, allow_redirects=False
            )
            for _ in range(3 * THREADS)
        ]
        time.sleep(0.5)
        took = [look() for _ in range(3)]
        answers = {one.result().status_code for one in strangers}
    assert max(took) < 1.5, took
    assert answers == {302, 503}
    assert issuer_server.asked.count("description") <= THREADS // 2
