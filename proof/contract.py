"""The contract in the words of both checkers: what a breach is, who holds what, who is free, and for whom.

Written from the contract alone: nothing of the service is imported.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Record = Mapping[str, Any]
HELD = ("assigning", "assigned")
DEFAULT_CAPACITY = 5


@dataclass(frozen=True)
class Breach:
    """One invariant that does not hold: its number in the contract, of what, and a sentence."""

    invariant: int
    kind: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        return (
            f"invariant {self.invariant}, {self.kind}: {self.subject} {self.sentence}"
        )


def held_by(records: Iterable[Record]) -> dict[str, list[Record]]:
    held: dict[str, list[Record]] = {}
    for record in records:
        if record["state"] in HELD:
            held.setdefault(str(record["worker"]), []).append(record)
    return held


def is_confirmed(worker: Record | None) -> bool:
    """Whether this record lets a worker sign in and be assigned customers: a person's does, unless it says otherwise;
    one that the service made needs `confirmed: true`."""
    if worker is None:
        return False
    by_a_person = worker.get("made_by") == "person" or (
        "made_by" not in worker and "key" not in worker
    )
    if worker.get("confirmed") is None:
        return by_a_person or worker.get("made_by") == "frontline"
    return worker["confirmed"] is True


def is_free(worker: Record, pools: Mapping[str, Record]) -> bool:
    return (
        is_confirmed(worker)
        and worker.get("status") == "Available"
        and (worker.get("active") or 0) < capacity(worker, pools)
    )


def is_for(entry: Record, identity: str, worker: Record, now: datetime | None) -> bool:
    """Whether what waits may go to this worker; without `now` an exclusion never lapses.

    `entry` of the queue or record of the log. One that needs a person goes to no worker.
    Who waits for one worker alone may go to nobody else; who has waited long
    enough also to the workers of the pools to which it is open.
    """
    if entry.get("needs_person"):
        return False
    alone = entry.get("for_worker")
    if alone not in (None, identity):
        return False
    if alone is None and not {entry["pool"], *(entry.get("open_to") or ())} & set(
        worker.get("pools") or ()
    ):
        return False
    until = entry.get("excluded_until")
    lapsed = now is not None and until is not None and until <= now
    return lapsed or identity not in (entry.get("excluded_workers") or ())


def capacity(worker: Record, pools: Mapping[str, Record]) -> float:
    """The worker's own, else the largest of their pools'; null is no limit, a pool without one has 5."""
    own = _limit(worker)
    if own is not None:
        return own
    of_pools = [_limit(pools.get(name, {})) for name in worker.get("pools") or ()]
    return max(
        (DEFAULT_CAPACITY if one is None else one for one in of_pools),
        default=DEFAULT_CAPACITY,
    )


def _limit(record: Record) -> float | None:
    """What the record says; None if it says nothing, or what makes no sense."""
    value = record.get("capacity", "left out")
    if value is None:
        return float("inf")
    return value if isinstance(value, int) and value >= 0 else None
