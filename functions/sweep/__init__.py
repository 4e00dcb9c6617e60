"""The sweep, each minute: finishes what a crash or a lost event left half done.

Concurrent runs are harmless: all changes are made by compare-and-set. Parts, and the records within a part, are
shielded from each other. Each part has seconds reserved that no earlier part can use, may use the seconds that earlier
ones left over, and gets another turn in the end for its unfinished work (docs/decisions/0014-outages.md).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from werkzeug.datastructures import MultiDict

from functions.http.answers import Answer
from functions.sweep import (
    abandoned,
    approvals,
    counts,
    frontline_status,
    missed,
    queue_entries,
    twilio_states,
    unanswered,
)
from functions.sweep.run import Run, share
from providers import clock, log, sweeps
from providers.sweeps import Progress

QUEUE = "the queue"
PARTS: dict[str, Callable[[Progress, Run], Progress]] = {
    "abandoned assignments": abandoned.finish,
    "who is not answered": unanswered.send_back,
    "missed webhooks": missed.find,
    QUEUE: queue_entries.mend,
    "the workers' counts": counts.recount,
    "Twilio's states": twilio_states.compare,
    "Frontline's switches": frontline_status.follow,
    "the templates' approvals": approvals.refresh,
}
KEPT_FOR = {
    "abandoned assignments": 4.0,
    "who is not answered": 10.0,
    "missed webhooks": 8.0,
    QUEUE: 6.0,
    "the workers' counts": 3.0,
    "Twilio's states": 5.0,
    "Frontline's switches": 3.0,
    "the templates' approvals": 5.0,
}  # seconds
_LONGEST = 45.0  # seconds that all parts have together
_MARGIN = 5.0  # seconds kept back for noting how far it came
_WORTH_ANOTHER_TURN = 4.0  # seconds


def handle(path: str, args: MultiDict[str, str]) -> Answer:
    """Run all parts once, and again while there is time; answer with what was repaired and what failed."""
    started = clock.now()
    progress, run = sweeps.load(), Run()
    try:
        progress = _in_turns(progress, run)
    finally:
        run.close()
    sweeps.save(progress, started, run.mended)
    seconds = round((clock.now() - started).total_seconds(), 3)
    log.info(
        f"swept: {_in_words(run.mended)}",
        mended=dict(run.mended),
        seconds=seconds,
        waiting_seconds=_waiting_seconds(run),
    )
    answer: dict[str, Any] = {"mended": dict(run.mended), "seconds": seconds}
    if run.failed:
        answer["failed"] = dict(run.failed)
    return Answer(answer)


def _waiting_seconds(run: Run) -> int:
    """Return the longest wait in the queue, 0 if no customer waits."""
    if run.waiting_since is None:
        return 0
    return round((clock.now() - run.waiting_since).total_seconds())


def _in_turns(progress: Progress, run: Run) -> Progress:
    """Run every part once, then the unfinished ones again as long as there is time."""
    ends = time.monotonic() + clock.remaining(_LONGEST + _MARGIN) - _MARGIN
    names = list(PARTS)
    while names and ends - time.monotonic() > _WORTH_ANOTHER_TURN:
        for name in names:
            with run.part(name, share(name, names, KEPT_FOR, ends)):
                act = partial(PARTS[name], progress, run)
                progress = run.shielded("its part", name, act, otherwise=progress)
        unfinished = run.unfinished | ({QUEUE} if run.pools else set())
        names = [name for name in PARTS if name in unfinished]
    return progress


def _in_words(mended: Counter[str]) -> str:
    kinds = [f"{kind}: {number}" for kind, number in sorted(mended.items())]
    return ", ".join(kinds) or "nothing to mend"
