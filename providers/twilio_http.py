"""Sends REST calls: to another server if one is set, with a timeout, with the next password after a 401."""

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
    """An HTTP client for the Twilio SDK. Its own default waits for ever and cannot be pointed elsewhere.

    On urllib3, which takes half the time of the SDK's own one on requests (docs/performance.md).
    """

    def __init__(
        self, base_url: str | None, other_passwords: tuple[str, ...], patience: float
    ) -> None:
        """`patience`: seconds for one call at most; `other_passwords`: tried in order when one is refused."""
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
        """`data`: a form, or bytes that go out as they are. `timeout`: other seconds than usual for this call."""
        sent = dict(headers or {})
        if (
            self._base is not None
        ):  # the same path there, also of a list's next page; two of Twilio's APIs share some
            asked = urlsplit(url)
            sent["Host"] = asked.netloc
            url = asked._replace(
                scheme=self._base.scheme, netloc=self._base.netloc
            ).geturl()
        if params:
            url += f"?{_encoded(params)}"
        body = data if isinstance(data, bytes) else _encoded(data) if data else None
        logins = (
            [f"{auth[0]}:{password}" for password in (auth[1], *self._other_passwords)]
            if auth
            else [None]
        )
        for login in logins:
            response = self._connections.request(
                method.upper(),
                url,
                body=body,
                headers=sent | make_headers(basic_auth=login),
                timeout=clock.remaining(timeout or self._patience),
                redirect=False,
            )
            if response.status != 401:
                break
        text = response.data.decode("utf-8", errors="replace")
        return Response(response.status, text, response.headers)


def _encoded(fields: Mapping[str, object]) -> str:
    """As a form; None is left out, a list is the same name several times."""
    return urlencode(
        {name: value for name, value in fields.items() if value is not None}, doseq=True
    )


def _connections(to_twilio: bool) -> urllib3.PoolManager:
    """Through the proxy that the environment names, if any; a local server is not behind one."""
    kept: dict[str, Any] = {
        "maxsize": _CONNECTIONS,
        "retries": False,
        "ca_certs": certifi.where(),
    }
    proxy = urllib.request.getproxies().get("https") if to_twilio else None
    if proxy is None or urllib.request.proxy_bypass("api.twilio.com"):
        return urllib3.PoolManager(**kept)
    return urllib3.ProxyManager(proxy, **kept)
