"""Google's REST APIs as the tools call them: one session with gcloud's token, patient with an API just enabled."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any

import requests

_SECONDS = 30
_BETWEEN = 5.0
_TRIES = 3  # at least
_NEW = (
    "SERVICE_DISABLED",
    "has not been used in project",
)  # for some minutes after it was enabled


class ApiError(Exception):
    """Google's refusal: `status` is HTTP's, `text` what it wrote."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:500]}")
        self.status, self.text = status, text


class Unreachable(ApiError):
    """A list without the things of these locations, which Google cannot reach at the moment."""

    def __init__(self, locations: list[str]) -> None:
        self.regions = sorted(
            {name.split("/")[3] for name in locations if name.count("/") > 2}
        )
        names = ", ".join(self.regions) or "a region"
        super().__init__(503, f"UNREACHABLE_LOCATION {names}")


class SignedOut(SystemExit):
    """Google does not know the access token, and a new one from gcloud is not known either."""

    def __init__(self) -> None:
        super().__init__(
            "\nYou are signed out of Google Cloud: run 'gcloud auth login' (on a build machine: let the job sign in "
            "again, for its credentials have expired), then run the same command again."
        )


def token() -> str:
    """Return the one that deploy.sh passes, else gcloud's own."""
    return os.environ.get("GOOGLE_ACCESS_TOKEN") or fresh_token()


def fresh_token() -> str:
    """Return gcloud's token, which it renews when it has expired."""
    quiet = os.environ | {
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1"
    }  # gcloud logs what it prints
    asked = ["gcloud", "auth", "print-access-token", "--quiet"]
    return subprocess.run(
        asked, capture_output=True, text=True, check=True, env=quiet
    ).stdout.strip()


class Api:
    """One API, such as `monitoring`; its address can be changed by MONITORING_API_URL."""

    def __init__(
        self,
        name: str,
        version: str,
        project: str,
        patience: float = 0.0,
        bearer: str | None = None,
    ) -> None:
        default = f"https://{name}.googleapis.com/"
        base = os.environ.get(f"{name.upper()}_API_URL", default).rstrip("/")
        self._base = f"{base}/{version}"
        self._until = time.monotonic() + patience
        self._session = requests.Session()
        # A person's token counts against gcloud's own project unless the request names another.
        self._session.headers.update(
            {
                "Authorization": f"Bearer {bearer or token()}",
                "X-Goog-User-Project": project,
            }
        )

    def call(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        """The answer; None for 404. Raises ApiError for any other refusal, requests.RequestException without answer."""
        tries = 0
        is_renewed = False
        while True:
            tries += 1
            response = self._session.request(
                method,
                f"{self._base}/{path}",
                json=body,
                params=query,
                timeout=_SECONDS,
            )
            if response.ok:
                return response.json() if response.content else {}
            if response.status_code == 404:
                return None
            if response.status_code == 401:
                if is_renewed:
                    raise SignedOut
                self._renew()
                is_renewed = True
                continue
            is_new = any(words in response.text for words in _NEW)
            left = self._until - time.monotonic()
            if not is_new or (left < 0 and tries >= _TRIES):
                raise ApiError(response.status_code, response.text)
            time.sleep(max(0.1, min(_BETWEEN, left)))

    def _renew(self) -> None:
        """Go on with a new token: one lasts an hour at most, and a deployment may last longer."""
        try:
            bearer = fresh_token()
        except (OSError, subprocess.CalledProcessError):
            raise SignedOut from None
        self._session.headers["Authorization"] = f"Bearer {bearer}"

    def all(self, path: str, key: str, **query: Any) -> list[Any]:
        """Return every page of a list; nothing for 404. Raise Unreachable where Google leaves out a location."""
        found: list[Any] = []
        page: dict[str, str] = {}
        while True:
            answer = self.call("GET", path, **query, **page) or {}
            if away := answer.get("unreachable"):
                raise Unreachable(away)
            found += answer.get(key, [])
            if not (following := answer.get("nextPageToken")):
                return found
            page = {"pageToken": following}
