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
from typing import TypeVar

from domain.conversation import QUEUED, Conversation
from domain.worker import Worker
from providers import clock, database, log

T = TypeVar("T")
R = TypeVar("R")
Else = TypeVar("Else")
AT_A_TIME = 8  # records in hand at one moment; each makes one call to Twilio at a time
MARGIN = 2.0  # seconds of a part's time that must be left to begin another record


class Run:
    """`mended` and `failed` are counted per kind. `waiting_since`: the arrival of who waits longest; None: nobody.

    `unfinished`: parts that had more to do when their time was over. `pools`, `freed`: pools in which conversations
    wait since this run, and workers who lost one, for whom the queue is still to be looked at. `services`: those of the
    conversations that were compared with Twilio.
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
        """What runs inside belongs to this part and has so much time."""
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
        """The part that sees to the queue lets workers of its pool pull, and the worker who has a free slot now."""
        with self._lock:
            if waiting.state == QUEUED:
                self.pools |= {
                    name for name in (waiting.pool, *waiting.open_to) if name
                }
            if freed:
                self.freed[freed.identity] = freed

    def take_pools_and_freed(self) -> tuple[set[str], list[Worker]]:
        """What `look_for_workers` has collected; from now on it begins again."""
        pools, freed = self.pools, list(self.freed.values())
        self.pools, self.freed = set(), {}
        return pools, freed

    def note(self, kind: str, number: int = 1) -> None:
        if number:
            with self._lock:
                self.mended[kind] += number

    def is_time_over(self, margin: float = MARGIN) -> bool:
        """Whether the part must not begin anything more; if so, it counts as unfinished."""
        if clock.is_time_over(margin):
            self.unfinished.add(self._part)
            return True
        return False

    def in_time(self, records: Iterable[T], margin: float = MARGIN) -> Iterator[T]:
        """One after the other, while more than `margin` seconds of the part are left."""
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

        Return those that were begun, each with its result.
        """
        threads, slots = self._started_threads(), threading.BoundedSemaphore(AT_A_TIME)
        begun: list[tuple[T, Future[R | Else]]] = []
        try:
            for record in records:
                slots.acquire()
                if self.is_time_over() or any(
                    f.done() and f.exception() for _, f in begun[-AT_A_TIME:]
                ):
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
        """What `act` returns; if it fails, this is logged with its name, counted, and `otherwise` is returned.

        A call to Firestore that was cut off because the part's time was over is no failure: the next run goes on. What
        Firestore itself fails with is logged without a traceback, as everywhere.
        """
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - one odd record must not keep the others from being mended
            if clock.is_time_over() and database.trouble(error):
                self.unfinished.add(self._part)
                log.warning(
                    f"The sweep's time was over at {what} {which}; the next run goes on with it."
                )
                return otherwise
            with self._lock:
                self.failed[what] += 1
            sentence = f"The sweep could not see to {what} {which}"
            if trouble := database.trouble(error):
                log.error(f"{sentence}: it {trouble}")
            else:
                log.crash(f"{sentence}; it goes on with the rest.")
            return otherwise

    def _started_threads(self) -> ThreadPoolExecutor:
        """Made by the first part that needs them: a run without work starts none."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="sweep")
        return self._threads


def share(
    name: str, names: Sequence[str], kept: Mapping[str, float], ends: float
) -> float:
    """Seconds for one part: what is left of the run but for what is kept for the parts after it.

    In a run that is too short for all, a part gets no more than is kept for it.
    """
    left = ends - time.monotonic()
    later = sum(kept.get(other, 0.0) for other in names[names.index(name) + 1 :])
    return max(left - later, min(kept.get(name, 0.0), left))
