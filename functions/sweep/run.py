"""One run of the sweep: its time, its threads, what it repaired, and what failed without holding up the rest."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime
from typing import Any, TypeVar

from domain.conversation import QUEUED, Conversation
from domain.worker import Worker
from providers import clock, database, log

T = TypeVar("T")
R = TypeVar("R")
Else = TypeVar("Else")
AT_A_TIME = 8  # records in hand at one moment; each makes one call to Twilio at a time
MARGIN = 2.0  # seconds of a part's time that must be left to begin another record


class Run:
    """One run's counters and threads.

    `mended` and `failed`: numbers per kind. `waiting_since`: when the longest-waiting customer arrived, None if no
    customer waits. `unfinished`: parts with work left when their time was over. `pools`, `freed`: pools with
    conversations that were queued in this run, and workers that lost one, for the queue's part to look at. `services`:
    the services of the conversations that were compared with Twilio.
    """

    def __init__(self) -> None:
        self.started = clock.now()
        self.mended = Counter[str]()
        self.failed = Counter[str]()
        self.waiting_since: datetime | None = None
        self.unfinished: set[str] = set()
        self.pools: set[str] = set()
        self.freed: dict[str, Worker] = {}
        self.services: set[str] = set()
        self._part = ""
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    @contextmanager
    def part(self, name: str, seconds: float) -> Iterator[None]:
        """Give what runs inside to this part, with a limit in seconds."""
        self._part = name
        self.unfinished.discard(name)
        with clock.within(seconds):
            yield

    def close(self) -> None:
        """End the threads; the run's last step."""
        if self._threads:
            self._threads.shutdown()

    def look_for_workers(
        self, waiting: Conversation, freed: Worker | None = None
    ) -> None:
        """Have the queue's part look for workers for this conversation, and for work for the freed worker."""
        with self._lock:
            if waiting.state == QUEUED:
                self.pools.update(filter(None, (waiting.pool, *waiting.open_to)))
            if freed:
                self.freed[freed.identity] = freed

    def take_pools_and_freed(self) -> tuple[set[str], list[Worker]]:
        """Return what `look_for_workers` has collected since the last call."""
        pools, freed = self.pools, list(self.freed.values())
        self.pools, self.freed = set(), {}
        return pools, freed

    def note(self, kind: str, number: int = 1) -> None:
        """Count repairs of this kind; 0 leaves no entry."""
        if number:
            with self._lock:
                self.mended[kind] += number

    def is_time_over(self, margin: float = MARGIN) -> bool:
        """Return whether the part must not begin anything more; if so, it counts as unfinished."""
        if clock.is_time_over(margin):
            self.unfinished.add(self._part)
            return True
        return False

    def in_time(self, records: Iterable[T], margin: float = MARGIN) -> Iterator[T]:
        """Yield the records, while more than `margin` seconds of the part are left."""
        for record in records:
            if self.is_time_over(margin):
                return
            yield record

    def each(
        self,
        records: Iterable[T],
        what: str,
        name: Callable[[T], str],
        act: Callable[[T], R],
        otherwise: Else,
    ) -> list[tuple[T, R | Else]]:
        """Act on the records, 8 at a time, in their order, each shielded, while the part has time.

        Return those that were begun, each with its result. `what` and `name`: see `shielded`.
        """
        threads, slots = self._started_threads(), threading.BoundedSemaphore(AT_A_TIME)
        begun: list[tuple[T, Future[R | Else]]] = []
        try:
            for record in records:
                slots.acquire()
                latest = [future for _, future in begun[-AT_A_TIME:]]
                if self.is_time_over() or any(map(_has_failed, latest)):
                    break
                acting = copy_context().run
                future = threads.submit(
                    acting, self._acted, what, name, act, otherwise, record
                )
                future.add_done_callback(lambda _: slots.release())
                begun.append((record, future))
        finally:
            wait([future for _, future in begun])
        return [(record, future.result()) for record, future in begun]

    def _acted(
        self,
        what: str,
        name: Callable[[T], str],
        act: Callable[[T], R],
        otherwise: Else,
        record: T,
    ) -> R | Else:
        return self.shielded(what, name(record), lambda: act(record), otherwise)

    def shielded(
        self, what: str, which: str, act: Callable[[], T], otherwise: Else
    ) -> T | Else:
        """Return what `act` returns; if it fails, log and count the failure and return `otherwise`.

        `what` and `which`: the kind of record and its name, for the log. A call to Firestore that was cut off because
        the part's time was over is no failure: the next run goes on. A failure of Firestore itself is logged without
        a traceback.
        """
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - one bad record must not stop the repair of the others
            trouble = database.trouble(error)
            if trouble and clock.is_time_over():
                self.unfinished.add(self._part)
                log.warning(
                    f"The sweep's time was over at {what} {which}; the next run goes on with it."
                )
                return otherwise
            with self._lock:
                self.failed[what] += 1
            sentence = f"The sweep could not see to {what} {which}"
            if trouble:
                log.error(f"{sentence}: it {trouble}")
            else:
                log.crash(f"{sentence}; it goes on with the rest.")
            return otherwise

    def _started_threads(self) -> ThreadPoolExecutor:
        """Return the threads, started by the first part that needs them: a run without work starts none."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="sweep")
        return self._threads


def _has_failed(future: Future[Any]) -> bool:
    return future.done() and future.exception() is not None


def share(
    name: str, names: Sequence[str], kept: Mapping[str, float], ends: float
) -> float:
    """Return the seconds for one part: what is left of the run, less what is reserved for the parts after it.

    `names`: the parts in order; `kept`: the seconds reserved for each; `ends`: by time.monotonic(). In a run that is
    too short for all, a part gets no more than its own reserve.
    """
    left = ends - time.monotonic()
    later = sum(kept.get(other, 0.0) for other in names[names.index(name) + 1 :])
    return max(left - later, min(kept.get(name, 0.0), left))


def next_after(names: Sequence[str], last: str | None, at_once: int) -> str | None:
    """Return where the next run goes on in a round through all records; None: at the beginning.

    `names`: the records that this run has read, of at most `at_once`; `last`: the last one that it has looked at.
    """
    if len(names) == at_once:
        return last
    is_round_over = not names or last == names[-1]
    return None if is_round_over else last
