"""`python -m bench.profile WHAT`: computing time per request of one function and of the emulator, and where it goes.

WHAT is one of the product's ways or their floor: see docs/performance.md. One request after another through
Flask's test client, so that there is no web server in it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import time
from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient
from pyinstrument import Profiler

from bench.world import ACCOUNT, FLOORS, TOKEN, World
from local import functions
from local.functions import MAIN, Function
from proof import population, webhooks
from proof.population import ADA, SALES

_URL = "http://localhost/"
_WORKERS = 50
_WARM_UP = 5


@dataclass(frozen=True)
class _Way:
    entry_point: str
    source: Path
    status: str = "Available"


WAYS = {
    "routing": _Way("routing", MAIN),
    "routing-same-calls": _Way("same_calls", FLOORS),
    "routing-floor": _Way("routing", FLOORS),
    "queueing": _Way("routing", MAIN, "Unavailable"),
    "queueing-floor": _Way("queueing", FLOORS, "Unavailable"),
    "pre_event": _Way("pre_event", MAIN),
    "pre_event-floor": _Way("pre_event", FLOORS),
}


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m bench.profile", description=__doc__
    )
    options.add_argument("what", choices=list(WAYS))
    options.add_argument("--requests", type=int, default=300)
    options.add_argument(
        "--tree",
        action="store_true",
        help="also where the time goes (slows it by a third)",
    )
    given = options.parse_args()
    with World(quick=True) as world:
        _measure(world, given.what, given.requests, given.tree)


def _measure(world: World, what: str, number: int, with_tree: bool) -> None:
    client = _client(world, WAYS[what])
    forms = [_form(world, WAYS[what].entry_point, n) for n in range(number + _WARM_UP)]
    profiler = Profiler(interval=0.0005)
    with contextlib.redirect_stdout(io.StringIO()):  # the log
        for form in forms[:_WARM_UP]:
            _send(client, form)
        before, began = _emulator_seconds(world), time.process_time()
        with profiler if with_tree else contextlib.nullcontext():
            for form in forms[_WARM_UP:]:
                _send(client, form)
        function, emulator = (
            time.process_time() - began,
            _emulator_seconds(world) - before,
        )
    each = f"{1000 * function / number:.1f} ms in the function, {1000 * emulator / number:.1f} ms in the emulator"
    print(f"{what}: {each}, computing time per request over {number} requests")
    if with_tree:
        print(profiler.output_text(unicode=True, color=False))


def _client(world: World, way: _Way) -> FlaskClient:
    db = world.project()
    population.fill(db, population.Size(workers=0))
    record = population.worker(way.status, "sales")
    population.write(
        db, [(f"workers/w{n:03}@example.com", record) for n in range(_WORKERS)]
    )
    os.environ |= world.environment(str(db.project))
    return functions.load(Function(way.entry_point, "http"), way.source).test_client()


def _form(world: World, entry_point: str, number: int) -> dict[str, str]:
    if entry_point == "pre_event":
        return webhooks.conversation_add(ADA, SALES)
    address = f"+1555{number:07}"
    return webhooks.conversation_route(
        world.conversation(), world.service_sid, address, SALES
    )


def _send(client: FlaskClient, form: dict[str, str]) -> None:
    headers, body = webhooks.signed(_URL, form, TOKEN, ACCOUNT)
    answer = client.post("/", headers=headers, data=body)
    if answer.status_code != 200:
        raise RuntimeError(f"The function answered {answer.status_code}: {answer.text}")


def _emulator_seconds(world: World) -> float:
    """Its computing time until now."""
    fields = (
        Path(f"/proc/{world.emulator.pid}/stat").read_text().rpartition(")")[2].split()
    )
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
