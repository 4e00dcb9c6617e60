"""How REST calls leave the house: to another server if told so, with a timeout, with the next token on a 401."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import certifi
import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.util import make_headers

from providers import deadline

_CONNECTIONS = 32  # kept open; more at once work too


class TimedHttpClient(HttpClient):  # type: ignore[misc]  # the SDK's base class carries no types
    """An HTTP client for the Twilio SDK. Its own default waits for ever and cannot be pointed elsewhere.

    On urllib3, which takes half the time of the SDK's own one on requests (docs/performance.md).
    """

    def __init__(self, base_url: str | None, other_tokens: tuple[str, ...], patience: float) -> None:
        """`patience`: seconds for one call at most; `other_tokens`: tried in order when one is refused."""
        super().__init__(logging.getLogger(__name__), False, patience)
        self._base = urlsplit(base_url) if base_url else None
        self._other_tokens = other_tokens
        self._patience = patience
        self._connections = _connections(to_twilio=base_url is None)

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """`data`: a form, or bytes that go out as they are. `timeout`: other seconds than usual for this call."""
        patience = timeout or self._patience
        response = self._send(method, url, params, data, headers, auth, patience)
        for token in self._other_tokens:
            if response.status != 401 or auth is None:
                break
            response = self._send(method, url, params, data, headers, (auth[0], token), patience)
        text = response.data.decode("utf-8", errors="replace")
        return Response(response.status, text, response.headers)

    def _send(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None,
        data: Mapping[str, object] | bytes | None,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
        patience: float,
    ) -> urllib3.BaseHTTPResponse:
        sent = dict(headers or {})
        if self._base is not None:  # two of Twilio's APIs have the same paths
            sent["Host"] = urlsplit(url).netloc
        if auth is not None:
            sent |= make_headers(basic_auth=":".join(auth))
        return self._connections.request(
            method.upper(),
            self._address(url) + (f"?{_encoded(params)}" if params else ""),
            body=data if isinstance(data, bytes) else _encoded(data) if data else None,
            headers=sent,
            timeout=deadline.remaining(patience),
            redirect=False,
        )

    def _address(self, url: str) -> str:
        """The same path on another server, also for the next page's address in a list."""
        if self._base is None:
            return url
        parts = urlsplit(url)
        return urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))


def _encoded(fields: Mapping[str, object]) -> str:
    """As a form; None is left out, a list is the same name several times."""
    return urlencode({name: value for name, value in fields.items() if value is not None}, doseq=True)


def _connections(to_twilio: bool) -> urllib3.PoolManager:
    """Through the proxy that the environment names, if any; a local server is not behind one."""
    kept: dict[str, Any] = {"maxsize": _CONNECTIONS, "retries": False, "ca_certs": certifi.where()}
    proxy = urllib.request.getproxies().get("https") if to_twilio else None
    if proxy is None or urllib.request.proxy_bypass("api.twilio.com"):
        return urllib3.PoolManager(**kept)
    return urllib3.ProxyManager(proxy, **kept)
