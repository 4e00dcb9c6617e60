"""What each operation reads and writes, with little and with much in the database: it must be the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from flask.testing import FlaskClient
from google.cloud import firestore

from bench.result import Row
from bench.world import World
from local import functions
from local.twilio import StandIn
from proof import population
from proof.meter import Counts, Meter
from proof.operations import Operations
from proof.population import Size

FEW = Size(workers=10)
MANY = Size(workers=10_000, queued=20_000, log=100_000)
QUICK = Size(workers=200, queued=200, log=200)
# It goes through workers and queue in turns, some each time; and the emulator scans 100,000 records for a page.
_LEFT_OUT = "sweep, nothing to do"
_PATIENCE = 60.0  # seconds
_MOST_READ, _MOST_WRITTEN = 6, 5


def counts(world: World) -> list[Row]:
    many = QUICK if world.quick else MANY
    clients = {f.name: functions.load(f) for f in functions.listed()}

    def client_for(name: str) -> FlaskClient:
        return clients[name.replace("_", "-")].test_client()

    small, large = (_counted(world, client_for, size) for size in (FEW, many))
    return [_row(name, small[name], large[name], many) for name in small]


def _counted(
    world: World, client_for: Callable[[str], FlaskClient], size: Size
) -> dict[str, Counts]:
    db = world.project()
    population.fill(db, size)
    _wait_until_quick(db)
    with StandIn() as standin, Meter(world.emulator.host) as meter:
        os.environ |= {
            "GOOGLE_CLOUD_PROJECT": db.project,
            "FIRESTORE_EMULATOR_HOST": meter.host,
            "TWILIO_ACCOUNT_SID": standin.account_sid,
            "TWILIO_AUTH_TOKEN": standin.auth_token,
            "TWILIO_API_BASE_URL": standin.url,
        }
        can_be_done = Operations(client_for, world.triggers, db, standin, meter).all
        try:
            return {name: do() for name, do in can_be_done.items() if name != _LEFT_OUT}
        finally:
            world.triggers.detach(db.project)


def _wait_until_quick(db: firestore.Client) -> None:
    """The emulator scans, and digests so many documents for a while; the service would give a call 4 s at most."""
    end = time.monotonic() + _PATIENCE
    took = 1.0
    while took > 0.5 and time.monotonic() < end:
        began = time.monotonic()
        for name, order in (
            ("workers", "last_assigned_at"),
            ("pending_conversations", "queued_at"),
        ):
            list(db.collection(name).order_by(order).limit(1).stream(timeout=_PATIENCE))
        took = time.monotonic() - began


def _row(name: str, few: Counts, many: Counts, size: Size) -> Row:
    routed = name.startswith("routed")
    within = few.reads <= _MOST_READ and few.writes <= _MOST_WRITTEN if routed else True
    bound = f", at most {_MOST_READ} read and {_MOST_WRITTEN} written" if routed else ""
    return Row(
        name=f"documents: {name}",
        measured=f"with {size.workers:,} workers, {size.queued:,} queued, {size.log:,} in the log",
        floor=f"with {FEW.workers} workers and nothing else",
        product_value=many.in_words,
        floor_value=few.in_words,
        wanted=f"the same{bound}",
        is_reached=few == many and within,
        details={"few": vars(few), "many": vars(many)},
    )
