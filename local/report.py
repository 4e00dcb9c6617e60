"""What the scenario prints: each step as it happens, each check as right or wrong with what was expected."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

_PATIENCE = 10.0  # seconds for a step to show its effect
_PAUSE = 0.02


class Report:
    """Prints, counts, and waits for what is expected to become true."""

    def __init__(
        self, console: Console | None = None, patience: float = _PATIENCE
    ) -> None:
        self.console = console or Console(highlight=False)
        self.patience = patience
        self.right = 0
        self.wrong = 0
        self._steps = 0
        self._started = time.monotonic()

    def step(self, what: str) -> None:
        """Something happens."""
        self._steps += 1
        self._print(f"\n{self._steps:2} ", "bold", what)

    def expect(self, what: str, find: Callable[[], Any], expected: Any) -> None:
        """Wait until `find()` gives `expected`; after a while what it gives is what counts."""
        end = time.monotonic() + self.patience
        found = find()
        while found != expected and time.monotonic() < end:
            time.sleep(_PAUSE)
            found = find()
        if found == expected:
            self.right += 1
            self._print("   ok    ", "green", what)
        else:
            self.fail(f"{what}: expected {expected!r}, found {found!r}")

    def fail(self, what: str) -> None:
        """Something came out wrong."""
        self.wrong += 1
        self._print("   WRONG ", "bold red", what)

    def tell(self, what: str) -> None:
        """What the service itself says about it."""
        self._print("         ", "dim", what)

    def close(self) -> bool:
        """Print the sum; whether everything came out right."""
        seconds = time.monotonic() - self._started
        sums = f"{self._steps} steps, {self.right} of {self.right + self.wrong} checks right, {seconds:.1f} s"
        self._print("\n   ", "bold red" if self.wrong else "bold green", sums)
        return self.wrong == 0

    def _print(self, lead: str, style: str, text: str) -> None:
        whole_style = style if style == "dim" else ""
        self.console.print(
            Text.assemble((lead, style), (text, whole_style)), soft_wrap=True
        )
