"""A WSGI application served by a thread of this process on a local port."""

import threading
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from local.ports import HOST


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: what happens is shown by the application itself."""


class LocalServer:
    """Serves `app` with a thread per request until stopped; `port` 0 takes a free one."""

    def __init__(self, app: Any, port: int = 0) -> None:
        self._server = make_server(
            HOST, port, app, threaded=True, request_handler=_Quiet
        )
        self._thread = threading.Thread(
            target=self._serve, name=f"server-{self.port}", daemon=True
        )

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> "LocalServer":
        """Answer from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)
