"""How REST calls leave the house: to another server if told so, with a timeout, with the next token on a 401."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests import Session
from requests.adapters import HTTPAdapter
from twilio.http import HttpClient
from twilio.http.response import Response

from providers import deadline

_CONNECTIONS = 32


class TimedHttpClient(HttpClient):  # type: ignore[misc]  # the SDK's base class carries no types
    """An HTTP client for the Twilio SDK. Its own default waits for ever and cannot be pointed elsewhere."""

    def __init__(self, base_url: str | None, other_tokens: tuple[str, ...], patience: float) -> None:
        """`patience`: seconds for one call at most; `other_tokens`: tried in order when one is refused."""
        super().__init__(logging.getLogger(__name__), False, patience)
        self._base = urlsplit(base_url) if base_url else None
        self._other_tokens = other_tokens
        self._patience = patience
        self._session = Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=_CONNECTIONS))
        self._session.trust_env = base_url is None  # a local server is not behind a proxy

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        response = self._send(method, url, params, data, headers, auth, allow_redirects)
        for token in self._other_tokens:
            if response.status_code != 401 or auth is None:
                break
            response = self._send(method, url, params, data, headers, (auth[0], token), allow_redirects)
        return Response(response.status_code, response.text, response.headers)

    def _send(
        self,
        method: str,
        url: str,
        params: Any,
        data: Any,
        headers: Any,
        auth: Any,
        allow_redirects: bool,
    ) -> Any:
        return self._session.request(
            method.upper(),
            self._address(url),
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            timeout=deadline.remaining(self._patience),
            allow_redirects=allow_redirects,
        )

    def _address(self, url: str) -> str:
        """The same path on another server, also for the next page's address in a list."""
        if self._base is None:
            return url
        parts = urlsplit(url)
        return urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
