"""Anybody can reach the inbox: who begins a request there and does not finish it holds nobody up, signed in or not."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local import functions, raw_http
from local.ports import HOST, free_port
from tests.hostile.conftest import THREADS

LENGTH, CHUNKED = "Content-Length: 100", "Transfer-Encoding: chunked"
SECONDS = 7.0  # the longest that a small body is given, and what a busy machine adds
OWN = "X-Inbox: 1\r\nOrigin: https://inbox.example.com"

HALF_SENT: dict[str, tuple[str, str, str, str, int]] = {
    "a look": ("GET", "/", LENGTH, "", 413),
    "a look in chunks": ("GET", "/state", CHUNKED, "", 400),
    "a change of another site's": ("POST", "/status", LENGTH, "", 403),
    "a change with nobody signed in": ("POST", "/status", LENGTH, OWN, 401),
    "a file with nobody signed in": (
        "POST",
        f"/conversations/CH{'0' * 32}/messages",
        "Content-Length: 6000000",
        OWN,
        401,
    ),
    "signing out": ("POST", "/sign-out", LENGTH, OWN, 400),
    "another method": ("PATCH", "/state", LENGTH, OWN, 405),
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = free_port()
    env = {
        "PATH": os.environ["PATH"],
        "INBOX_SECRET": "3" * 32,
        "INBOX_URL": "https://inbox.example.com",
        "THREADS": str(THREADS),
    }
    child = functions.child("inbox", number, env).start()
    try:
        child.wait_ready()
        yield number
    finally:
        child.stop()


@pytest.mark.parametrize("half", HALF_SENT.values(), ids=HALF_SENT.keys())
def test_a_body_that_never_comes_whole_holds_no_thread_of_the_inbox(
    port: int, half: tuple[str, str, str, str, int]
) -> None:
    method, path, announced, headers, status = half
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\n{announced}\r\n{headers}".rstrip()
        + "\r\n\r\n"
    )
    began = time.monotonic()
    with ExitStack() as lines:
        begun = []
        for _ in range(THREADS):
            line = lines.enter_context(
                socket.create_connection((HOST, port), timeout=20)
            )
            line.sendall(head.encode() + b"1")
            begun.append(line)
        page = raw_http.send("GET", f"http://{HOST}:{port}/", timeout=20)
        assert page.status_code == 200
        assert [int(line.makefile("rb").readline().split()[1]) for line in begun] == [
            status
        ] * THREADS
    assert time.monotonic() - began < SECONDS
