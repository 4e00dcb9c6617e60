"""Stands for Cloud Scheduler in a storm: calls the sweep more often than once a minute, and adds up what it mended."""

import http.client
import threading
import time
from collections import Counter

from local import raw_http

_AT_ONCE = 2


class Sweeps:
    """POSTs to the sweep's address every so many seconds.

    A run goes on for up to 45 s as long as there is something to do, so few of those that begin in a storm end in it.

    The scheduler's next minute may begin before a run of up to 60 s has ended, so two runs may overlap and never more.
    """

    def __init__(self, url: str, every: float) -> None:
        self.url = url
        self.every = every
        self.begun = self.runs = 0
        self.seconds: list[float] = []  # that each run took
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self.is_down = False  # while it is, none begins
        self.mended: Counter[str] = Counter()
        self._over = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def once(self) -> Counter[str] | None:
        """One run; what it repaired, or None if it did not finish."""
        began = time.monotonic()
        self.begun += 1
        try:
            answer = raw_http.send("POST", self.url)
        except (OSError, http.client.HTTPException):
            return None
        if answer.status_code != 200:
            return None
        self.runs += 1
        self.seconds.append(time.monotonic() - began)
        mended = Counter(answer.get_json()["mended"])
        self.mended += mended
        return mended

    def _run(self) -> None:
        while not self._over.wait(self.every):
            if not self.is_down and self._slots.acquire(blocking=False):
                threading.Thread(target=self._one_of_several, daemon=True).start()

    def _one_of_several(self) -> None:
        try:
            self.once()
        finally:
            self._slots.release()
