"""A client for Google's REST APIs: one session with gcloud's token that waits for an API which was enabled recently."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import Any

import requests

_SECONDS = 30
_BETWEEN = 5.0
_TRIES = 3  # at least
# Google's words about an API, for some minutes after it was enabled.
_NEW = ("SERVICE_DISABLED", "has not been used in project")
_READS = ("GET", "DELETE")
_QUOTA_PROJECT = ("USER_PROJECT_DENIED", "serviceusage.services.use")
QUOTA_ROLE = "roles/serviceusage.serviceUsageConsumer"


class ApiError(Exception):
    """A refusal by Google: `status` is HTTP's, `text` is the body of the answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {_message(text)}")
        self.status, self.text = status, text

    def advice(self, roles: str) -> str:
        """Return what to do, as a clause. `roles`: the roles that the call needs."""
        if any(words in self.text for words in _QUOTA_PROJECT):
            return f"have an owner of the project give you {QUOTA_ROLE}"
        if any(words in self.text for words in _NEW):
            return (
                "an API that was enabled recently is not ready yet: wait some minutes"
            )
        if self.status == 401:
            return "gcloud is signed out: run 'gcloud auth login'"
        if self.status == 403:
            return f"have an owner of the project give you {roles}"
        return f"Google answered {self}"


def _message(text: str) -> str:
    """Return Google's own sentence from the body of a refusal, in one line."""
    try:
        words = str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        words = text
    return " ".join(words.split())[:500]


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
    """Return the access token that deploy.sh passes, or gcloud's."""
    return os.environ.get("GOOGLE_ACCESS_TOKEN") or fresh_token()


def fresh_token() -> str:
    """Return gcloud's token, which gcloud renews when it has expired."""
    # gcloud would write the token into its own log.
    quiet = os.environ | {"CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1"}
    command = ["gcloud", "auth", "print-access-token", "--quiet"]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=quiet
    ).stdout.strip()


class Api:
    """One API, such as `monitoring`. The variable MONITORING_API_URL replaces its address.

    `patience`: for how many seconds, counted from now, temporary refusals are tried again.
    """

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

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        or_none: bool = False,
        **query: Any,
    ) -> Any:
        """Send one request and return the parsed answer.

        A 404 gives None for GET and DELETE, and for other methods only with `or_none`: a write that finds nothing has
        written nothing, so it is tried again while the patience lasts, because what it names may be new.

        Raises ApiError for any other refusal and requests.RequestException without an answer.
        """
        allows_none = or_none or method in _READS
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
            is_missing = response.status_code == 404
            if is_missing and allows_none:
                return None
            if response.status_code == 401:
                if is_renewed:
                    raise SignedOut
                self._renew()
                is_renewed = True
                continue
            passes = is_missing or any(words in response.text for words in _NEW)
            left = self._until - time.monotonic()
            if not passes or (left < 0 and tries >= _TRIES):
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
        """Return every page of a list; an empty list for 404. Raise Unreachable where Google leaves out a location."""
        items: list[Any] = []
        page: dict[str, Any] = {}
        while True:
            answer = self.call("GET", path, **query, **page) or {}
            if away := answer.get("unreachable"):
                raise Unreachable(away)
            items += answer.get(key, [])
            if not (following := answer.get("nextPageToken")):
                return items
            page = {"pageToken": following}
