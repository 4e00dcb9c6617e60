"""One function behind the server that also runs in the cloud, with two threads and without a database."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from werkzeug.wrappers import Response

from local import functions, raw_http
from local.ports import HOST, free_port
from local.processes import Child
from tests.conformance.sender import FORM, Sender

THREADS = 2
OF_NO_INTEREST = {"EventType": "x"}


@dataclass(frozen=True)
class Server:
    child: Child
    sender: Sender
    port: int

    def post(
        self,
        form: dict[str, str],
        headers: dict[str, str] | None = None,
        timeout: float = 20,
    ) -> Response:
        """A genuine request for the public address; `headers` may replace its own."""
        right = self.sender.signature(f"{self.sender.public}/post-event", form)
        sent = {"Content-Type": FORM, "X-Twilio-Signature": right} | (headers or {})
        return raw_http.send(
            "POST",
            self.sender.base_url,
            list(sent.items()),
            urlencode(self.sender.completed(form)).encode(),
            timeout=timeout,
        )

    def genuine_again(self) -> None:
        """The next request is served as if nothing had been."""
        assert self.post(OF_NO_INTEREST).status_code == 200


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
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
        "TWILIO_AUTH_TOKEN_SECONDARY": "a-second-token",
        "TWILIO_WEBHOOK_SHARED_KEY": "a-shared-key",
        "TWILIO_ACCOUNT_SID": sender.account_sid,
        "WEBHOOK_BASE_URL": sender.public or "",
        "THREADS": str(THREADS),
    }
    child = functions.child("post_event", port, env).start()
    try:
        yield Server(child.wait_ready(), sender, port)
    finally:
        child.stop()
