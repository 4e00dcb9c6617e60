"""The net under everything, each minute: finishes what a crash or a lost event left half done.

Several runs at once are harmless: whatever they change, they change by compare-and-set. Each part does a bounded
piece of work and goes on from there next time; what it mended is counted per kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from werkzeug.datastructures import MultiDict

from functions.answers import Answer
from functions.sweep import abandoned, missed, queue, truth, workforce
from providers import clock, deadline, log, sweeps
from providers.sweeps import Progress

PARTS: tuple[Callable[[Progress, Counter[str]], Progress], ...] = (
    abandoned.finish,
    queue.mend,
    workforce.recount,
    missed.find,
    truth.compare,
)
_MARGIN = 5.0  # seconds kept back for noting how far it came


def handle(path: str, args: MultiDict[str, str]) -> Answer:
    started = clock.now()
    progress, mended = sweeps.load(), Counter[str]()
    failed: list[Exception] = []
    for part in PARTS:
        if not deadline.is_over(_MARGIN):
            try:
                progress = part(progress, mended)
            except Exception as error:  # noqa: BLE001 - told below, after the other parts have done their work
                failed.append(error)
    sweeps.save(progress, started, mended)
    if failed:
        raise failed[0]
    seconds = round((clock.now() - started).total_seconds(), 3)
    log.info(f"swept: {_in_words(mended)}", mended=dict(mended), seconds=seconds)
    return Answer({"mended": dict(mended), "seconds": seconds})


def _in_words(mended: Counter[str]) -> str:
    return ", ".join(f"{kind}: {number}" for kind, number in sorted(mended.items())) or "nothing to mend"
