"""Every commit in its order, from the emulator's own events; proof/replay.py checks it.

A conversation's record and its worker's record that one commit wrote carry the same update time: that is how a
claim is seen together with the count it took.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from google.events.cloud import firestore as firestore_events

from functions.http.trigger import unpack
from local.triggers import Event, Triggers
from proof.contract import Record

PATTERNS = {
    "journal_workers": "workers/{identity}",
    "journal_conversations": "conversations/{sid}",
    "journal_pools": "pools/{pool}",
    "journal_queue": "pending_conversations/{sid}",
}


@dataclass(frozen=True)
class Written:
    """One document, before and after one commit."""

    at: int  # nanoseconds since 1970, Firestore's own time of the commit
    collection: str
    name: str
    before: Record | None
    after: Record


class Journal:
    """Takes the events of one project, from before its first write."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._lock = threading.Lock()

    def attach(self, triggers: Triggers, project: str) -> "Journal":
        for name, pattern in PATTERNS.items():
            triggers.attach(project, name, pattern, self._take)
        return self

    def _take(self, event: Event) -> int:
        with self._lock:
            self._events.append(event)
        return 200

    def commits(self) -> list[list[Written]]:
        """What each commit wrote, oldest first; deletions carry no time and are left out."""
        with self._lock:
            events = list(self._events)
        written = sorted(
            (w for w in map(_written, events) if w is not None), key=lambda w: w.at
        )
        return [list(group) for _, group in groupby(written, key=lambda w: w.at)]


def _written(event: Event) -> Written | None:
    data: Any = firestore_events.DocumentEventData()._pb
    data.ParseFromString(event.body)
    if not data.HasField("value"):
        return None
    change = unpack(event.body)
    after: Mapping[str, Any] = change.after or {}
    collection = event.document.partition("/")[0]
    return Written(
        data.value.update_time.ToNanoseconds(),
        collection,
        change.name,
        change.before,
        after,
    )
