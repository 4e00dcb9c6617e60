"""Who begins a request and does not finish it holds nobody up."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from local.ports import HOST
from tests.conformance.sender import FORM
from tests.hostile.conftest import OF_NO_INTEREST, THREADS, Server

LENGTH, CHUNKED = "Content-Length: 100", "Transfer-Encoding: chunked"
TOO_LONG = "Content-Length: 600000"
PATIENCE = 2.0  # seconds that a body is given
SLACK = 2.0  # for a machine that is busy

# method, path, which body is announced, what is there of it, and the status once the time is over
HALF_SENT: dict[str, tuple[str, str, str, bytes, int]] = {
    "a form": ("POST", "/", LENGTH, b"a=b", 400),
    "nothing of a form": ("POST", "/", LENGTH, b"", 400),
    "a form in chunks": ("POST", "/", CHUNKED, b"5\r\na=b", 400),
    "chunks without their end": ("POST", "/", CHUNKED, b"3\r\na=b\r\n", 400),
    "another method": ("PUT", "/", LENGTH, b"a=b", 405),
    "another method in chunks": ("PUT", "/", CHUNKED, b"5\r\na=b", 405),
    "too large": ("POST", "/", TOO_LONG, b"a=b", 413),
    "a further path": ("POST", "/a/b?c=d", LENGTH, b"a=b", 400),
}


def begun(
    server: Server, method: str, path: str, announced: str, there: bytes
) -> socket.socket:
    line = socket.create_connection((HOST, server.port), timeout=20)
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n{announced}\r\n\r\n"
    line.sendall(head.encode() + there)
    return line


def status_of(line: socket.socket) -> int:
    return int(line.makefile("rb").readline().split()[1])


@pytest.fixture(params=HALF_SENT)
def half_sent(
    request: pytest.FixtureRequest, server: Server
) -> Iterator[tuple[list[socket.socket], int]]:
    """As many as there are threads, and then silence."""
    method, path, announced, there, status = HALF_SENT[request.param]
    with ExitStack() as lines:
        yield (
            [
                lines.enter_context(begun(server, method, path, announced, there))
                for _ in range(THREADS)
            ],
            status,
        )


def test_a_body_that_never_comes_whole_holds_no_thread(
    half_sent: tuple[list[socket.socket], int], server: Server
) -> None:
    lines, status = half_sent
    began = time.monotonic()
    assert server.post(OF_NO_INTEREST).status_code == 200
    assert time.monotonic() - began < PATIENCE + SLACK
    assert [status_of(line) for line in lines] == [status] * THREADS
    assert time.monotonic() - began < PATIENCE + SLACK


@pytest.mark.parametrize("announced", [LENGTH, CHUNKED])
def test_a_body_that_trickles_holds_no_thread(server: Server, announced: str) -> None:
    over = threading.Event()
    byte = b"1\r\nx\r\n" if announced == CHUNKED else b"x"

    def trickle(line: socket.socket) -> None:
        with suppress(OSError):
            while not over.wait(0.2):
                line.sendall(byte)

    with ExitStack() as open_lines:
        lines = [
            open_lines.enter_context(begun(server, "POST", "/", announced, byte))
            for _ in range(THREADS)
        ]
        threads = [threading.Thread(target=trickle, args=(line,)) for line in lines]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        try:
            assert server.post(OF_NO_INTEREST).status_code == 200
            assert time.monotonic() - began < PATIENCE + SLACK
            assert [status_of(line) for line in lines] == [400] * THREADS
        finally:
            over.set()
            for thread in threads:
                thread.join()


def test_a_genuine_body_that_comes_in_pieces_is_let_in(server: Server) -> None:
    body = f"EventType=x&Body=Hello&AccountSid={server.sender.account_sid}".encode()
    signature = server.sender.signature(
        f"{server.sender.public}/post-event", {"EventType": "x", "Body": "Hello"}
    )
    with socket.create_connection((HOST, server.port), timeout=20) as line:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n"
        line.sendall(f"{head}X-Twilio-Signature: {signature}\r\n\r\n".encode())
        for start in range(0, len(body), 8):
            line.sendall(body[start : start + 8])
            time.sleep(0.2)
        assert status_of(line) == 200


def test_a_connection_that_is_kept_serves_requests_for_longer_than_a_body_is_given(
    server: Server,
) -> None:
    """The time is a body's, not its connection's."""
    body = f"EventType=x&AccountSid={server.sender.account_sid}".encode()
    signature = server.sender.signature(
        f"{server.sender.public}/post-event", {"EventType": "x"}
    )
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection((HOST, server.port), timeout=20) as line:
        answers = line.makefile("rb")
        for _ in range(5):
            line.sendall(
                f"{head}X-Twilio-Signature: {signature}\r\n\r\n".encode() + body
            )
            assert answers.readline().split()[1] == b"200"
            while (header := answers.readline()) != b"\r\n":
                assert header.lower() in (b"content-length: 0\r\n", header.lower())
            time.sleep(0.7)
    server.genuine_again()
