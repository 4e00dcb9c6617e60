"""python -m bench.storm --conversations 300 --workers 40 --seed N: exits 1 if any invariant is broken."""

import argparse
import os
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flask import Flask
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from rich.console import Console

from bench.storm.customers_and_workers import NUMBERS, CustomersAndWorkers, records
from bench.storm.failures import Failures
from bench.storm.fleet import Fleet
from bench.storm.report import Result
from bench.storm.round_trips import RoundTrips
from bench.storm.sweeps import Sweeps
from bench.world import SECRET
from functions.post_event import EVENTS
from local.emulator import Emulator
from local.servers import LocalServer
from local.triggers import Triggers
from local.twilio import StandIn
from proof import invariants
from proof.contract import Breach
from proof.journal import Journal
from proof.replay import Replay, Tolerance

ARRIVALS = 10.0  # conversations per second
# A text that was on its way to a slow Twilio when the customer's opt-out word arrived cannot be called back.
UNDER_WAY = timedelta(seconds=5)
CALM = 12.0  # seconds after the last arrival in which everything but kills goes on
_SWEEPS_TO_RETURN = 2  # within which an overdue conversation goes back to the queue
_TRIES = 3  # of one sweep
LONGEST = (
    150.0  # seconds that all may take to come right after the storm; a lease lasts 30
)
# An age counts from the arrival, so a conversation that the sweep or a late webhook brings enters the queue ahead of
# others, several at once. A claim that has read the queue before goes ahead of them, but none is passed this often.
_PLACES = 5


PATTERNS = {
    "worker_available": "workers/{identity}",
    "conversation_written": "conversations/{sid}",
}


