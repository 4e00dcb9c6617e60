"""One run of the sweep: what it mended, and what failed without holding up the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from providers import clock, database, log

T = TypeVar("T")
Else = TypeVar("Else")


class Run:
    """`mended` and `failed` are counted per kind. `waiting_since`: the arrival of who waits longest; None: nobody."""

    def __init__(self) -> None:
        self.mended = Counter[str]()
        self.failed = Counter[str]()
        self.waiting_since: datetime | None = None

    def note(self, kind: str, number: int = 1) -> None:
        if number:
            self.mended[kind] += number

    def in_time(self, records: Iterable[T], margin: float) -> Iterator[T]:
        """One after the other, while more than `margin` seconds are left."""
        for record in records:
            if clock.is_time_over(margin):
                return
            yield record

    def shielded(self, what: str, which: str, act: Callable[[], T], otherwise: Else) -> T | Else:
        """What `act` returns; if it fails, this is logged with its name, counted, and `otherwise` is returned."""
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - one odd record must not keep the others from being mended
            self.failed[what] += 1
            because = (
                f": it {trouble}" if (trouble := database.trouble(error)) else "; it goes on with the rest."
            )
            log.crash(f"The sweep could not see to {what} {which}{because}")
            return otherwise
