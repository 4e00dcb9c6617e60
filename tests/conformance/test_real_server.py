"""Oversized and broken bodies against the server that also runs in the cloud, in a process of its own."""

import http.client
import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from functions.http.webhook import LARGEST_BODY
from local import functions
from local.ports import HOST, free_port
from local.processes import Child
from tests.conformance.sender import FORM, Sender

NAME = "post_event"
CHUNK = b"x" * 64_000
MUCH = 50_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Child, Sender]]:
    """One function behind gunicorn, without a database."""
    port = free_port()
    sender = Sender(
        "AC" + "0" * 32,
        "a-token",
        f"http://{HOST}:{port}",
        "https://public.example.com",
    )
    env = {
        "PATH": os.environ["PATH"],
        "TWILIO_AUTH_TOKEN": sender.auth_token,
        "TWILIO_ACCOUNT_SID": sender.account_sid,
        "WEBHOOK_BASE_URL": sender.public or "",
        "THREADS": "1",
    }
    child = functions.child(NAME, port, env).start()
    try:
        yield child.wait_ready(), sender
    finally:
        child.stop()


def connected(sender: Sender) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(
        sender.base_url.removeprefix("http://"), timeout=20
    )


def post(
    sender: Sender, form: dict[str, str], signed: str = "", target: str = "/"
) -> int:
    """A genuine request for the public address, which the function itself does not see."""
    signature = sender.signature(f"{sender.public}/post-event{signed}", form)
    with closing(connected(sender)) as connection:
        headers = {"Content-Type": FORM, "X-Twilio-Signature": signature}
        connection.request("POST", target, urlencode(sender.completed(form)), headers)
        return connection.getresponse().status


def genuine_again(sender: Sender) -> None:
    """The next request is served as if nothing had been."""
    assert post(sender, {"EventType": "x"}) == 200


def pieces(size: int) -> Iterator[bytes]:
    """So many bytes, never all at once."""
    for start in range(0, size, len(CHUNK)):
        yield CHUNK[: size - start]


def resident_peak(child: Child) -> int:
    """The largest memory in bytes of any process of the group; skipped where the system does not tell."""
    if sys.platform != "linux":
        pytest.skip(
            "The memory of a process is read from /proc, which only Linux has: run this test there."
        )
    peaks = [0]
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(
            FileNotFoundError, ProcessLookupError
        ):  # another one that has ended meanwhile
            if process.name.isdigit() and os.getpgid(int(process.name)) == child.pid:
                found = re.search(
                    r"VmHWM:\s+(\d+) kB", (process / "status").read_text()
                )
                peaks.append(int(found[1]) * 1024 if found else 0)
    return max(peaks)


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, MUCH])
@pytest.mark.parametrize(
    ("method", "kind", "chunked", "status"),
    [
        ("POST", FORM, False, 413),
        ("POST", FORM, True, 413),
        ("POST", "application/json", False, 413),
        ("POST", "application/json", True, 413),
        ("POST", "multipart/form-data; boundary=x", True, 413),
        ("PUT", FORM, False, 405),
        ("PUT", FORM, True, 405),
    ],
)
def test_an_oversized_body_gets_its_answer_and_is_not_kept_in_memory(
    server: tuple[Child, Sender],
    method: str,
    kind: str,
    chunked: bool,
    status: int,
    size: int,
) -> None:
    child, sender = server
    genuine_again(sender)
    before = resident_peak(child)
    with closing(connected(sender)) as connection:
        connection.putrequest(method, "/")
        connection.putheader("Content-Type", kind)
        connection.putheader(
            *(
                ("Transfer-Encoding", "chunked")
                if chunked
                else ("Content-Length", str(size))
            )
        )
        connection.endheaders()
        with suppress(
            ConnectionError
        ):  # the server may close once it has answered; its answer counts
            for piece in pieces(size):
                connection.send(
                    b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
                )
            connection.send(b"0\r\n\r\n" if chunked else b"")
        answer = connection.getresponse()
        assert (answer.status, "error" in json.loads(answer.read())) == (status, True)
    genuine_again(sender)
    assert resident_peak(child) - before < MUCH / 5


def test_a_genuine_body_in_chunks_is_let_in(server: tuple[Child, Sender]) -> None:
    _, sender = server
    signature = sender.signature(
        f"{sender.public}/post-event", {"EventType": "x", "Body": "x" * 9000}
    )
    headers = {
        "Content-Type": FORM,
        "X-Twilio-Signature": signature,
        "Transfer-Encoding": "chunked",
    }
    body = iter(
        [
            b"EventType=x",
            b"&Body=",
            b"x" * 9000,
            f"&AccountSid={sender.account_sid}".encode(),
        ]
    )
    with closing(connected(sender)) as connection:
        connection.request("POST", "/", body, headers, encode_chunked=True)
        assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    "request_text",
    [
        f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 100\r\n\r\nEventType=x",
        f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    ],
)
def test_a_body_that_breaks_off_is_not_our_error(
    server: tuple[Child, Sender], request_text: str
) -> None:
    _, sender = server
    _, _, port = sender.base_url.rpartition(":")
    with socket.create_connection((HOST, int(port)), timeout=10) as line:
        line.sendall(request_text.encode())
        line.shutdown(socket.SHUT_WR)
        answer = line.makefile("rb").readline()
    assert answer == b"" or answer.split()[1] in (b"400", b"403")


def test_the_raw_address_counts_here_too(server: tuple[Child, Sender]) -> None:
    _, sender = server
    for further in ("/a%2Fb?x=%27&y=+", "//a", "?q=%E2%82%AC", "/caf%c3%a9/"):
        target = further if further.startswith("/") else f"/{further}"
        assert post(sender, {"EventType": "x"}, further, target) == 200
        assert post(sender, {"EventType": "x"}, "", target) == 403
