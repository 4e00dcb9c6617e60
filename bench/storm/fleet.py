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
INSTANCES = {"post_event": 2, "routing": 1, "worker_available": 2, "sweep": 1}
_NO_ANSWER = Response("no instance is left\n", 503)


class Instance:
    """One process that serves one function."""

    def __init__(self, entry_point: str) -> None:
        self.entry_point = entry_point
        self.port = free_port()
        self.child: Child | None = None

    def start(self, env: Mapping[str, str]) -> None:
        if self.child is None:
            self.child = functions.child(self.entry_point, self.port, env)
        self.child.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/"


class Fleet:
    """All processes, and in front of them what Google's front end is: an address that picks one of those alive."""

    def __init__(self) -> None:
        self.instances = [Instance(name) for name, count in INSTANCES.items() for _ in range(count)]
        self.kills = 0
        self.refused = 0
        self.running = 0
        self._turn = itertools.count()
        self._lock = threading.Lock()
        self._env: Mapping[str, str] = {}
        self._front = LocalServer(self._forward)

    @property
    def url(self) -> str:
        return self._front.url

    def start_front(self) -> None:
        self._front.start()

    def start(self, env: Mapping[str, str]) -> None:
        self._env = env
        for instance in self.instances:
            instance.start(env)
        for instance in self.instances:
            if instance.child is not None:
                instance.child.wait_ready()

    def stop(self) -> None:
        for instance in self.instances:
            if instance.child is not None:
                instance.child.kill()
        self._front.stop()

    def kill_one(self, rng: random.Random) -> None:
        """SIGKILL while it works, and a fresh process on the same port."""
        instance = rng.choice(self.instances)
        if instance.child is not None and instance.child.alive:
            instance.child.kill()
            self.kills += 1
            instance.child.start()

    def wait_idle(self, timeout: float = 30) -> None:
        end = time.monotonic() + timeout
        while self.running and time.monotonic() < end:
            time.sleep(0.05)

    def unexpected_errors(self) -> list[str]:
        """Lines of the functions' logs that say that nobody foresaw it."""
        outputs = [i.child.output(50_000_000) for i in self.instances if i.child is not None]
        return [line for text in outputs for line in text.splitlines() if "stack_trace" in line]

    def _forward(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with self._lock:
            self.running += 1
        try:
            return self._answer(Request(environ))(environ, start_response)
        finally:
            with self._lock:
                self.running -= 1

    def _answer(self, request: Request) -> Response:
        entry_point = request.path.removeprefix("/").replace("-", "_")
        serving = [one for one in self.instances if one.entry_point == entry_point]
        body, headers = request.get_data(), list(request.headers.items())
        first = next(self._turn)
        for number in range(len(serving)):
            instance = serving[(first + number) % len(serving)]
            try:
                return raw_http.send(request.method, instance.url, headers, body)
            except ConnectionRefusedError:
                continue  # it has just been killed: another one takes it
            except (OSError, http.client.HTTPException):
                break  # it died over this very request
        self.refused += 1
        return _NO_ANSWER
