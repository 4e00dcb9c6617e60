"""What only the history shows: every commit in its order, from the emulator's own events, replayed and checked.

Written from the contract alone, as bench/invariants.py. A conversation's record and its worker's record that
one commit wrote carry the same update time: that is how a claim is seen together with the count it took.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from google.events.cloud import firestore as firestore_events

from bench.invariants import HELD, Breach, Record, capacity, held_by, is_for
from functions.door.trigger import unpack
from local.triggers import Event, Triggers

PATTERNS = {
    "journal_workers": "workers/{identity}",
    "journal_conversations": "conversations/{sid}",
    "journal_pools": "pools/{pool}",
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
        written = sorted((w for w in map(_written, events) if w is not None), key=lambda w: w.at)
        return [list(group) for _, group in groupby(written, key=lambda w: w.at)]


@dataclass(frozen=True)
class Tolerance:
    """How far the order of the queue may be off: `crowd` entries that had waited for `settled` at least.

    One delivery at a time takes exactly the oldest. Many at once spread over the first few, so as not to
    race for one entry again and again.
    """

    crowd: int = 1
    settled: timedelta = timedelta()


def broken(commits: list[list[Written]], tolerance: Tolerance | None = None) -> list[Breach]:
    """Every breach of invariants 4, 5 and 7 at any commit."""
    replay = Replay(tolerance or Tolerance())
    return [breach for commit in commits for breach in replay.step(commit)]


class Replay:
    """The state of the database, commit by commit."""

    def __init__(self, tolerance: Tolerance) -> None:
        self.tolerance = tolerance
        self.documents: dict[str, dict[str, Record]] = {"workers": {}, "conversations": {}, "pools": {}}
        self._queued_since: dict[str, datetime] = {}

    def step(self, commit: list[Written]) -> list[Breach]:
        claims = [w for w in commit if w.collection == "conversations" and _is_claim(w)]
        taken_over = [breach for claim in claims for breach in self._out_of_turn(claim, commit)]
        for written in commit:
            self.documents[written.collection][written.name] = written.after
            self._note_queue(written)
        too_much = [breach for claim in claims for breach in self._too_much(claim, commit)]
        return [*taken_over, *too_much, *self._miscounted(commit)]

    def _note_queue(self, written: Written) -> None:
        if written.collection != "conversations":
            return
        if written.after["state"] == "queued":
            self._queued_since.setdefault(written.name, _moment(written.at))
        else:
            self._queued_since.pop(written.name, None)

    def _too_much(self, claim: Written, commit: list[Written]) -> Iterator[Breach]:
        """5: whom pool routing chose was exactly Available, and is not past capacity by it."""
        if not _by_pool(claim):
            return
        identity = claim.after["worker"]
        worker = _of(commit, identity)
        if worker is None or worker.get("status") != "Available":
            status = None if worker is None else worker.get("status")
            yield Breach(5, "unavailable", claim.name, f"was given to {identity}, whose status is {status!r}")
        elif worker["active"] > capacity(worker, self.documents["pools"]):
            sentence = f"makes {worker['active']} for {identity}"
            yield Breach(5, "over capacity", claim.name, sentence)

    def _out_of_turn(self, claim: Written, commit: list[Written]) -> Iterator[Breach]:
        """7: nobody who had waited longer, with the same priority or a larger one, could have gone to this worker."""
        if not _by_pool(claim):
            return
        identity, mine = claim.after["worker"], _turn(claim.before or claim.after)
        worker = _of(commit, identity) or {}
        latest = self._decided(claim) - self.tolerance.settled
        ahead = [
            since
            for sid, since in self._queued_since.items()
            if since <= latest and sid != claim.name and self._is_ahead(sid, mine, identity, worker)
        ]
        if len(ahead) >= self.tolerance.crowd:
            waited = (_moment(claim.at) - min(ahead)).total_seconds()
            sentence = f"went to {identity} before {len(ahead)} others, in the queue for up to {waited:.1f} s"
            yield Breach(7, "out of turn", claim.name, sentence)

    def _decided(self, claim: Written) -> datetime:
        """When the claim was decided on: its commit comes later, on a busy machine much later."""
        log = claim.after.get("log") or []
        committed = _moment(claim.at)
        if not self.tolerance.settled or not log:
            return committed
        decided: datetime = min(committed, log[-1]["at"])
        return decided

    def _is_ahead(self, sid: str, mine: tuple[int, datetime], identity: str, worker: Record) -> bool:
        record = self.documents["conversations"][sid]
        return _turn(record) < mine and is_for(record, identity, worker, now=None)

    def _miscounted(self, commit: list[Written]) -> Iterator[Breach]:
        """4: at every commit, not only in the end."""
        touched = {w.name for w in commit if w.collection == "workers" and w.after.get("active") is not None}
        if not touched:
            return
        held = held_by(self.documents["conversations"].values())
        for identity in touched:
            active = self.documents["workers"][identity]["active"]
            if active != len(held.get(identity, [])):
                sentence = f"holds {len(held.get(identity, []))}, but active became {active}"
                yield Breach(4, "miscounted", identity, sentence)


def _is_claim(written: Written) -> bool:
    """Whether this commit gave the conversation to a worker who is still to be added."""
    before, after = written.before or {}, written.after
    same = before.get("state") in HELD and before.get("worker") == after.get("worker")
    return after["state"] == "assigning" and not same


def _by_pool(claim: Written) -> bool:
    """Whether the pool's rules chose the worker: not a customer's own worker, nor one who is in it anyway."""
    before = claim.before or {}
    if before.get("state") == "inactive" and before.get("worker") == claim.after["worker"]:
        return False
    return before.get("state") == "queued" or claim.after.get("mode") == "pool"


def _turn(record: Record) -> tuple[int, datetime]:
    since = record.get("queued_at") or record.get("created_at") or datetime.max.replace(tzinfo=UTC)
    return (-int(record.get("priority") or 0), since)


def _of(commit: list[Written], identity: str) -> Record | None:
    return next((w.after for w in commit if w.collection == "workers" and w.name == identity), None)


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


def _written(event: Event) -> Written | None:
    data: Any = firestore_events.DocumentEventData()._pb
    data.ParseFromString(event.body)
    if not data.HasField("value"):
        return None
    change = unpack(event.body)
    after: Mapping[str, Any] = change.after or {}
    collection = event.document.partition("/")[0]
    return Written(data.value.update_time.ToNanoseconds(), collection, change.name, change.before, after)
