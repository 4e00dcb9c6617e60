"""Puts firestore.rules in force through the Firebase Rules REST API (gcloud has no command for it)."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import requests

from tools.google_api import Api, ApiError

RULES = Path(__file__).parent.parent / "firestore.rules"
_OURS = "Access from outside: a worker's own app."  # stands in firestore.rules since the first version
_OPENS = re.compile(r"\ballow\b[^;:]*(?:;|:(?!\s*if\s+false\s*;))")
_OUR_RECORDS = (
    "service/sweep",
    "settings/routing",
)  # one of them is in every database that this service has used


class RulesApi:
    """The few calls; https://firebase.google.com/docs/reference/rules/rest."""

    def __init__(self, project: str, database: str, patience: float = 0.0) -> None:
        self._api = Api("firebaserules", "v1", project, patience)
        self._project = f"projects/{project}"
        self.release = "cloud.firestore" + (
            "" if database == "(default)" else f"/{database}"
        )

    def ruleset(self) -> str | None:
        """The name of the ruleset in force, projects/P/rulesets/ID; None if there is none yet."""
        release = self._api.call("GET", f"{self._project}/releases/{self.release}")
        return str(release["rulesetName"]) if release else None

    def text_of(self, name: str) -> str | None:
        found = self._api.call("GET", name)
        return str(found["source"]["files"][0]["content"]) if found else None

    def store(self, text: str) -> str:
        """Stores a ruleset; returns its name."""
        source = {"files": [{"name": RULES.name, "content": text}]}
        return str(
            self._api.call("POST", f"{self._project}/rulesets", {"source": source})[
                "name"
            ]
        )

    def put_in_force(self, ruleset: str) -> None:
        release = {
            "name": f"{self._project}/releases/{self.release}",
            "rulesetName": ruleset,
        }
        body = {"release": release}
        if self._api.call("PATCH", release["name"], body, or_none=True) is None:
            self._api.call("POST", f"{self._project}/releases", release)


def is_somebody_elses(text: str) -> bool:
    """Whether these rules open something, and are no version of ours: an app may live by them."""
    return _OURS not in text and _OPENS.search(text) is not None


def owner(rules: RulesApi, documents: Api, place: str, is_known: bool) -> str:
    """What of somebody else's is in the database, in words that go on "The database has ..."; "" if nothing.

    `place`: projects/P/databases/D/documents. `is_known`: a deployed function of ours uses the database already.
    """
    name = rules.ruleset()
    text = rules.text_of(name) if name else None
    if text is not None and is_somebody_elses(text):
        return "another application's rules in force"
    if is_known or (text is not None and _OURS in text):
        return ""
    if any(
        documents.call("GET", f"{place}/{record}") is not None
        for record in _OUR_RECORDS
    ):
        return ""
    path = f"{place}:listCollectionIds"
    listed = documents.call("POST", path, {"pageSize": 20}, or_none=True) or {}
    collections = sorted(listed.get("collectionIds", []))
    return (
        f"somebody else's collections ({', '.join(collections)})" if collections else ""
    )


def _refusal(error: ApiError) -> str:
    roles = "roles/firebaserules.admin and roles/datastore.owner"
    return (
        f"The Firestore rules could not be set: {error.advice(roles)}; "
        "then run the same command again, it continues from here."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--database", default="(default)")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument(
        "--owner",
        action="store_true",
        help="print what of somebody else's is there, and end",
    )
    parser.add_argument(
        "--known",
        action="store_true",
        help="with --owner: our functions use it already",
    )
    parser.add_argument(
        "--put-back", metavar="RULESET", help="put an earlier ruleset in force again"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=0,
        help="seconds to wait for an API just enabled",
    )
    parser.add_argument(
        "--changes", type=Path, help="a file that gets a line for each change"
    )
    return parser.parse_args()


def _put_ours(rules: RulesApi, arguments: argparse.Namespace) -> None:
    before, text = rules.ruleset(), RULES.read_text()
    if before is not None and rules.text_of(before) == text:
        return
    if arguments.dry_run:
        print(
            f"  would put firestore.rules in force for the database {arguments.database}"
        )
        _count(arguments)
        return
    rules.put_in_force(rules.store(text))
    print("  put firestore.rules in force: done")
    if before is not None:
        where = f"--project {arguments.project} --database '{arguments.database}'"
        back = f".venv/bin/python -m tools.firestore_rules {where} --put-back {before}"
        print(f"  to put the rules of before in force again: {back}")
    _count(arguments)


def _count(arguments: argparse.Namespace) -> None:
    """Note the change for deploy.sh, which counts the lines."""
    if arguments.changes:
        with arguments.changes.open("a") as changes:
            changes.write("put firestore.rules in force\n")


def run(arguments: argparse.Namespace) -> None:
    rules = RulesApi(arguments.project, arguments.database, arguments.patience)
    if arguments.owner:
        place = f"projects/{arguments.project}/databases/{arguments.database}/documents"
        documents = Api("firestore", "v1", arguments.project, arguments.patience)
        print(owner(rules, documents, place, arguments.known))
    elif arguments.put_back:
        rules.put_in_force(arguments.put_back)
        print(f"{arguments.put_back} is in force again.")
    else:
        _put_ours(rules, arguments)


def main() -> None:
    try:
        run(_arguments())
    except ApiError as error:
        sys.exit(f"\ndeploy.sh: {_refusal(error)}")
    except requests.RequestException as error:
        sys.exit(
            f"\ndeploy.sh: The rules API could not be reached ({type(error).__name__}): check the network."
        )


if __name__ == "__main__":
    main()
