"""Plays each flow twice, once to warm up, and writes as JSON which functions of the deployed code it entered.

It needs a process of its own: whoever records has to listen before the first thread of the service begins.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
from collections.abc import Callable
from types import FrameType

from local.functions import MAIN
from proof.flows.firm import ADDED, LEFT, QUIET, SALES, SERVICE, STATE, SUPPORT, Firm

DEPLOYED = ("main.py", "functions/", "assignment/", "domain/", "providers/")

Act = Callable[[], None]


class Recorder:
    """Listens in every thread that begins after it; `entered` is filled while it is `on`."""

    def __init__(self) -> None:
        self.on = False
        self.entered: set[tuple[str, str]] = set()  # file and qualified name
        self._root = f"{MAIN.parent}{os.sep}"
        threading.setprofile(self._heard)
        sys.setprofile(self._heard)

    def _heard(self, frame: FrameType, event: str, _: object) -> None:
        if (
            self.on
            and event == "call"
            and frame.f_code.co_filename.startswith(self._root)
        ):
            code = frame.f_code
            self.entered.add(
                (code.co_filename.removeprefix(self._root), code.co_qualname)
            )

    def record(self, act: Act) -> None:
        self.entered, self.on = set(), True
        act()
        self.on = False

    def deployed(self) -> list[tuple[str, str]]:
        """What the latest act entered of the deployed code, in order of names."""
        return sorted(
            (file, name) for file, name in self.entered if file.startswith(DEPLOYED)
        )


def new_conversation(firm: Firm, record: Callable[[Act], None]) -> None:
    """A new conversation of a pool; an Available worker of it exists, and nobody waits."""
    conversation = firm.write(SALES)
    record(firm.webhook(ADDED))
    firm.check(conversation, "sales@example.com")
    firm.deliver_events()


def turned_available(firm: Firm, record: Callable[[Act], None]) -> None:
    """A worker turns Available while one conversation waits."""
    worker = firm.db.document("workers/support@example.com")
    worker.update({"status": "Unavailable"})
    conversation = firm.write(SUPPORT)
    firm.webhook(ADDED)()
    firm.check(conversation, "queued")
    firm.deliver_events()
    worker.update({"status": "Available"})
    event = firm.event()
    record(lambda: firm.post("worker_available", event))
    firm.check(conversation, "support@example.com")
    firm.deliver_events()


def worker_left(firm: Firm, record: Callable[[Act], None]) -> None:
    """A worker leaves a conversation that they hold; another one is free."""
    conversation = firm.write(SERVICE)
    firm.webhook(ADDED)()
    first = firm.holder(conversation)
    firm.deliver_events()
    firm.twilio.worker_leave(conversation, first)
    record(firm.webhook(LEFT, Identity=first))
    (other,) = {"service@example.com", "relief@example.com"} - {first}
    firm.check(conversation, other)
    firm.deliver_events()


def swept(firm: Firm, record: Callable[[Act], None]) -> None:
    """One sweep: conversations with their workers, one that waits, one asleep, and nothing to mend."""
    waits = firm.write(QUIET)
    firm.webhook(ADDED)()
    firm.check(waits, "queued")
    sleeps = firm.write(SALES)
    firm.webhook(ADDED)()
    firm.twilio.set_state(sleeps, "inactive")
    firm.webhook(STATE)()
    firm.check(sleeps, "inactive")
    firm.deliver_events()
    firm.sweep()
    record(firm.sweep)


FLOWS = {
    "a new conversation of a pool": new_conversation,
    "a worker turns Available": turned_available,
    "a worker leaves": worker_left,
    "one sweep": swept,
}


def main() -> None:
    recorder = Recorder()
    found: dict[str, list[tuple[str, str]]] = {}
    with contextlib.redirect_stdout(io.StringIO()), Firm().open() as firm:  # the log
        for name, flow in FLOWS.items():
            flow(firm, lambda act: act())
            flow(firm, recorder.record)
            found[name] = recorder.deployed()
    json.dump(found, sys.stdout)
