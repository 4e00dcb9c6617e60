"""Measures how long one read of Firestore takes while a storm runs: what the order of the queue is judged by."""

import threading
import time

from google.api_core.exceptions import GoogleAPIError
from google.cloud import firestore

_EVERY = 0.25  # seconds
_OF_A_CLAIM = (
    4  # round trips from the look at the queue to the commit, the slowest path
)
_LEAST = 0.5  # seconds


class RoundTrips:
    """Reads one document again and again."""

    def __init__(self, db: firestore.Client) -> None:
        self._reference = db.document("settings/routing")
        self._seconds: list[float] = []
        self._over = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    @property
    def of_a_claim(self) -> float:
        """Seconds that a claim may take on this machine under this load, from its look at the queue to its commit."""
        if not self._seconds:
            return _LEAST
        slow = sorted(self._seconds)[len(self._seconds) * 95 // 100]
        return max(_LEAST, _OF_A_CLAIM * slow)

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            began = time.monotonic()
            try:
                self._reference.get()
            except GoogleAPIError:
                continue
            self._seconds.append(time.monotonic() - began)
