"""The workers that this instance is currently claiming, so that concurrent webhooks choose different ones.

Only a hint that saves lost races: each claim's compare-and-set keeps a slot from being taken twice.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from domain.worker import Worker

_MOST = 15  # rivals to look past, so that a choice reads at most 16 workers
_REMEMBERED = 10.0  # seconds; a choice that began earlier has lost the race already
_lock = threading.Lock()
_choosing: Counter[str] = Counter()  # by pool: choices between the look and the claim
_claimed: dict[
    str, float
] = {}  # by identity: when the last claim ended; infinite: not yet


@dataclass
class Choice:
    """One conversation's choice among free workers; `rivals`: how many others choose in this pool at the same time."""

    rivals: int
    looked_at: float
    identity: str | None = None

    def first(self, free: Sequence[Worker]) -> Worker:
        """Return the first worker whose record this instance has not changed since this choice began; else any."""
        with _lock:
            untouched = (
                worker
                for worker in free
                if _claimed.get(worker.identity, 0.0) < self.looked_at
            )
            worker = next(untouched, None) or random.choice(free)  # noqa: S311 - no secret
            self.identity = worker.identity
            _claimed[self.identity] = float("inf")
            return worker


@contextmanager
def choosing(pool: str) -> Iterator[Choice]:
    """Span the time from the look at the pool's workers until the claim; yields the choice with its rivals."""
    with _lock:
        choice = Choice(min(_choosing[pool], _MOST), looked_at=time.monotonic())
        _choosing[pool] += 1
    try:
        yield choice
    finally:
        with _lock:
            _choosing[pool] -= 1
            if _choosing[pool] == 0:
                del _choosing[pool]
            _forget_old_claims()
            if choice.identity:
                _claimed[choice.identity] = time.monotonic()


def _forget_old_claims() -> None:
    """Remove claims that ended before any choice still being made began. The caller holds the lock."""
    oldest = time.monotonic() - _REMEMBERED
    for identity, ended_at in list(_claimed.items()):
        if ended_at < oldest:
            del _claimed[identity]