class Storm:
    """One storm: everything started, let loose, calmed, counted, ended."""

    def __init__(
        self, options: argparse.Namespace, seed: int, console: Console
    ) -> None:
        self.options, self.seed, self.console = options, seed, console
        self.rng = random.Random(seed)
        self.project = f"demo-storm-{secrets.token_hex(4)}"
        self.triggers, self.fleet, self.journal = Triggers(), Fleet(), Journal()
        receiver = Flask("triggers")
        receiver.register_blueprint(self.triggers.blueprint())
        self.receiver = LocalServer(receiver)
        self.emulator = Emulator(functions_port=self.receiver.port, own=True)
        self.twilio = StandIn(
            account_sid=f"AC{secrets.token_hex(16)}", own_numbers=NUMBERS, seed=seed
        )
        self.sweeps = Sweeps(f"{self.fleet.url}/sweep", every=4.0)

    def run(self) -> Result:
        try:
            db = self._start()
            return self._let_loose(db)
        finally:
            self._stop()

    def _start(self) -> firestore.Client:
        self.receiver.start()
        self.fleet.start_front()  # before what may fail: a server that never began would never end
        self.twilio.start()
        self.triggers.connect(self.emulator.start())
        self.journal.attach(self.triggers, self.project)
        for trigger, pattern in PATTERNS.items():
            url = f"{self.fleet.url}/{trigger.replace('_', '-')}"
            self.triggers.attach(self.project, trigger, pattern, url)
        os.environ["FIRESTORE_EMULATOR_HOST"] = (
            self.emulator.host
        )  # the only way to tell Google's client
        credentials = AnonymousCredentials()  # type: ignore[no-untyped-call] # untyped
        db = firestore.Client(project=self.project, credentials=credentials)
        greeting_sid = self.twilio.add_content("greeting", "{{1}} is here.")
        for path, record in records(
            self.options.workers, self.options.conversations, self.rng, greeting_sid
        ).items():
            db.document(path).set(record)
        self.fleet.start(self._environment())
        self.twilio.configure_webhooks(
            post_url=f"{self.fleet.url}/post-event", filters=list(EVENTS)
        )
        self.twilio.configure_frontline(routing_url=f"{self.fleet.url}/routing")
        for number in NUMBERS:
            self.twilio.set_autocreate(number)
        return db

    def _environment(self) -> Mapping[str, str]:
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("TWILIO_")
        }
        env.pop("K_SERVICE", None)
        return env | {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "FIRESTORE_EMULATOR_HOST": self.emulator.host,
            "WEBHOOK_BASE_URL": self.fleet.url,
            "TWILIO_ACCOUNT_SID": self.twilio.account_sid,
            "TWILIO_AUTH_TOKEN": self.twilio.auth_token,
            "TWILIO_API_BASE_URL": self.twilio.url,
            "INBOX_SECRET": SECRET,
            "OIDC_ISSUER": self.fleet.url,  # nobody signs in here
            "PYTHONUNBUFFERED": "1",
        }

    def _let_loose(self, db: firestore.Client) -> Result:
        began = time.monotonic()
        acting = CustomersAndWorkers(
            self.twilio, db, f"{self.fleet.url}/inbox", self.options.workers, self.rng
        )
        failures = Failures(
            self.fleet, self.twilio, self.triggers, self.project, self.rng, self.sweeps
        )
        arrivals_take = self.options.conversations / ARRIVALS
        acting.write_a_day_ago()
        round_trips = RoundTrips(db)
        round_trips.begin()
        threads = acting.begin(self.options.conversations, arrivals_take)
        failures.begin()
        self.sweeps.begin()
        self._watch(began, arrivals_take, acting)
        failures.spare_processes()
        self._watch(began, arrivals_take + CALM, acting)
        acting.stop()
        for thread in threads:
            thread.join(10)
        failures.clear()
        self.sweeps.stop()
        stormed, load = time.monotonic() - began, os.getloadavg()[0]
        forgotten = self._forgotten(db)
        breaches, world = self._until_right(db, acting)
        breaches += forgotten
        round_trips.stop()
        tolerance = Tolerance(_PLACES, round_trips.of_a_claim)
        replay = Replay(tolerance, acting.edited)
        breaches += replay.all(self.journal.commits())
        return Result(
            seed=self.seed,
            world=world,
            breaches=breaches,
            replay=replay,
            acted=acting,
            seconds=stormed,
            quiet_after=time.monotonic() - began - stormed,
            kills=self.fleet.kills,
            unexpected=self.fleet.unexpected_errors(),
            requests=self.twilio.requests,
            deliveries=self.twilio.deliveries,
            mended=self.sweeps.mended,
            sweeps=self.sweeps.seconds,
            sweeps_begun=self.sweeps.begun,
            load=load,
        )

    def _forgotten(self, db: firestore.Client) -> list[Breach]:
        """Customers who were due before the last two sweeps and still wait; afterwards no pool has a limit any more,
        because no worker answers any more."""
        self._settle()
        began = datetime.now(UTC)  # a customer who is due later is the next sweep's
        for _ in range(_SWEEPS_TO_RETURN):
            self._whole_sweep()
            self._settle()
        twilio = self.twilio.state()["conversations"]
        world = invariants.observe(db, twilio, self.twilio.requests, now=began)
        for pool in ("default", "sales"):
            db.document(f"pools/{pool}").update({"answer_within": None})
        return list(invariants.forgotten(world))

    def _whole_sweep(self) -> None:
        """One that was answered; on a busy machine a sweep may be cut off."""
        for _ in range(_TRIES):
            if self.sweeps.once() is not None:
                return

    def _watch(self, began: float, until: float, acting: CustomersAndWorkers) -> None:
        while (now := time.monotonic() - began) < until:
            calls = len(self.twilio.requests)
            self.console.print(
                f"storm {self.seed}: {now:3.0f} s, {len(acting.began)} arrived, {calls} calls to Twilio, "
                f"{self.fleet.kills} kills, {self.sweeps.begun} sweeps begun, {self.sweeps.runs} done",
                style="dim",
            )
            time.sleep(min(5.0, max(0.1, until - now)))

    def _until_right(
        self, db: firestore.Client, acting: CustomersAndWorkers
    ) -> tuple[list[Breach], invariants.World]:
        """Sweeps until one finds nothing to mend and nothing is broken, or the time is over."""
        end = time.monotonic() + LONGEST
        while True:
            self._settle()
            mended = self.sweeps.once()
            self._settle()
            twilio = self.twilio.state()["conversations"]
            world = invariants.observe(
                db,
                twilio,
                self.twilio.requests,
                windows=acting.windows,
                under_way=UNDER_WAY,
            )
            breaches = invariants.broken(world)
            if (mended == Counter() and not breaches) or time.monotonic() > end:
                return breaches, world
            kinds = dict(Counter(breach.kind for breach in breaches))
            self.console.print(
                f"storm {self.seed}: calm, still to mend: {kinds or 'nothing'}",
                style="dim",
            )
            time.sleep(0.5)

    def _settle(self) -> None:
        self.twilio.settle(60)
        self.triggers.drain(self.project, 300)
        self.fleet.wait_idle()

    def _stop(self) -> None:
        self.sweeps.stop()
        self.triggers.close()
        self.twilio.stop()
        self.fleet.stop()
        self.emulator.stop()
        self.receiver.stop()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description=__doc__)
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--workers", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--seeds", type=int, default=1, help="this many storms, from --seed on"
    )
    return parser.parse_args()


def main() -> int:
    given, console = options(), Console(highlight=False)
    broken = []
    for seed in range(given.seed, given.seed + given.seeds):
        result = Storm(given, seed, console).run()
        result.show(console)
        if not result.ok:
            broken.append(seed)
    if broken:
        console.print(
            f"BROKEN in storms {', '.join(map(str, broken))}", style="bold red"
        )
        return 1
    console.print(f"{given.seeds} of {given.seeds} storms clean", style="bold green")
    return 0


if __name__ == "__main__":
    sys.exit(main())
