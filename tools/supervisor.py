"""Makes a worker a supervisor: makes the record `workers/ADDRESS`, or changes only these fields of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    GoogleAPIError,
    NotFound,
)
from google.cloud import firestore

from domain.worker import key_of
from tools.seed import connect

FIELDS = {"role": "supervisor", "confirmed": True, "made_by": "person"}
_TRIES = 5


def make_supervisor(
    db: firestore.Client, address: str, dry_run: bool = False
) -> str | None:
    """Return the path of the record that was (or would be) written, or None if it is a supervisor's already."""
    for _ in range(_TRIES):
        record = _record(db, address)
        fields = record.to_dict() or {}
        if {name: fields.get(name) for name in FIELDS} == FIELDS:
            return None
        if dry_run or _write(record):
            return str(record.reference.path)
    raise FailedPrecondition(f"the record of {address} changes all the time")  # type: ignore[no-untyped-call] # untyped


def _record(db: firestore.Client, address: str) -> Any:
    """Return the record of exactly this name, else one whose name differs only in its spelling."""
    workers = db.collection("workers")
    exact = workers.document(address).get()
    if exact.exists:
        return exact
    condition = firestore.FieldFilter("key", "==", key_of(address))
    alike = list(workers.where(filter=condition).limit(1).stream())
    return alike[0] if alike else exact


def _write(record: Any) -> bool:
    """Write the fields if the record is still as it was read."""
    try:
        if record.exists:
            unchanged = firestore.Client.write_option(
                last_update_time=record.update_time
            )
            record.reference.update(FIELDS, option=unchanged)
        else:
            record.reference.create(FIELDS)
    except (AlreadyExists, FailedPrecondition, NotFound):
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--database", default="(default)")
    parser.add_argument("--supervisor", action="append", required=True)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument(
        "--changes", type=Path, help="a file that gets a line for each record written"
    )
    arguments = parser.parse_args()
    db = connect(arguments.project, arguments.database)
    for address in arguments.supervisor:
        try:
            path = make_supervisor(db, address, arguments.dry_run)
        except GoogleAPIError as error:
            sys.exit(
                f"\ndeploy.sh: {address} could not be made a supervisor ({type(error).__name__}): "
                "you need roles/datastore.user; run the same command again once you have it."
            )
        if path is not None:
            _say(path, arguments)


def _say(path: str, arguments: argparse.Namespace) -> None:
    if arguments.dry_run:
        print(f"  would make {path} a supervisor")
        return
    print(f"  make {path} a supervisor: done")
    if arguments.changes:
        with arguments.changes.open("a") as changes:
            changes.write(f"make {path} a supervisor\n")


if __name__ == "__main__":
    main()
