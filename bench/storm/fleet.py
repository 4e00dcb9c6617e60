"""The functions in processes of their own behind one address, killed without warning and started again."""

import http.client
import itertools
import random
import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from local import functions, raw_http
from local.ports import HOST, free_port
from local.processes import Child
from local.servers import LocalServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Which functions, and how many processes of each.
INSTANCES = {
    "post_event": 2,
    "routing": 1,
    "worker_available": 2,
    "conversation_written": 2,
    "inbox": 1,
    "sweep": 1,
}
_SERVED_BEFORE_A_KILL = (
    8  # requests: on a slow machine it would else die before it did anything
)
_NO_ANSWER = Response("no instance is left\n", 503)


class Instance:
    """One process that serves one function; `working` on so many requests, `served` so many since its start."""

    def __init__(self, entry_point: str) -> None:
        self.entry_point = entry_point
        self.port = free_port()
        self.working = self.served = 0
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/"

    @property
    def is_busy(self) -> bool:
        """Whether a kill now interrupts work, of a process that had time to do some."""
        return self.working > 0 and self.served >= _SERVED_BEFORE_A_KILL

    def start(self, env: Mapping[str, str]) -> "Instance":
        self._child = functions.child(self.entry_point, self.port, env).start()
        return self

    def wait_ready(self) -> None:
        if self._child is not None:
            self._child.wait_ready()

    def kill(self, restart: bool = False) -> None:
        """SIGKILL; and a fresh process on the same port if wanted."""
        if self._child is not None:
            self._child.kill()
            self.served = 0
            if restart:
                self._child.start()

    def output(self) -> str:
        return self._child.output(50_000_000) if self._child is not None else ""

    def ask(self, request: Request) -> Response:
        self.working += 1
        try:
            headers = list(request.headers.items())
            return raw_http.send(
                request.method, self.url + _rest(request), headers, request.get_data()
            )
        finally:
            self.working -= 1
            self.served += 1


def _rest(request: Request) -> str:
    """What of the address comes after the function's name."""
    return request.path.removeprefix("/").partition("/")[2]


class Fleet:
    """All processes, and in front of them what Google's front end is: an address that picks one of those alive."""

    def __init__(self) -> None:
        self.instances = [
            Instance(name) for name, count in INSTANCES.items() for _ in range(count)
        ]
        self.kills = 0
        self.refused = 0
        self.running = 0
        self._turn = itertools.count()
        self._lock = threading.Lock()
        self._front = LocalServer(self._forward)

    @property
    def url(self) -> str:
        return self._front.url

    def start_front(self) -> None:
        self._front.start()

    def start(self, env: Mapping[str, str]) -> None:
        for instance in self.instances:
            instance.start(env)
        for instance in self.instances:
            instance.wait_ready()

    def stop(self) -> None:
        for instance in self.instances:
            instance.kill()
        self._front.stop()

    def kill_a_busy_one(self, rng: random.Random) -> None:
        """One that is at work just now, if any is; returns when its successor answers."""
        busy = [instance for instance in self.instances if instance.is_busy]
        if busy:
            killed = rng.choice(busy)
            killed.kill(restart=True)
            self.kills += 1
            killed.wait_ready()

    def wait_idle(self, timeout: float = 30) -> None:
        end = time.monotonic() + timeout
        while self.running and time.monotonic() < end:
            time.sleep(0.05)

    def unexpected_errors(self) -> list[str]:
        """Lines of the functions' logs that say that nobody foresaw it."""
        outputs = (instance.output() for instance in self.instances)
        return [
            line
            for text in outputs
            for line in text.splitlines()
            if "stack_trace" in line
        ]

    def _forward(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        with self._lock:
            self.running += 1
        try:
            return self._answer(Request(environ))(environ, start_response)
        finally:
            with self._lock:
                self.running -= 1

    def _answer(self, request: Request) -> Response:
        entry_point = request.path.split("/")[1].replace("-", "_")
        serving = [one for one in self.instances if one.entry_point == entry_point]
        first = next(self._turn)
        for number in range(len(serving)):
            try:
                return serving[(first + number) % len(serving)].ask(request)
            except ConnectionRefusedError:
                continue  # it has just been killed: another one takes it
            except (OSError, http.client.HTTPException):
                break  # it died over this very request
        self.refused += 1
        return _NO_ANSWER
