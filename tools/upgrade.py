"""Prepares the records of an earlier version for this one; deploy.sh runs it before it deploys the functions.

Workers' records that exist count as confirmed: each gets `made_by` and `confirmed`. A name in a conversation that is
not over, without a worker's record, gets an entry in former_workers. The record service/upgrade says that this is done,
so that no later run confirms the record of a stranger: it is run once, and again only where it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from google.api_core.exceptions import AlreadyExists, GoogleAPIError, NotFound
from google.cloud.firestore import SERVER_TIMESTAMP, Client, FieldFilter

from domain.conversation import ASSIGNED, ASSIGNING, INACTIVE, QUEUED
from domain.worker import MAKERS, PERSON, former_name, is_identity, key_of
from tools.seed import connect

MARK = "service/upgrade"
_BEGAN, _DONE = "workers_began_at", "workers_done_at"
_PAGE = 300
_SECONDS = 60.0  # for one call
_NOT_OVER = (QUEUED, ASSIGNING, ASSIGNED, INACTIVE)


@dataclass
class Upgraded:
    """What one run has changed, or would change: paths of records."""

    was_done: bool = False
    confirmed: list[str] = field(default_factory=list)
    former: list[str] = field(default_factory=list)


def upgrade(db: Client, dry_run: bool = False) -> Upgraded:
    """Do what is not done yet. Safe to repeat and to interrupt."""
    done = Upgraded()
    mark = db.document(MARK).get(timeout=_SECONDS).to_dict() or {}
    if isinstance(mark.get(_DONE), datetime):
        done.was_done = True
        return done
    began = None if dry_run else _began(db)
    keys = set()
    for page in _pages(db.collection("workers")):
        keys |= {key_of(record.id) for record in page}
        done.confirmed += _confirm(
            db, [one for one in page if _is_old(one, began)], dry_run
        )
    done.former += _note_former(db, keys, dry_run)
    if not dry_run:
        db.document(MARK).update({_DONE: SERVER_TIMESTAMP}, timeout=_SECONDS)
    return done


def _began(db: Client) -> datetime:
    """When the first run began: a record that was made later is none of the earlier version's team."""
    reference = db.document(MARK)
    with suppress(AlreadyExists):
        reference.create({_BEGAN: SERVER_TIMESTAMP}, timeout=_SECONDS)
    began = (reference.get(timeout=_SECONDS).to_dict() or {}).get(_BEGAN)
    if isinstance(began, datetime):
        return began
    reference.set({_BEGAN: SERVER_TIMESTAMP}, merge=True, timeout=_SECONDS)
    return _began(db)


def _is_old(record: Any, began: datetime | None) -> bool:
    """Whether the record is older than the first run and has no valid `made_by`."""
    is_new = began is not None and record.create_time > began
    return not is_new and (record.to_dict() or {}).get("made_by") not in MAKERS


def _confirm(db: Client, records: list[Any], dry_run: bool) -> list[str]:
    for record in () if dry_run else records:
        says = isinstance((record.to_dict() or {}).get("confirmed"), bool)
        fields = {"made_by": PERSON} | ({} if says else {"confirmed": True})
        try:
            record.reference.update(fields, timeout=_SECONDS)
        except NotFound:
            continue  # deleted a moment ago
    return [f"workers/{record.id}" for record in records]


def _note_former(db: Client, keys: set[str], dry_run: bool) -> list[str]:
    """Names in conversations that are not over, of which no worker's record is."""
    paths = []
    for name in sorted(_named(db)):
        if not is_identity(name) or key_of(name) in keys:
            continue
        path = f"former_workers/{former_name(name)}"
        paths.append(path)
        if not dry_run:
            db.document(path).set(
                {"identity": name, "at": SERVER_TIMESTAMP}, timeout=_SECONDS
            )
    return paths


def _named(db: Client) -> set[str]:
    query = db.collection("conversations").where(
        filter=FieldFilter("state", "in", list(_NOT_OVER))
    )
    return {
        name
        for page in _pages(query.select(["worker", "others"]))
        for one in page
        for name in _names(one)
    }


def _names(conversation: Any) -> Iterator[str]:
    data = conversation.to_dict() or {}
    others = data.get("others")
    for name in (data.get("worker"), *(others if isinstance(others, list) else ())):
        if isinstance(name, str):
            yield name


def _pages(query: Any) -> Iterator[list[Any]]:
    """All records of the query, some at a time, in the order of their names."""
    last = None
    ordered = query.order_by("__name__").limit(_PAGE)
    while page := list(
        (ordered.start_after(last) if last else ordered).stream(timeout=_SECONDS)
    ):
        yield page
        last = page[-1]


def _told(done: Upgraded, dry_run: bool) -> Iterable[str]:
    if done.confirmed:
        yield f"confirm {len(done.confirmed)} workers' records of the earlier version"
    if done.former:
        yield f"note {len(done.former)} former workers: {', '.join(map(ascii, done.former[:5]))}"
    if not done.was_done and not dry_run:
        yield f"write the record {MARK}"


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.upgrade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--project", required=True)
    parser.add_argument("--database", default="(default)")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and do nothing"
    )
    parser.add_argument(
        "--changes", type=Path, help="a file that gets a line for each kind of change"
    )
    arguments = parser.parse_args(words)
    print("  look for workers' records of an earlier version", flush=True)
    try:
        done = upgrade(
            connect(arguments.project, arguments.database), arguments.dry_run
        )
    except GoogleAPIError as error:
        sys.exit(
            f"\ndeploy.sh: The records could not be prepared for this version ({type(error).__name__}): "
            "you need roles/datastore.user; run the same command again once you have it."
        )
    lines = list(_told(done, arguments.dry_run))
    for line in lines:
        print(f"  would {line}" if arguments.dry_run else f"  {line}: done")
    if arguments.changes:
        with arguments.changes.open("a") as changes:
            changes.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
