"""The service as a state machine: anything may happen to it in any order; in the end the invariants must hold.

Firestore is the emulator, Twilio the stand-in, and every function comes through the real loader. Only what is
on its way between them is in the test's hand: each webhook and event arrives when, and as often as, it says so.
"""

import functools
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from flask import Flask
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from bench import invariants, journal
from bench.journal import Journal, Tolerance
from local.emulator import Emulator
from local.servers import LocalServer
from local.triggers import Triggers
from local.twilio import StandIn
from local.twilio.errors import ApiError
from providers import clock, database, seam
from tests.reliability.network import SWEEP, Network, Parcel, at_step
from tests.reliability.world import CUSTOMERS, NUMBERS, POOLS, RECORDS, WORKERS
from tests.service import Apps

Step = TypeVar("Step", bound=Callable[..., None])
ANY = st.integers(0, 40)  # picks one of however many there are
POINT = st.integers(1, 12)  # how many steps a delivery gets before it is interrupted
WORKER = st.sampled_from(WORKERS)
STATUS = st.sampled_from(["Available", "Available", "Available", "Unavailable", "Unavailable", "available"])
EVENTS = ["onConversationAdded", "onConversationStateUpdated", "onConversationRemoved"]
EVENTS += ["onParticipantAdded", "onParticipantRemoved"]
REFUSALS: list[tuple[int | None, int]] = [
    (503, 20503),
    (429, 20429),
    (409, 50419),
    (400, 50214),
    (400, 50206),
    (401, 20003),
    (500, 20500),
]
REFUSALS += [(None, 0), (None, 0)]
HURRIED = 0.9  # seconds a delivery gets while Twilio is in trouble, so that an outage does not take long


@contextmanager
def parts() -> Iterator[tuple[Triggers, Apps]]:
    """An emulator with its events, and every function: what one model after another runs on."""
    receiver = Triggers()
    app = Flask("triggers")
    app.register_blueprint(receiver.blueprint())
    server, apps = LocalServer(app).start(), Apps()
    emulator = Emulator(functions_port=server.port, own=True)
    try:
        receiver.connect(emulator.start())
        yield receiver, apps
    finally:
        receiver.close()
        emulator.stop()
        apps.server.stop()
        server.stop()


def step(**choices: Any) -> Callable[[Step], Any]:
    """A rule that also writes itself down, so that a failing run can be printed as a script."""

    def decorate(method: Step) -> Any:
        @functools.wraps(method)
        def recorded(self: "Model", **chosen: Any) -> None:
            given = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
            self.script.append(f"model.{method.__name__}({given})")
            method(self, **chosen)
            self.gather()

        return rule(**choices)(recorded)  # type: ignore[no-untyped-call] # Hypothesis leaves it untyped

    return decorate


