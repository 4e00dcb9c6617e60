"""The net under everything, each minute: finishes what a crash or a lost event left half done.

Several runs at once are harmless: whatever they change, they change by compare-and-set. Each part does a bounded
piece of work and goes on from there next time. Parts, and the records within a part, are shielded from each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from werkzeug.datastructures import MultiDict

from functions.door.answers import Answer
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
from functions.sweep.run import Run
from providers import clock, log, sweeps
from providers.sweeps import Progress

PARTS: dict[str, Callable[[Progress, Run], Progress]] = {
    "abandoned assignments": abandoned.finish,
    "who is not answered": unanswered.send_back,
    "Frontline's switches": frontline_status.follow,
    "the queue": queue_entries.mend,
    "the workers' counts": counts.recount,
    "missed webhooks": missed.find,
    "Twilio's states": twilio_states.compare,
    "the templates' approvals": approvals.refresh,
}
_MARGIN = 5.0  # seconds kept back for noting how far it came


def handle(path: str, args: MultiDict[str, str]) -> Answer:
    started = clock.now()
    progress, run = sweeps.load(), Run()
    for name in run.in_time(PARTS, _MARGIN):
        progress = run.shielded("its part", name, partial(PARTS[name], progress, run), otherwise=progress)
    sweeps.save(progress, started, run.mended)
    seconds = round((clock.now() - started).total_seconds(), 3)
    waiting = round((clock.now() - run.waiting_since).total_seconds()) if run.waiting_since else 0
    log.info(
        f"swept: {_in_words(run.mended)}", mended=dict(run.mended), seconds=seconds, waiting_seconds=waiting
    )
    failed = {"failed": dict(run.failed)} if run.failed else {}
    return Answer({"mended": dict(run.mended), "seconds": seconds} | failed)


def _in_words(mended: Counter[str]) -> str:
    return ", ".join(f"{kind}: {number}" for kind, number in sorted(mended.items())) or "nothing to mend"
