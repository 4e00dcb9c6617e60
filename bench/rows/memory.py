"""Resident memory of a function's process: after 1,000 requests, and whether it grows over 10,000.

For the inbox 10,000 looks are more than a working day of an open page has (1,000 an hour at most).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.result import Row
from bench.rows import inbox
from bench.rows.start import NEEDED
from bench.world import FLOORS, Function, World
from proof import population, webhooks
from proof.population import ADA, SALES

_AT_ONCE = 4
_GROWTH = 1.05


def memory(world: World) -> list[Row]:
    first, last = (50, 200) if world.quick else (1_000, 10_000)
    db = world.project()
    population.fill(db, population.Size(workers=10))
    imports = ",".join(NEEDED["pre_event"])
    ours = world.serve("pre_event", db.project)
    floor = world.serve("hello", db.project, FLOORS, FLOOR_IMPORTS=imports)
    form = webhooks.conversation_add(ADA, SALES)
    for function in (ours, floor):
        _send(function, form, first)
    early, bare = _megabytes(ours), _megabytes(floor)
    _send(ours, form, last - first)
    late = _megabytes(ours)
    world.end_functions()
    after = _row(
        f"memory of pre_event after {first:,} requests",
        f"hello + import {imports}",
        early,
        bare,
        1.2,
    )
    flat = _row(
        f"memory of pre_event after {last:,} requests",
        f"after {first:,}",
        late,
        early,
        _GROWTH,
    )
    return [after, flat, *_open_page(world, first, last)]


def _open_page(world: World, first: int, last: int) -> list[Row]:
    db = world.project()
    population.write(db, inbox.records())
    ours = world.serve("inbox", str(db.project))
    sent = {"Cookie": inbox.cookie(inbox.WORKER)}
    seen = []
    for number in (first, last - first):
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = list(
                pool.map(lambda _: ours.get("state", sent).status, range(number))
            )
        if set(answers) != {200}:
            raise RuntimeError(f"the inbox answered {set(answers)}")
        seen.append(_megabytes(ours))
    world.end_functions()
    return [
        _row(
            f"memory of inbox after {last:,} looks",
            f"after {first:,}",
            seen[1],
            seen[0],
            _GROWTH,
        )
    ]


def _row(name: str, floor: str, ours: float, theirs: float, at_most: float) -> Row:
    return Row(
        name=name,
        measured="resident, server and worker process together",
        floor=floor,
        product_value=f"{ours:.0f} MB",
        floor_value=f"{theirs:.0f} MB",
        wanted=f"{at_most:g} x",
        is_reached=ours / theirs <= at_most,
        ratio=ours / theirs,
        details={"product_mb": ours, "floor_mb": theirs},
    )


def _send(function: Function, form: dict[str, str], number: int) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda _: function.post(form), range(number)))


def _megabytes(function: Function) -> float:
    """The proportional share of every process of the function's group: pages that two share count once."""
    group = function.child.pid
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _group_of(entry) == group:
            lines = (entry / "smaps_rollup").read_text().splitlines()
            total += next(
                int(line.split()[1]) for line in lines if line.startswith("Pss:")
            )
    return total / 1024


def _group_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except OSError:
        return 0