class Model(RuleBasedStateMachine):
    """One run. `clean` as long as nothing failed or was lost: then no sweep may be needed."""

    parts: ClassVar[tuple[Triggers, Apps]]
    last_script: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.triggers, apps = self.parts
        self.script: list[str] = []
        self.clean = self.in_turn = True
        self.by_hand: set[tuple[str, str]] = set()
        self.project = f"demo-{secrets.token_hex(6)}"
        self.network = Network(apps.client)
        self.twilio = StandIn(account_sid=f"AC{secrets.token_hex(16)}", own_numbers=NUMBERS)
        self.journal = Journal().attach(self.triggers, self.project)
        self.network.start(self.triggers, self.project)
        self._begin()
        self.gather()

    def _begin(self) -> None:
        self.twilio.start()
        self.twilio.configure_webhooks(post_url=f"{self.network.url}/post-event", filters=EVENTS)
        self.twilio.configure_frontline(routing_url=f"{self.network.url}/routing")
        for number in NUMBERS:
            self.twilio.set_autocreate(number)
        self.environment = {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "FIRESTORE_EMULATOR_HOST": self.triggers.emulator.host,
            "WEBHOOK_BASE_URL": self.network.url,
            "TWILIO_ACCOUNT_SID": self.twilio.account_sid,
            "TWILIO_AUTH_TOKEN": self.twilio.auth_token,
            "TWILIO_API_BASE_URL": self.twilio.url,
        }
        os.environ.update(self.environment)
        credentials = AnonymousCredentials()  # type: ignore[no-untyped-call] # untyped
        self.db = firestore.Client(project=self.project, credentials=credentials)
        batch = self.db.batch()
        for path, record in RECORDS.items():
            batch.set(self.db.document(path), record)
        batch.commit()

    def gather(self) -> None:
        """Takes in what the last step has sent; the order must not depend on threads."""
        self.triggers.drain(self.project, timeout=100)
        self.network.put_in_order()

    # What customers, workers and operators do

    @step(
        letters=st.lists(
            st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(NUMBERS)), min_size=1, max_size=4
        )
    )
    def write(self, letters: list[tuple[str, str]]) -> None:
        """Customers write: new conversations, or one more message in an open one."""
        for customer, number in letters:
            self.pass_time(1)
            prefix = "whatsapp:" if number.startswith("whatsapp:") else ""
            self.twilio.inbound(prefix + customer, number, "Hello")

    @step(workers=st.lists(WORKER, min_size=1, max_size=3, unique=True), status=STATUS)
    def set_status(self, workers: list[str], status: str) -> None:
        for worker in workers:
            self.db.document(f"workers/{worker}").set({"status": status}, merge=True)

    @step(worker=WORKER, capacity=st.sampled_from([0, 1, 3, None, "many"]))
    def set_capacity(self, worker: str, capacity: int | str | None) -> None:
        self.db.document(f"workers/{worker}").set({"capacity": capacity}, merge=True)

    @step(worker=WORKER, pools=st.sampled_from([["default"], ["sales"], ["default", "sales"], []]))
    def set_pools(self, worker: str, pools: list[str]) -> None:
        self.db.document(f"workers/{worker}").set({"pools": pools}, merge=True)

    @step(pool=st.sampled_from(POOLS), capacity=st.sampled_from([1, 2, 5]))
    def set_pool_capacity(self, pool: str, capacity: int) -> None:
        """No event tells of it: the next one to look, or the sweep, finds out."""
        self.clean = False
        self.db.document(f"pools/{pool}").set({"capacity": capacity}, merge=True)

    @step(number=ANY, state=st.sampled_from(["inactive", "inactive", "active", "closed"]))
    def set_state(self, number: int, state: str) -> None:
        if sid := self._some_conversation(number):
            self._if_twilio_lets(lambda: self.twilio.set_state(sid, state))

    @step(number=ANY)
    def remove(self, number: int) -> None:
        if sid := self._some_conversation(number):
            self.twilio.remove_conversation(sid)

    @step(number=ANY, worker=WORKER)
    def join(self, number: int, worker: str) -> None:
        if (sid := self._some_conversation(number)) and worker not in self.inside(sid):
            self.by_hand.add((sid, worker))
            self._if_twilio_lets(lambda: self.twilio.worker_join(sid, worker))

    @step(number=ANY)
    def leave(self, number: int) -> None:
        members = [(sid, identity) for sid in self.sids() for identity in self.inside(sid)]
        if members:
            sid, identity = members[number % len(members)]
            self._if_twilio_lets(lambda: self.twilio.worker_leave(sid, identity))

    # What happens to webhooks and events on their way

    @step(numbers=st.lists(ANY, min_size=1, max_size=4))
    def deliver(self, numbers: list[int]) -> None:
        for number in numbers:
            if parcel := self.network.take(number):
                self._deliver(parcel)

    @step()
    def deliver_everything(self) -> None:
        if not self._is_in_trouble:
            self.deliver_the_rest()

    @step(number=ANY)
    def deliver_again(self, number: int) -> None:
        if self.network.arrived:
            self._deliver(self.network.arrived[number % len(self.network.arrived)])

    @step(number=ANY)
    def lose(self, number: int) -> None:
        if self.network.take(number):
            self.clean = False

    @step(number=ANY, after=POINT)
    def crash(self, number: int, after: int) -> None:
        """The function dies at its n-th point."""
        parcel = self.network.take(number)
        if parcel and not self.network.deliver_interrupted(parcel, at_step(after, die)):
            self.clean = False

    @step(number=ANY, after=st.integers(1, 3))
    def lose_commit_answer(self, number: int, after: int) -> None:
        """Firestore has committed; the client sent it again, and its own precondition fails."""
        if parcel := self.network.take(number):
            self.network.deliver_interrupted(parcel, at_step(after, lose_answer, seam.COMMITTED))

    @step(number=ANY, other=ANY, after=POINT)
    def overtake(self, number: int, other: int, after: int) -> None:
        """Another delivery begins and ends between two steps of this one."""
        if parcel := self.network.take(number):
            self._overtaken(parcel, self.network.take(other), after)

    @step()
    def sweep(self) -> None:
        self._deliver(SWEEP)

    @step(after=POINT)
    def crash_sweep(self, after: int) -> None:
        self.network.deliver_interrupted(SWEEP, at_step(after, die))

    @step(number=ANY, after=POINT)
    def overtake_sweep(self, number: int, after: int) -> None:
        self._overtaken(SWEEP, self.network.take(number), after)

    # What happens to Twilio, and time

    @step(refusal=st.sampled_from(REFUSALS), times=st.sampled_from([1, 1, 2, 6]), rfc9457=st.booleans())
    def trouble(self, refusal: tuple[int | None, int], times: int, rfc9457: bool) -> None:
        """Calls fail; with a status of None Twilio does it, and its answer never arrives."""
        self._trouble()
        status, code = refusal
        self.twilio.fail(status, code, drop_answer=status is None, times=times, rfc9457=rfc9457)

    @step(worker=WORKER, limit=st.integers(0, 2))
    def limit(self, worker: str, limit: int) -> None:
        """Twilio itself takes no more for this worker."""
        self._trouble()
        self.twilio.limit_worker(worker, limit)

    @step()
    def heal(self) -> None:
        self.network.patience = 30.0
        self.twilio.heal()

    @step(seconds=st.sampled_from([10, 40, 400]))
    def wait(self, seconds: int) -> None:
        self.pass_time(seconds)

    # The end

    def teardown(self) -> None:
        try:
            self.check()
        except BaseException:
            Model.last_script = self.as_script()
            raise
        finally:
            self.dispose()

    def check(self) -> None:
        """All that is on its way arrives, and sweeps run: then every invariant has to hold."""
        self.recover()
        if self.clean:
            stuck = list(invariants.stuck(self._world()))
            assert not stuck, f"without any failure, before any sweep: {_lines(stuck)}"
        self.pass_time(400)
        self.sweep_until_quiet()
        self._check_now()

    def check_without_sweep(self) -> None:
        """Where nothing failed or was lost, every invariant has to hold as soon as all has arrived."""
        self.deliver_the_rest()
        self._check_now()

    def _check_now(self) -> None:
        tolerance = Tolerance() if self.in_turn else Tolerance(crowd=8)
        breaches = invariants.broken(self._world())
        breaches += journal.broken(self.journal.commits(), tolerance)
        assert not breaches, _lines(breaches)

    def recover(self) -> None:
        self.twilio.heal()
        self.network.patience = 30.0
        for worker in WORKERS:
            self.twilio.limit_worker(worker, 1000)
        self.deliver_the_rest()

    def deliver_the_rest(self) -> None:
        for _ in range(100):
            self.gather()
            if not self.network.outstanding:
                return
            for parcel in [self.network.take(0) for _ in self.network.outstanding[:]]:
                if parcel:
                    self._deliver(parcel)
        raise AssertionError(f"the service keeps itself busy: {self.network.outstanding[:5]}")

    def sweep_until_quiet(self) -> None:
        for _ in range(12):
            mended = self.network.sweep()
            self.gather()
            busy = bool(self.network.outstanding)
            self.deliver_the_rest()
            if not mended and not busy:
                return
        raise AssertionError(f"the sweep is never done; at last it mended {mended}")

    def dispose(self) -> None:
        for name in self.environment:
            os.environ.pop(name, None)
        clock.shift(0)
        self.triggers.detach(self.project)
        self.twilio.stop()
        self.network.stop()
        self.db.close()  # type: ignore[no-untyped-call] # untyped

    def as_script(self) -> str:
        """The run as a program: save it beside main.py and run it."""
        lines = ["from tests.reliability.model import Model, parts", "", "with parts() as Model.parts:"]
        return "\n".join(
            [*lines, *(f"    {line}" for line in ("model = Model()", *self.script, "model.teardown()"))]
        )

    # Small things

    def pass_time(self, seconds: float) -> None:
        clock.shift(seconds)
        self.twilio.advance(seconds)

    def _deliver(self, parcel: Parcel) -> None:
        if self.network.deliver(parcel) >= 300:
            self.clean = False

    def _overtaken(self, first: Parcel, second: Parcel | None, after: int) -> None:
        self.in_turn = False
        late = [second] if second else []

        def pass_by() -> None:
            while late:
                self._deliver(late.pop())

        self.network.deliver_interrupted(first, at_step(after, pass_by))
        pass_by()

    def _trouble(self) -> None:
        self.clean = False
        self.network.patience = HURRIED

    @property
    def _is_in_trouble(self) -> bool:
        return self.network.patience == HURRIED

    def _world(self) -> invariants.World:
        twilio = self.twilio.state()["conversations"]
        return invariants.observe(self.db, twilio, self.twilio.requests, self.by_hand, clock.now())

    def sids(self) -> list[str]:
        return [one["sid"] for one in self.twilio.conversations()]

    def _some_conversation(self, number: int) -> str | None:
        open_ones = [one["sid"] for one in self.twilio.conversations() if one["state"] != "closed"]
        return open_ones[number % len(open_ones)] if open_ones else None

    def inside(self, sid: str) -> list[str]:
        return [one["identity"] for one in self.twilio.participants(sid) if one["identity"]]

    def _if_twilio_lets(self, act: Callable[[], object]) -> None:
        try:
            act()
        except ApiError:
            self.script[-1] += "  # Twilio refused it"


def die() -> None:
    raise seam.Crash


def lose_answer() -> None:
    raise database.AlreadyThere("the answer to this commit was lost")


def _lines(breaches: list[invariants.Breach]) -> str:
    return "\n".join(map(str, breaches))
