"""Runs jobs on threads: those of one line one after the other, different lines side by side."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor

Job = Callable[[], None]


class OrderedJobs:
    """A thread pool with order. A line of None means no order."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="webhook")
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[tuple[Job, Future[None]]]] = {}
        self._open: set[Future[None]] = set()
        self._is_stopped = False

    def submit(self, line: str | None, job: Job) -> "Future[None]":
        future: Future[None] = Future()
        with self._lock:
            if self._is_stopped:
                future.cancel()
                return future
            self._open.add(future)
            if line is None:
                self._pool.submit(self._run, job, future)
                return future
            waiting = self._waiting.get(line)
            if waiting is not None:
                waiting.append((job, future))
                return future
            self._waiting[line] = deque([(job, future)])
            self._pool.submit(self._next, line)
        return future

    def later(self, seconds: float, job: Job) -> "Future[None]":
        """Runs a job on a thread of its own after a while; it may wait for jobs of the pool."""
        future: Future[None] = Future()
        with self._lock:
            self._open.add(future)
        timer = threading.Timer(seconds, self._run, (job, future))
        timer.daemon = True
        timer.start()
        return future

    def _next(self, line: str) -> None:
        with self._lock:
            job, future = self._waiting[line][0]
        self._run(job, future)
        with self._lock:
            self._waiting[line].popleft()
            if self._waiting[line]:
                self._pool.submit(self._next, line)
            else:
                del self._waiting[line]

    def _run(self, job: Job, future: "Future[None]") -> None:
        try:
            job()
        finally:
            with self._lock:
                self._open.discard(future)
            with contextlib.suppress(InvalidStateError):  # given up by `stop`
                future.set_result(None)

    def unfinished(self) -> "list[Future[None]]":
        with self._lock:
            return list(self._open)

    def stop(self) -> None:
        """Gives up what is under way; a job that is submitted afterwards is given up at once."""
        with self._lock:
            self._is_stopped = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for future in self.unfinished():
            future.cancel()
