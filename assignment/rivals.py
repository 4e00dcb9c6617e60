"""Which workers this instance is claiming just now, so that several webhooks at once choose different ones.

Only a hint that saves lost races: what keeps a worker from being given away twice is each claim's compare-and-set.
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

_MOST = 15  # rivals to look past, so that nobody reads more than 16 workers
_REMEMBERED = 10.0  # seconds; whoever looked before that has lost the race already
_lock = threading.Lock()
_choosing: Counter[str] = (
    Counter()
)  # by pool: how many are between their look and their claim
_claimed: dict[
    str, float
] = {}  # by identity: when their last claim was over; infinite: not yet


@dataclass
class Choice:
    """One conversation's choice among the workers whom it finds free; `rivals` are making theirs meanwhile."""

    rivals: int
    looked_at: float
    mine: str | None = None

    def first(self, free: Sequence[Worker]) -> Worker:
        """The first whose record nobody here is changing or has changed since this choice began; else any."""
        with _lock:
            untouched = (
                one for one in free if _claimed.get(one.identity, 0.0) < self.looked_at
            )
            worker = next(untouched, None) or random.choice(free)  # noqa: S311 - no secret
            self.mine = worker.identity
            _claimed[self.mine] = float("inf")
            return worker


@contextmanager
def choosing(pool: str) -> Iterator[Choice]:
    """From before the look at the pool's workers until the claim: its `rivals` do the same in this moment."""
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
            forgotten = (
                time.monotonic() - _REMEMBERED
            )  # what no choice that is still being made could want to know
            for identity in [one for one, over in _claimed.items() if over < forgotten]:
                del _claimed[identity]
            if choice.mine:
                _claimed[choice.mine] = time.monotonic()
