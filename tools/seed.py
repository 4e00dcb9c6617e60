"""Writes the records that the service starts from, where missing: settings, default pool, templates."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import AlreadyExists, GoogleAPIError
from google.api_core.retry import Retry
from google.cloud import firestore
from google.oauth2.credentials import Credentials

from providers import customers

TEMPLATES = Path(__file__).parent / "default_templates.json"
_SECONDS = 30.0
DEFAULTS: dict[str, dict[str, Any]] = {
    "settings/routing": {
        "mode": "pool",
        "default_pool": "default",
        "custom_fallback": "pool",
        "create_customers": True,
    },
    "pools/default": {
        "display_name": "Everyone",
        "strategy": "longest_idle",
        "capacity": 5,
    },
}


def default_records() -> dict[str, dict[str, Any]]:
    """Every record by its path. Templates come from default_templates.json: {id: fields}."""
    templates = json.loads(TEMPLATES.read_text()) if TEMPLATES.exists() else {}
    made = {customers.THE_KEY: customers.new_key()}
    return (
        DEFAULTS
        | made
        | {f"templates/{name}": fields for name, fields in templates.items()}
    )


def write_missing(db: firestore.Client, dry_run: bool = False) -> list[str]:
    """The paths of the records that were (or would be) written; one that exists is never touched."""
    records = default_records()
    references = [db.document(path) for path in records]
    found = db.get_all(references, retry=Retry(timeout=_SECONDS), timeout=_SECONDS)
    there = {snapshot.reference.path for snapshot in found if snapshot.exists}
    missing = [path for path in records if path not in there]
    return [path for path in missing if dry_run or _create(db, path, records[path])]


def _create(db: firestore.Client, path: str, fields: dict[str, Any]) -> bool:
    try:
        db.document(path).create(fields)
    except AlreadyExists:
        return False  # it was made a moment ago
    return True


def connect(project: str, database: str) -> firestore.Client:
    """With gcloud's token if deploy.sh passes one, else with what Google's libraries find."""
    token = os.environ.get("GOOGLE_ACCESS_TOKEN")
    if os.environ.get("FIRESTORE_EMULATOR_HOST") or not token:
        return firestore.Client(project=project, database=database)
    credentials = Credentials(token)  # type: ignore[no-untyped-call] # google-auth is not typed here
    options = ClientOptions(quota_project_id=project)
    return firestore.Client(
        project=project,
        database=database,
        credentials=credentials,
        client_options=options,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--database", default="(default)")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument(
        "--changes", type=Path, help="a file that gets a line for each record written"
    )
    arguments = parser.parse_args()
    try:
        written = write_missing(
            connect(arguments.project, arguments.database), arguments.dry_run
        )
    except GoogleAPIError as error:
        sys.exit(
            f"\ndeploy.sh: The default records could not be written ({type(error).__name__}): "
            "you need roles/datastore.user; run the same command again once you have it."
        )
    for path in written:
        print(
            f"  would write {path}"
            if arguments.dry_run
            else f"  write the record {path}: done"
        )
    if arguments.changes:
        with arguments.changes.open("a") as changes:
            changes.writelines(f"write {path}\n" for path in written)


if __name__ == "__main__":
    main()
