"""Makes trouble on purpose, and takes it away again: one sees the service heal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from local.errors import CannotRunError

if TYPE_CHECKING:
    from local.stack import Stack
    from local.twilio import StandIn

_DEAD_FOR = 3.0  # seconds until the killed functions come back


class TroubleMenu:
    """What goes wrong at the moment."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self._active: set[str] = set()
        self._at_twilio: dict[str, Callable[[StandIn], None]] = {
            "twilio_down": lambda twilio: twilio.fail(status=503),
            "twilio_forgets": lambda twilio: twilio.fail(
                drop_answer=True, method="POST", path="Participants"
            ),
            "webhooks_twice": lambda twilio: twilio.webhook_trouble(
                repeat=2, shuffle=True
            ),
        }

    def active(self) -> list[str]:
        return sorted(self._active)

    def make(self, kind: str, on: bool) -> None:
        """Raises KeyError for a kind that does not exist."""
        if kind == "kill":
            self._kill()
            return
        if kind != "events_twice" and kind not in self._at_twilio:
            raise KeyError(kind)
        with self._lock:
            (self._active.add if on else self._active.discard)(kind)
            twice = "events_twice" in self._active
            project = self._stack.options.project
            if twice:
                self._stack.triggers.behave(project, twice=True, shuffle=4)
            else:
                self._stack.triggers.behave(project)
            if self._stack.standin is not None:
                self._stack.standin.heal()
                for name in self._active & set(self._at_twilio):
                    self._at_twilio[name](self._stack.standin)

    def _kill(self) -> None:
        """As a crash would: in the midst of whatever they do. A while later they are back."""
        with self._lock:
            if "kill" in self._active:
                return
            self._active.add("kill")
        self._stack.functions.kill()
        threading.Timer(_DEAD_FOR, self._revive).start()

    def _revive(self) -> None:
        try:
            self._stack.restart_functions()
        except CannotRunError as error:
            print(f"The functions could not be started again: {error}", flush=True)
        finally:
            self._active.discard("kill")
