"""The seam for fault injection: where a test interrupts the service, between any two of its steps.

A step is a commit to Firestore or a call to Twilio; nothing else that the service does can be seen from outside.
Whoever dies, loses an answer or is overtaken right before or right after the n-th step, for every n, has been
interrupted everywhere. It lies in the two clients through which the service speaks, Google's and the SDK's, so
nothing that is deployed knows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from google.cloud.firestore import WriteBatch

from providers import database, twilio

COMMITTING, COMMITTED = "before a commit", "after a commit"
CALLING, CALLED = "before a call to Twilio", "after a call to Twilio"


class Crash(BaseException):
    """The process is gone: no handler of errors may see it, so it is not an Exception."""


@contextmanager
def interrupted_by(interrupt: Callable[[str], None]) -> Iterator[None]:
    """Inside, every commit and call of this process' service calls `interrupt` before and after, which may raise or do
    something in between."""

    class Batch(WriteBatch):
        def commit(self, *args: Any, **bounds: Any) -> Any:
            interrupt(COMMITTING)
            written = super().commit(*args, **bounds)
            interrupt(COMMITTED)
            return written

    def request(*args: Any, **more: Any) -> Any:
        interrupt(CALLING)
        try:
            return usual(*args, **more)
        finally:
            interrupt(CALLED)

    firestore: Any = database.client()
    sdk: Any = twilio.client()
    before, firestore.batch = firestore.batch, lambda: Batch(firestore)
    usual, sdk.request = sdk.request, request
    try:
        yield
    finally:
        firestore.batch, sdk.request = before, usual
