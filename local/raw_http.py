"""One HTTP request sent exactly as given: a signature covers the raw address, which most clients re-quote."""

import http.client
from collections.abc import Iterable
from urllib.parse import urlsplit

from werkzeug.wrappers import Response

# They belong to one connection, not to the message (RFC 9110, section 7.6.1).
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
}
HOP_BY_HOP |= {"transfer-encoding", "upgrade"}


class HttpAnswer(Response):
    """What came back: `status_code`, `text`, `get_json()`, `headers`."""

    @property
    def text(self) -> str:
        """The body."""
        return self.get_data(as_text=True)


def send(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    timeout: float = 60,
) -> HttpAnswer:
    """The answer, whatever its status; raises OSError or http.client.HTTPException if there is none."""
    split = urlsplit(url)
    connection = http.client.HTTPConnection(split.netloc, timeout=timeout)
    target = url[len(f"{split.scheme}://{split.netloc}") :] or "/"
    names = {name.lower() for name, _ in headers}
    try:
        connection.putrequest(
            method, target, skip_host="host" in names, skip_accept_encoding=True
        )
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        _send_body(connection, body)
        answer = connection.getresponse()
        kept = [
            (name, value)
            for name, value in answer.getheaders()
            if name.lower() not in HOP_BY_HOP
        ]
        return HttpAnswer(answer.read(), answer.status, kept)
    finally:
        connection.close()


def _send_body(connection: http.client.HTTPConnection, body: bytes) -> None:
    """A server that has read enough (413) answers and closes while we still send: its answer counts."""
    try:
        connection.endheaders(body)
    except (BrokenPipeError, ConnectionResetError):
        if connection.sock is None:
            raise  # it was gone before we had a connection
