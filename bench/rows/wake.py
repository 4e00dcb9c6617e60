"""A worker turns Available while somebody waits: until the worker is in the conversation."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.result import Row, compared, in_turns
from bench.world import FLOORS, World
from local.functions import MAIN
from proof import population

_PATIENCE = 20.0


def available(world: World) -> list[Row]:
    ours = _Side(world, "worker_available", MAIN)
    floor = _Side(world, "available", FLOORS)
    each = 2 if world.quick else 12
    pairs = in_turns(ours.once, floor.once, 5, each, warm_up=3)
    world.end_functions()
    for side in (ours, floor):
        world.triggers.detach(side.db.project)
    what = "Available to worker added, p50"
    floor_is = "trigger delivery + one query + one commit + one call to Twilio"
    return [
        compared(
            what,
            "from the commit of the status until the participant exists",
            floor_is,
            pairs,
            1.5,
        )
    ]


class _Side:
    """One project with one worker, whose events reach one function."""

    def __init__(self, world: World, entry_point: str, source: Path) -> None:
        self._world = world
        self.db = world.project()
        population.fill(self.db, population.Size(workers=0))
        function = world.serve(entry_point, self.db.project, source)
        world.triggers.attach(
            self.db.project, entry_point, "workers/{identity}", function.url
        )
        self._worker = self.db.document("workers/ann@example.com")

    def once(self) -> float:
        """One conversation waits; the worker is Unavailable and empty; all is quiet."""
        conversation = self._world.conversation()
        self._worker.set(population.worker("Unavailable", "sales", capacity=1))
        population.write(self.db, _waiting(conversation, self._world.service_sid))
        self._world.triggers.drain(self.db.project, 30)
        began = time.time()
        self._worker.update({"status": "Available"})
        added = self._wait(conversation)
        self._world.triggers.drain(self.db.project, 30)
        return added - began

    def _wait(self, conversation: str) -> float:
        """Asks seldom, for asking costs the stand-in time, too."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            time.sleep(0.1)
            if (added := self._world.added_at().get(conversation)) is not None:
                return added
        raise TimeoutError(f"Nobody was added to {conversation}.")


def _waiting(conversation: str, service: str) -> list[tuple[str, dict[str, Any]]]:
    _, fields = population.conversation(0, "queued", "sales", service_sid=service)
    entry = {
        "pool": "sales",
        "priority": 0,
        "queued_at": fields["queued_at"],
        "excluded_workers": [],
    }
    return [
        (f"conversations/{conversation}", fields),
        (f"pending_conversations/{conversation}", entry),
    ]
