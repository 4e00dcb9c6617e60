"""The rows of the table, in its order: name to measurement."""

from __future__ import annotations

from collections.abc import Callable

from bench.result import Row
from bench.rows import counts, crowd, inbox, memory, outage, start, wake, webhooks
from bench.world import World

ROWS: dict[str, Callable[[World], list[Row]]] = {
    "pre_event": webhooks.pre_event,
    "routing": webhooks.routing,
    "queueing": webhooks.queueing,
    "available": wake.available,
    "inbox": inbox.state,
    "burst": crowd.burst,
    "sustained": crowd.sustained,
    "outage": outage.outage,
    "evening": outage.evening,
    "cold-start": start.cold_start,
    "memory": memory.memory,
    "counts": counts.counts,  # the last: it fills the emulator, which is slow ever after
}
