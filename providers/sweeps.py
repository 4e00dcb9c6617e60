"""How far the sweep has come: one record, service/sweep, so that the next run goes on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from domain.fields import Fields
from providers import database

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference


@dataclass(frozen=True)
class Progress:
    """Where each round stands: the last record's name that was looked at; None at a round's beginning.

    `listed_since`: conversations that began at Twilio before this have been looked for.
    `asked`: those begun since then that need nobody, so that the others get their turn.
    """

    queue_after: str | None = None
    log_after: str | None = None
    worker_after: str | None = None
    truth_after: str | None = None
    asleep_after: str | None = None
    asked: tuple[str, ...] = ()
    listed_since: datetime | None = None


def reference() -> DocumentReference:
    return database.document("service", "sweep")


def load() -> Progress:
    fields = Fields(database.read(reference())[0].to_dict())
    names = ("queue_after", "log_after", "worker_after", "truth_after", "asleep_after")
    return Progress(
        **{name: fields.record_name(name) for name in names},
        listed_since=fields.time("listed_since"),
        asked=fields.texts("asked"),
    )


def save(progress: Progress, started: datetime, mended: Mapping[str, int]) -> None:
    """Overlapping runs overwrite each other's progress: a stretch is then looked at twice, none is left out
    for longer than a round."""
    batch = database.client().batch()
    batch.set(
        reference(),
        vars(progress) | {"asked": list(progress.asked), "last_run_at": started, "last_mended": dict(mended)},
    )
    database.commit(batch)
