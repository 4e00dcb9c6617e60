"""A worker at their inbox, by HTTP as its page does it: signed in at the local issuer, with the page's own header."""

import secrets
from typing import Any
from urllib.parse import quote

import requests

_PATIENCE = 30.0  # seconds


class RefusedError(Exception):
    """The inbox says no; the text is its sentence."""


class Inbox:
    """One worker's, at the address of their frame in the playground, where the issuer knows whom it is for."""

    def __init__(self, url: str, identity: str) -> None:
        self._address = f"{url}/as/{quote(identity, safe='@')}/inbox/"
        self._session = requests.Session()
        self._session.trust_env = (
            False  # no proxy stands between this machine and itself
        )
        self._session.headers.update({"X-Inbox": "1", "Origin": url})
        self._told(self._session.get(f"{self._address}sign-in", timeout=_PATIENCE))

    def state(self) -> dict[str, Any]:
        """What the page asks for every few seconds."""
        return self._json(self._session.get(f"{self._address}state", timeout=_PATIENCE))

    def turn(self, status: str) -> None:
        """The switch."""
        self._post("status", {"status": status})

    def write(self, sid: str, text: str) -> None:
        """An answer to the customer."""
        self._post(
            f"conversations/{sid}/messages",
            {"token": secrets.token_urlsafe(12), "body": text},
        )

    def hand_back(self, sid: str) -> None:
        """Hand over to the queue."""
        self._post(f"conversations/{sid}/hand-over", {"to": "queue"})

    def close(self, sid: str) -> None:
        """The end of a conversation."""
        self._post(f"conversations/{sid}/close", {})

    def _post(self, path: str, body: dict[str, str]) -> None:
        self._told(
            self._session.post(f"{self._address}{path}", json=body, timeout=_PATIENCE)
        )

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        found: dict[str, Any] = self._told(answer).json()
        return found

    def _told(self, answer: requests.Response) -> requests.Response:
        if not answer.ok:
            raise RefusedError(
                f"The inbox answered {answer.status_code}: {answer.text[:300]}"
            )
        return answer
