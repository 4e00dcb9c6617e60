"""Conversations at Twilio that have yet to be examined: service/found/backlog, one small record each.

A record is written before its conversation is examined and removed afterwards, so that a crash leaves it to the sweep.
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
    """One conversation. `created_at`: the time since which its customer has been waiting, as far as is known.

    `failures`: how often Twilio failed to answer about it while it answered about others.
    """

    sid: str
    service_sid: str | None
    created_at: datetime
    failures: int = 0
    problem: str | None = None


def _parse(sid: str, data: Mapping[str, Any] | None, version: object = None) -> Entry:
    """Read an entry; one without a valid time counts as new."""
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
    """Return the oldest entries created since then. An entry without a time is not returned."""
    later = [("created_at", ">=", since)] if since else []
    entries = _BACKLOG.find(later, ("created_at",), limit)
    return [entry for entry in entries if _CONVERSATION.fullmatch(entry.sid)]


def add(entries: Collection[Entry]) -> None:
    """Write these entries, 500 at most."""
    if entries:
        batch = database.client().batch()
        for entry in entries:
            fields = {"service_sid": entry.service_sid, "created_at": entry.created_at}
            batch.set(
                _BACKLOG.reference(entry.sid), fields | {"failures": entry.failures}
            )
        database.commit(batch)


def remove(sids: Collection[str]) -> None:
    """Remove these entries, 500 at most."""
    if sids:
        batch = database.client().batch()
        for sid in sids:
            batch.delete(_BACKLOG.reference(sid))
        database.commit(batch)
