"""The seam for fault injection: where a test interrupts the service, between any two of its steps.

A step is a commit to Firestore or a call to Twilio; nothing else that the service does can be seen from
outside. Whoever dies, loses an answer or is overtaken right before or right after the n-th step, for every n,
has been interrupted everywhere. Unless a test is inside `interrupted_by`, `point` does nothing; no setting
and no environment variable turns it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

COMMITTING, COMMITTED = "before a commit", "after a commit"
CALLING, CALLED = "before a call to Twilio", "after a call to Twilio"

_interrupt: Callable[[str], None] | None = None


class Crash(BaseException):
    """The process is gone: no handler of errors may see it, so it is not an Exception."""


def point(where: str) -> None:
    """Called before and after each step."""
    if _interrupt is not None:
        _interrupt(where)


@contextmanager
def interrupted_by(interrupt: Callable[[str], None]) -> Iterator[None]:
    """Inside, every point of this process calls `interrupt`, which may raise or do something in between."""
    global _interrupt
    before, _interrupt = _interrupt, interrupt
    try:
        yield
    finally:
        _interrupt = before
