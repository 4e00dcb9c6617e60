"""Stands for Cloud Scheduler: calls the sweep again and again."""

import http.client
import threading

from local import raw_http


class Scheduler:
    """POSTs to `url` every `seconds` until stopped; an answer that fails is left to the next call."""

    def __init__(self, url: str, seconds: float) -> None:
        self.url = url
        self.seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> "Scheduler":
        """Begin; the first call comes after `seconds`."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Make no further call."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self.seconds):
            try:
                raw_http.send("POST", self.url)
            except (OSError, http.client.HTTPException):
                continue
