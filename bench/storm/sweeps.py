"""Stands for Cloud Scheduler in a storm: calls the sweep more often than once a minute, and adds up what it mended."""

import http.client
import threading
from collections import Counter

from local import raw_http


class Sweeps:
    """POSTs to the sweep's address every so many seconds; runs may overlap."""

    def __init__(self, url: str, every: float) -> None:
        self.url = url
        self.every = every
        self.runs = 0
        self.is_down = False  # while it is, none begins
        self.mended: Counter[str] = Counter()
        self._over = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def once(self) -> Counter[str] | None:
        """One run; what it mended, or None if nobody answered."""
        try:
            answer = raw_http.send("POST", self.url)
        except (OSError, http.client.HTTPException):
            return None
        if answer.status_code != 200:
            return None
        self.runs += 1
        mended = Counter(answer.get_json()["mended"])
        self.mended += mended
        return mended

    def _run(self) -> None:
        while not self._over.wait(self.every):
            if not self.is_down:
                threading.Thread(target=self.once, daemon=True).start()
