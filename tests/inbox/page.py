"""A worker's browser, as far as the server can tell: cookies, the own header, the own origin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import quote, urljoin

import requests

from local.oidc import Issuer

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"


class Page:
    """`url`: the inbox's own, with a slash at its end."""

    header = "X-Inbox"

    def __init__(self, url: str, issuer: Issuer) -> None:
        self.url = url if url.endswith("/") else f"{url}/"
        self.issuer = issuer
        self.browser = requests.Session()
        self.origin = "/".join(self.url.split("/")[:3])

    def sign_in(self, email: str) -> requests.Response:
        """All the way: to the issuer, a choice there, and back."""
        return self.browser.get(self.back_from(email), timeout=20)

    def back_from(self, email: str) -> str:
        """Where the issuer sends somebody who has chosen to be this person."""
        begun = self.browser.get(
            urljoin(self.url, "sign-in"), timeout=20, allow_redirects=False
        )
        assert begun.status_code == 302, begun.text
        answer = self.browser.get(
            begun.headers["Location"] + f"&email={quote(email)}",
            timeout=20,
            allow_redirects=False,
        )
        return answer.headers["Location"]

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.browser.get(
            urljoin(self.url, path),
            timeout=20,
            headers=_spelled(headers),
            allow_redirects=False,
        )

    def post(
        self, path: str, body: Any = None, method: str = "POST", **headers: str | None
    ) -> requests.Response:
        """`headers`: instead of the usual ones; None takes one away."""
        sent: dict[str, str | None] = {
            self.header: "1",
            "Origin": self.origin,
        } | _spelled(headers)
        return self.browser.request(
            method,
            urljoin(self.url, path),
            json={} if body is None else body,
            timeout=30,
            headers={name: value for name, value in sent.items() if value is not None},
        )

    def state(self) -> dict[str, Any]:
        answer = self.get("state")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def told(answer: requests.Response) -> str:
    """The sentence of an error, in JSON or on a page."""
    if "json" in answer.headers.get("Content-Type", ""):
        return str(answer.json()["error"])
    return " ".join(
        unescape(one) for one in re.findall(r'role="alert">([^<]+)<', answer.text)
    )


def _spelled(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
