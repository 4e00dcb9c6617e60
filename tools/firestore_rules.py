"""Puts firestore.rules in force through the Firebase Rules REST API (gcloud has no command for it)."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

import requests

RULES = Path(__file__).parent.parent / "firestore.rules"
_SECONDS = 30
_OURS = "Access from outside: a worker's own app."  # stands in firestore.rules since the first version
_OPENS = re.compile(r"\ballow\b[^;:]*(?:;|:(?!\s*if\s+false\s*;))")


class RulesApi:
    """The few calls; https://firebase.google.com/docs/reference/rules/rest."""

    def __init__(self, project: str, database: str, token: str) -> None:
        base = os.environ.get("FIREBASERULES_API_URL", "https://firebaserules.googleapis.com/").rstrip("/")
        self._project = f"{base}/v1/projects/{project}"
        self._prefix = f"projects/{project}"
        self.release = "cloud.firestore" + ("" if database == "(default)" else f"/{database}")
        self._session = requests.Session()
        # A person's token counts against gcloud's own project unless the request names another.
        self._session.headers.update({"Authorization": f"Bearer {token}", "X-Goog-User-Project": project})

    def in_force(self) -> str | None:
        """The text of the rules in force; None if there are none yet."""
        release = self._call("GET", f"/releases/{self.release}", missing_is_none=True)
        if release is None:
            return None
        ruleset = self._call(
            "GET", f"/rulesets/{release['rulesetName'].rsplit('/', 1)[1]}", missing_is_none=True
        )
        return ruleset["source"]["files"][0]["content"] if ruleset else None

    def put_in_force(self, text: str) -> None:
        """Stores the rules and releases them."""
        source = {"files": [{"name": RULES.name, "content": text}]}
        ruleset = self._call("POST", "/rulesets", {"source": source})
        release = {"name": f"{self._prefix}/releases/{self.release}", "rulesetName": ruleset["name"]}
        if (
            self._call("PATCH", f"/releases/{self.release}", {"release": release}, missing_is_none=True)
            is None
        ):
            self._call("POST", "/releases", release)

    def _call(self, method: str, path: str, body: object = None, missing_is_none: bool = False) -> Any:
        response = self._session.request(method, self._project + path, json=body, timeout=_SECONDS)
        if response.status_code == 404 and missing_is_none:
            return None
        if not response.ok:
            raise SystemExit(f"\ndeploy.sh: {_refusal(response)}")
        return response.json()


def is_somebody_elses(text: str) -> bool:
    """Whether these rules open something, and are no version of ours: an app may live by them."""
    return _OURS not in text and _OPENS.search(text) is not None


def _refusal(response: requests.Response) -> str:
    if response.status_code in (401, 403):
        return (
            "You may not set the Firestore rules: have an owner of the project give you "
            "roles/firebaserules.admin, then run the same command again, it continues from here."
        )
    return f"The Firestore rules were refused with {response.status_code}: {response.text[:500]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--database", default="(default)")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--yes", action="store_true", help="replace another application's rules")
    parser.add_argument("--changes", type=Path, help="a file that gets a line for each change")
    arguments = parser.parse_args()
    api = RulesApi(arguments.project, arguments.database, os.environ["GOOGLE_ACCESS_TOKEN"])
    text = RULES.read_text()
    try:
        now = api.in_force()
        if now == text:
            return
        if now is not None and is_somebody_elses(now) and not arguments.yes:
            sys.exit(
                f"\ndeploy.sh: The database {arguments.database} has another application's rules in force, which "
                "ours would replace: name a database of its own with --database, or add --yes to replace them."
            )
        if arguments.dry_run:
            print(f"  would put firestore.rules in force for the database {arguments.database}")
            return
        api.put_in_force(text)
    except requests.RequestException as error:
        sys.exit(
            f"\ndeploy.sh: The rules API could not be reached ({type(error).__name__}): check the network."
        )
    print("  put firestore.rules in force: done")
    if arguments.changes:
        with arguments.changes.open("a") as changes:
            changes.write("put firestore.rules in force\n")


if __name__ == "__main__":
    main()
