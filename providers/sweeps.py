"""How far the sweep has come: one record, service/sweep, so that the next run goes on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.fields import Fields
from providers import database


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
    frontline_after: str | None = None
    asked: tuple[str, ...] = ()
    listed_since: datetime | None = None
    templates_checked_at: datetime | None = None
    problem: str | None = None


def _parse(name: str, data: Mapping[str, Any] | None, version: object = None) -> Progress:
    """What makes no sense counts as a round's beginning; the run's end writes the record anew."""
    fields = Fields(data)
    names = ("queue_after", "log_after", "worker_after", "truth_after", "asleep_after", "frontline_after")
    stands = {name: fields.record_name(name) for name in names}
    return Progress(
        **stands,
        listed_since=fields.time("listed_since"),
        templates_checked_at=fields.time("templates_checked_at"),
        asked=fields.texts("asked"),
    )


_SERVICE = database.Collection("service", _parse)


def load() -> Progress:
    return _SERVICE.load("sweep")


def save(progress: Progress, started: datetime, mended: Mapping[str, int]) -> None:
    """Overlapping runs overwrite each other's progress: a stretch is then looked at twice, none is left out
    for longer than a round."""
    told = {"asked": list(progress.asked), "last_run_at": started, "last_mended": dict(mended)}
    batch = database.client().batch()
    batch.set(_SERVICE.reference("sweep"), vars(progress) | told)
    database.commit(batch)
