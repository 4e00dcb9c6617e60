"""The HTTP side: keeps connections open, fails on demand, hands requests to the API or to the controls."""

import contextlib
import json
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from local import callers
from local.twilio.errors import ApiError, classic_body, problem_body
from local.twilio.faults import Faults, RestFault
from local.twilio.records import File
from local.twilio.remote_control import PREFIX, RemoteControl
from local.twilio.rest import media
from local.twilio.rest.calls import Form, RestAnswer
from local.twilio.rest.router import Request, Router


class Server(ThreadingHTTPServer):
    """Serves on 127.0.0.1 in threads that end with the process; `cut` ends the open connections, too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, port: int, router: Router, faults: Faults, control: RemoteControl
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.router = router
        self.account = router.account
        self.faults = faults
        self.control = control
        self.requests: list[dict[str, Any]] = []
        self.connections: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.at_once = Concurrency()

    def server_bind(self) -> None:
        """Binds without asking DNS for this machine's name, which takes seconds on some machines."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def note(
        self, request: Request, status: int | None, code: int | None, began: float
    ) -> None:
        entry = {
            "method": request.method,
            "path": request.path,
            "params": request.form.plain(),
            "status": status,
            "code": code,
            "at": time.time(),
            "seconds": round(time.perf_counter() - began, 6),
        }
        with self.lock:
            self.requests.append(entry)

    def cut(self) -> None:
        with self.lock:
            open_ones = list(self.connections)
        for connection in open_ones:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a fault of ours and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Concurrency:
    """How many REST calls are under way, how many have been at most, and from how many on Twilio answers 429."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def one_more(self) -> Iterator[bool]:
        """Yield whether this call is within the limit."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            is_within = self.limit is None or self._now <= self.limit
        try:
            yield is_within
        finally:
            with self._lock:
                self._now -= 1


class Handler(BaseHTTPRequestHandler):
    """One connection, HTTP/1.1 with keep-alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.lock:
            self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the console."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_PUT = do_PATCH = do_GET  # noqa: N815 (as above)

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path.startswith(PREFIX):
            if (why := callers.refusal(self.command, self.headers.get)) is not None:
                self._answer(403, classic_body(ApiError(20403, why, 403)))
                return
            status, content = self.server.control.answer(
                path.removeprefix(PREFIX), body
            )
            self._answer(status, content)
            return
        if path.startswith(media.FILES):
            self._give_out(media.given_out(self.server.account, path))
            return
        is_file = path.endswith("/Media")  # its parameters stand in the address
        text = (
            query
            if self.command == "GET" or is_file
            else body.decode("utf-8", "replace")
        )
        with self.server.at_once.one_more() as is_within:
            request = Request(
                self.command, unquote(path), Form(text), self.headers, body
            )
            self._serve_api(request, is_within)

    def _serve_api(self, request: Request, is_within: bool) -> None:
        began = time.perf_counter()
        if (
            not is_within
        ):  # Twilio has not processed it: https://www.twilio.com/docs/api/errors/20429
            refusal = ApiError(20429)
            self.server.note(request, refusal.status, refusal.code, began)
            return self._answer(refusal.status, classic_body(refusal))
        fault = self.server.faults.next_rest_fault(request.method, request.path)
        if fault and fault.delay:
            time.sleep(fault.delay)
        error: ApiError | None = None
        try:
            status, content = self._act(request, fault)
        except ApiError as refusal:
            error = refusal
            body = problem_body if fault is not None and fault.rfc9457 else classic_body
            status, content = refusal.status, body(refusal)
        dropped = fault is not None and fault.drop_answer
        self.server.note(
            request, None if dropped else status, error.code if error else None, began
        )
        if dropped:
            return self._hang_up()
        return self._answer(
            status, content, problem=error is not None and "title" in (content or {})
        )

    def _act(self, request: Request, fault: RestFault | None) -> RestAnswer:
        if fault and fault.status is not None and not fault.drop_answer:
            raise ApiError(fault.code, "asked for", fault.status)
        return self.server.router.handle(request)

    def _give_out(self, file: File | None) -> None:
        self.send_response(200 if file else 403)
        self.send_header("Content-Type", file.content_type if file else "text/plain")
        self.send_header("Content-Length", str(len(file.content) if file else 0))
        self.end_headers()
        self.wfile.write(file.content if file else b"")
        self.wfile.flush()

    def _hang_up(self) -> None:
        """Closes the connection without a word, as when the network breaks after Twilio has acted."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, content: Any, problem: bool = False) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if content is not None:
            kind = "application/problem+json" if problem else "application/json"
            self.send_header("Content-Type", kind)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="Twilio API"')
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
