"""The `problem` field of a record: what could not be understood, told where the person looks who typed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers import database, log

if TYPE_CHECKING:
    from providers.database import Snapshot


def keep_true(snapshot: Snapshot, problem: str | None) -> None:
    """Writes the problem into the record, or takes it away once mended; nothing if it is there already."""
    from google.cloud.firestore import DELETE_FIELD

    data = snapshot.to_dict()
    if data is None or data.get("problem") == problem:
        return
    batch = database.client().batch()
    database.put(batch, snapshot.reference, {"problem": problem or DELETE_FIELD}, snapshot.update_time)
    try:
        database.commit(batch)
    except database.LostRace:
        return  # somebody is editing the record; the next reader looks again
    if problem:
        log.warning(f"The record {snapshot.reference.path} is not right: {problem}")
