"""Conversations that Twilio has and that are still to be looked at: service/found/backlog, one small record each.

A record is written before its conversation is looked at and removed afterwards, so that a crash leaves it to the sweep.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.fields import Fields
from providers import clock, database

_CONVERSATION = re.compile("CH[0-9a-fA-F]{32}")


@dataclass(frozen=True)
class Entry:
    """One conversation; `created_at`: since when its customer waits, as far as is known.

    `failures`: how often Twilio did not answer about it while it answered about others.
    """

    sid: str
    service_sid: str | None
    created_at: datetime
    failures: int = 0
    problem: str | None = None


def _parse(sid: str, data: Mapping[str, Any] | None, version: object = None) -> Entry:
    """An entry without a valid time is looked at first."""
    read = Fields(data)
    created_at = read.time("created_at") or clock.now()
    return Entry(
        sid,
        read.sid("service_sid", "IS"),
        created_at,
        read.whole("failures", default=0, least=0),
    )


_BACKLOG = database.Collection("service/found/backlog", _parse)


def oldest(limit: int, since: datetime | None = None) -> list[Entry]:
    """The oldest entries, from this moment on; one whose time was edited away is left alone."""
    later = [("created_at", ">=", since)] if since else []
    found = _BACKLOG.find(later, ("created_at",), limit)
    return [entry for entry in found if _CONVERSATION.fullmatch(entry.sid)]


def add(entries: Collection[Entry]) -> None:
    """Writes them, 500 at most."""
    if entries:
        batch = database.client().batch()
        for entry in entries:
            fields = {"service_sid": entry.service_sid, "created_at": entry.created_at}
            batch.set(
                _BACKLOG.reference(entry.sid), fields | {"failures": entry.failures}
            )
        database.commit(batch)


def remove(sids: Collection[str]) -> None:
    """Removes them, 500 at most."""
    if sids:
        batch = database.client().batch()
        for sid in sids:
            batch.delete(_BACKLOG.reference(sid))
        database.commit(batch)
