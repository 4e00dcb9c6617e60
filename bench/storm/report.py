"""The count at the end of a storm: one table, and every breach in words."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from bench.storm.customers_and_workers import CustomersAndWorkers
from proof.contract import Breach, Record
from proof.invariants import World, added
from proof.replay import Replay, Tolerance


@dataclass
class Result:
    """What one storm came to."""

    seed: int
    world: World
    breaches: list[Breach]
    replay: Replay
    acted: CustomersAndWorkers
    seconds: float
    quiet_after: float
    kills: int
    unexpected: list[str]
    requests: Sequence[Record]
    deliveries: Sequence[Record]
    mended: Counter[str] = field(default_factory=Counter)
    sweeps: Sequence[float] = ()
    sweeps_begun: int = 0
    load: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.breaches and not self.unexpected

    def rows(self) -> list[tuple[str, str]]:
        """The table, line by line."""
        states = Counter(
            record["state"] for record in self.world.conversations.values()
        )
        kinds = Counter(breach.kind for breach in self.breaches)
        waits = sorted(_waits(self.acted.began, self.requests))
        posts = [
            r
            for r in self.requests
            if r["path"].endswith("/Participants") and r["method"] == "POST"
        ]
        firsts = {(r["path"], r["params"].get("Identity")) for r in posts}
        lost = sum(one["error"] == "lost" for one in self.deliveries)
        sent = Counter(one["token"] for one in self.deliveries if one["token"])
        return [
            ("arrived", str(len(self.acted.began))),
            ("assigned", f"{sum(bool(given) for given in self.world.given.values())} "
             f"({states['assigned']} still are)"),
            ("queued at the end", str(states["queued"])),
            ("closed", str(states["closed"])),
            ("inactive at the end", str(states["inactive"])),
            ("not to be routed", str(states["unrouted"])),
            ("doubled", str(kinds["doubled"])),
            ("lost", str(kinds["lost"])),
            ("over capacity", str(kinds["over capacity"])),
            ("given to someone not Available", str(kinds["unavailable"])),
            ("waiting beside a free worker", str(kinds["stuck"])),
            ("forgotten by their worker, or their messages", str(kinds["forgotten"] + kinds["misheard"])),
            ("a text sent twice in one wait", str(kinds["repeated"])),
            ("texts after an opt-out, or outside the 24 hours", str(kinds["unwanted"] + kinds["outside window"])),
            ("waiting on for one pool or worker alone", str(kinds["overdue"])),
            ("counts or queue not true", str(kinds["miscounted"] + kinds["torn"])),
            (f"out of turn by more than {_allowed(self.replay.tolerance)}", str(kinds["out of turn"])),
            ("out of turn by no more than that", _tolerated(self.replay.tolerated)),
            ("unexpected errors", str(len(self.unexpected))),
            ("texts sent, hand-overs, workers edited by hand", self._done()),
            ("calls to add a worker, retries among them", f"{len(posts)}, {len(posts) - len(firsts)}"),
            ("Twilio's answers: errors, dropped", _answers(self.requests)),
            ("webhooks answered 200, otherwise, not at all", _answered(self.deliveries)),
            ("webhooks lost, sent again", f"{lost}, {sum(n - 1 for n in sent.values())}"),
            ("processes killed", str(self.kills)),
            ("mended by sweeps", str(sum(self.mended.values()))),
            ("sweeps begun, done, time p50 / longest", self._swept()),
            ("load of the machine at the storm's end", f"{self.load:.0f} on {os.cpu_count()} cores"),
            ("time to assignment p50 / p95 / p99", " / ".join(_share(waits, p) for p in (50, 95, 99))),
            ("storm, then until all was right", f"{self.seconds:.0f} s, {self.quiet_after:.0f} s"),
        ]  # fmt: skip

    def _swept(self) -> str:
        seconds = sorted(self.sweeps)
        return f"{self.sweeps_begun}, {len(seconds)}, {_share(seconds, 50)} / {_share(seconds, 100)}"

    def _done(self) -> str:
        messages = [
            one
            for at_twilio in self.world.twilio.values()
            for one in at_twilio["messages"]
        ]
        texts = sum("service_text" in (one.get("attributes") or "") for one in messages)
        return f"{texts}, {self.acted.handed_over}, {len(self.acted.edited)}"

    def show(self, console: Console) -> None:
        table = Table(title=f"Storm {self.seed}", show_header=False)
        table.add_column(justify="left")
        table.add_column(justify="right")
        for name, value in self.rows():
            table.add_row(name, value)
        console.print(table)
        for kind, number in sorted(self.mended.items()):
            console.print(f"  mended: {number} {kind}", style="dim")
        for breach in self.breaches[:20]:
            console.print(f"BROKEN: {breach}", style="bold red")
            self._show_messages(console, breach)
            for line in self.world.conversations.get(breach.subject, {}).get("log", []):
                console.print(
                    f"  {line['at']:%H:%M:%S.%f} {line['what']}: {line['why']}",
                    style="dim",
                )
        for line in self.unexpected[:5]:
            console.print(f"UNEXPECTED: {_end_of_trace(line)}", style="red")

    def _show_messages(self, console: Console, breach: Breach) -> None:
        """Of a breach about texts: what was written there, when and by whom."""
        if breach.invariant != 10:
            return
        for one in self.world.twilio[breach.subject]["messages"]:
            line = f"  {one['date_created']} {one['author']}: {one['body']}"
            console.print(f"{line} {one['attributes']}", style="dim")


def _tolerated(claims: Sequence[tuple[int, float]]) -> str:
    """How many, and how far the furthest of them was out of turn."""
    if not claims:
        return "0"
    places, seconds = (max(column) for column in zip(*claims, strict=True))
    return f"{len(claims)}, up to {places} within {seconds:.2f} s"


def _allowed(tolerance: Tolerance) -> str:
    places = "one place" if tolerance.places == 1 else f"{tolerance.places} places"
    return f"{places} within {tolerance.seconds:g} s"


def _end_of_trace(line: str) -> str:
    return str(json.loads(line)["stack_trace"])[-600:]


def _waits(began: Mapping[str, float], requests: Iterable[Record]) -> list[float]:
    """Seconds from a customer's first message until the first worker was in the conversation."""
    entered: dict[str, float] = {}
    for one in requests:
        sid, identity = added(one)
        if identity:
            entered[sid] = min(one["at"], entered.get(sid, one["at"]))
    return [at - began[sid] for sid, at in entered.items() if sid in began]


def _share(values: list[float], percent: int) -> str:
    if not values:
        return "-"
    return f"{values[min(len(values) - 1, len(values) * percent // 100)]:.2f} s"


def _answered(deliveries: Sequence[Record]) -> str:
    good = sum(one["status"] == 200 for one in deliveries)
    silent = sum(one["status"] is None and one["error"] != "lost" for one in deliveries)
    lost = sum(one["error"] == "lost" for one in deliveries)
    return f"{good}, {len(deliveries) - good - silent - lost}, {silent}"


def _answers(requests: Sequence[Record]) -> str:
    errors = sum(1 for one in requests if (one["status"] or 0) >= 400)
    return f"{errors}, {sum(one['status'] is None for one in requests)}"
