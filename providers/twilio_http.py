"""Sends REST calls with a timeout: to another server if one is set, and with the next password after a 401."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import certifi
import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.util import make_headers

from providers import clock

_CONNECTIONS = 32  # kept open; more at once work too


class TimedHttpClient(HttpClient):  # type: ignore[misc]  # the SDK's base class carries no types
    """An HTTP client for the Twilio SDK. The SDK's default waits for ever and cannot use another address.

    It uses urllib3, which takes half the time of the SDK's client on requests (docs/performance.md).
    """

    def __init__(
        self, base_url: str | None, other_passwords: tuple[str, ...], patience: float
    ) -> None:
        """`patience`: seconds for one call at most; `other_passwords`: tried in order when a password is refused."""
        super().__init__(logging.getLogger(__name__), False, patience)
        self._base = urlsplit(base_url) if base_url else None
        self._other_passwords = other_passwords
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
        """Make the call. `data`: a form, or raw bytes. `timeout`: seconds for this call in place of the usual ones."""
        all_headers = dict(headers or {})
        if self._base is not None:
            # The same path, even of a list's next page; the Host tells Twilio's APIs with equal paths apart.
            original = urlsplit(url)
            all_headers["Host"] = original.netloc
            url = original._replace(
                scheme=self._base.scheme, netloc=self._base.netloc
            ).geturl()
        if params:
            url += f"?{_encoded(params)}"
        for login in self._logins(auth):
            response = self._connections.request(
                method.upper(),
                url,
                body=data if isinstance(data, bytes) else _encoded(data or {}) or None,
                headers=all_headers | make_headers(basic_auth=login),
                timeout=clock.remaining(timeout or self._patience),
                redirect=False,
            )
            if response.status != 401:
                break
        text = response.data.decode("utf-8", errors="replace")
        return Response(response.status, text, response.headers)

    def _logins(self, auth: tuple[str, str] | None) -> list[str | None]:
        """Return the logins to try in order, as user:password; [None] for a call without a login."""
        if auth is None:
            return [None]
        user, password = auth
        return [f"{user}:{secret}" for secret in (password, *self._other_passwords)]


def _encoded(fields: Mapping[str, object]) -> str:
    """Encode as a form, without None; a list is the same name several times."""
    return urlencode(
        {name: value for name, value in fields.items() if value is not None}, doseq=True
    )


def _connections(to_twilio: bool) -> urllib3.PoolManager:
    """Connect through the proxy in the environment, if any; a local server needs none."""
    options: dict[str, Any] = {
        "maxsize": _CONNECTIONS,
        "retries": False,
        "ca_certs": certifi.where(),
    }
    proxy = urllib.request.getproxies().get("https") if to_twilio else None
    if proxy is None or urllib.request.proxy_bypass("api.twilio.com"):
        return urllib3.PoolManager(**options)
    return urllib3.ProxyManager(proxy, **options)
