"""A stand-in, the real SDK pointed at it, and a receiver of its webhooks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from local.twilio import StandIn

OURS = "+15550009999"
ANN = "+15550000001"
BEN = "+15550000002"


class ToStandIn(TwilioHttpClient):  # type: ignore[misc]  # the SDK carries no types
    """The SDK's own HTTP client with scheme and host swapped, pages included."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._to = urlsplit(url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        there = urlsplit(url)._replace(scheme=self._to.scheme, netloc=self._to.netloc)
        return super().request(method, there.geturl(), *args, **kwargs)


def refusal(act: Callable[[], object]) -> tuple[int, int]:
    """The code and status that the SDK raises; a list's refusal is a plain exception with the answer inside."""
    with pytest.raises(TwilioException) as raised:
        act()
    error = raised.value
    if isinstance(error, TwilioRestException):
        return error.code, error.status
    content = json.loads(error.args[1].text)
    return content["code"], error.args[1].status_code


@dataclass
class Hook:
    """A webhook as it arrived."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]

    @property
    def event(self) -> str:
        return self.params.get("EventType", "")


Reply = tuple[int, str]


@dataclass
class Receiver:
    """What the webhooks' URLs lead to; `answers` says what an event gets, 200 and nothing by default."""

    url: str = ""
    hooks: list[Hook] = field(default_factory=list)
    answers: dict[str, Reply | Callable[[Hook], Reply]] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)

    def take(self, hook: Hook) -> Reply:
        self.hooks.append(hook)
        time.sleep(self.slow.get(hook.event, 0))
        answer = self.answers.get(hook.event, (200, ""))
        return answer(hook) if callable(answer) else answer

    def events(self) -> list[str]:
        return [hook.event for hook in self.hooks]

    def of(self, event: str) -> list[Hook]:
        return [hook for hook in self.hooks if hook.event == event]

    def only(self, event: str) -> Hook:
        (found,) = self.of(event)
        return found


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(
                int(self.headers.get("Content-Length") or 0)
            ).decode()
            text = urlsplit(self.path).query if self.command == "GET" else body
            params = {
                name: one[-1]
                for name, one in parse_qs(text, keep_blank_values=True).items()
            }
            status, answer = receiver.take(
                Hook(self.command, self.path, params, dict(self.headers))
            )
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(answer.encode())
            except ConnectionError:
                return  # the stand-in has given up waiting, as the test wants

        do_GET = do_POST  # noqa: N815 (as above)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the console."""

    return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def twilio() -> Iterator[StandIn]:
    """Autocreates for OURS."""
    with StandIn(group_delay=0.1) as running:
        running.set_autocreate(OURS)
        yield running


@pytest.fixture
def impatient(receiver: Receiver) -> Iterator[StandIn]:
    """As `hooked`, but gives up after a quarter of a second: for tests of silence only."""
    with StandIn(webhook_timeout=0.25, route_timeout=0.25) as running:
        running.set_autocreate(OURS)
        running.configure_webhooks(
            pre_url=f"{receiver.url}/pre", post_url=f"{receiver.url}/post"
        )
        yield running


@pytest.fixture
def hooked(twilio: StandIn, receiver: Receiver) -> StandIn:
    """The stand-in with every event going to the receiver."""
    twilio.configure_webhooks(
        pre_url=f"{receiver.url}/pre", post_url=f"{receiver.url}/post"
    )
    return twilio


@pytest.fixture
def sdk(twilio: StandIn) -> Client:
    return Client(
        twilio.account_sid, twilio.auth_token, http_client=ToStandIn(twilio.url)
    )
