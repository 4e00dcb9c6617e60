"""The service as a state machine: anything may happen to it in any order; in the end the invariants must hold."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from assignment import hand_over
from proof import seam, windows
from providers import database
from tests.reliability.network import SWEEP, at_step
from tests.reliability.run import Run
from tests.reliability.world import (
    CUSTOMERS,
    GREETING,
    NUMBERS,
    POOLS,
    VISITOR,
    WORKERS,
)

Step = TypeVar("Step", bound=Callable[..., None])
ANY = st.integers(0, 40)  # picks one of however many there are
TEXTS: dict[str, Any] = {
    "text": "{{Author}} is here.",
    "template": {"template": GREETING},
}
POINT = st.integers(1, 12)  # how many steps a delivery gets before it is interrupted
WORKER = st.sampled_from(WORKERS)
STATUS = st.sampled_from(
    ["Available", "Available", "Available", "Unavailable", "Unavailable", "available"]
)
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


class Model(Run):
    """What customers, workers, operators, the network and Twilio may do to the service."""

    @initialize(seconds=st.sampled_from([None, 60, 300]))
    def begin(self, seconds: int | None) -> None:
        """How long the firm lets a customer of its first pool wait for an answer."""
        self.set_patience(pool="default", seconds=seconds, times=None)

    # What customers, workers and operators do

    @step(
        letters=st.lists(
            st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(NUMBERS)),
            min_size=1,
            max_size=4,
        )
    )
    def write(self, letters: list[tuple[str, str]]) -> None:
        """Customers write: new conversations, or one more message in an open one."""
        for customer, number in letters:
            self.pass_time(1)
            self.customer_writes(customer, number, "Hello")

    @step(
        customer=st.sampled_from(CUSTOMERS),
        number=st.sampled_from(NUMBERS),
        word=st.sampled_from(["STOP", "stop", "START", "HELP"]),
    )
    def write_a_word(self, customer: str, number: str, word: str) -> None:
        """A customer opts out, or in again: the first message of a conversation, or a later one."""
        self.pass_time(1)
        self.customer_writes(customer, number, word)

    @step(number=ANY)
    def answer(self, number: int) -> None:
        """A worker writes in a conversation that they are in; or a visitor, who answers no customer."""
        members = [
            (sid, one)
            for sid in self.sids()
            for one in self.inside(sid)
            if self.is_settled(one)
        ]
        if members:
            sid, identity = members[number % len(members)]
            self.pass_time(1)
            self._if_twilio_lets(
                lambda: self.twilio.worker_message(sid, identity, "How can I help?")
            )

    @step(
        pool=st.sampled_from(POOLS),
        seconds=st.sampled_from([None, 30, 300]),
        times=st.sampled_from([None, 1, 2]),
    )
    def set_patience(self, pool: str, seconds: int | None, times: int | None) -> None:
        fields = {"answer_within": seconds, "unavailable_after": times}
        self.db.document(f"pools/{pool}").set(fields, merge=True)

    @step(workers=st.lists(WORKER, min_size=1, max_size=3, unique=True), status=STATUS)
    def set_status(self, workers: list[str], status: str) -> None:
        for worker in workers:
            self.db.document(f"workers/{worker}").set({"status": status}, merge=True)

    @step(worker=WORKER)
    def dismiss(self, worker: str) -> None:
        """Somebody deletes the worker's record; a status that is set later makes it again."""
        self.dismissed.add(worker)
        self.db.document(f"workers/{worker}").delete()

    @step(worker=WORKER, capacity=st.sampled_from([0, 1, 3, None, "many"]))
    def set_capacity(self, worker: str, capacity: int | str | None) -> None:
        self.db.document(f"workers/{worker}").set({"capacity": capacity}, merge=True)

    @step(
        worker=WORKER,
        pools=st.sampled_from([["default"], ["sales"], ["default", "sales"], []]),
    )
    def set_pools(self, worker: str, pools: list[str]) -> None:
        self.db.document(f"workers/{worker}").set({"pools": pools}, merge=True)

    @step(pool=st.sampled_from(POOLS), capacity=st.sampled_from([1, 2, 5]))
    def set_pool_capacity(self, pool: str, capacity: int) -> None:
        """No event tells of it: the next one to look, or the sweep, finds out."""
        self.clean = False
        self.db.document(f"pools/{pool}").set({"capacity": capacity}, merge=True)

    @step(
        pool=st.sampled_from(POOLS),
        overflow=st.sampled_from([None, *POOLS, "key"]),
        after=st.sampled_from([None, 0, 30, 300]),
    )
    def set_overflow(self, pool: str, overflow: str | None, after: int | None) -> None:
        fields = {"overflow": overflow, "overflow_after": after}
        self.db.document(f"pools/{pool}").set(fields, merge=True)

    @step(
        own_worker=st.sampled_from(["always", "available", "wait", "wait"]),
        wait=st.sampled_from([30, 300]),
    )
    def set_own_worker(self, own_worker: str, wait: int) -> None:
        fields = {"own_worker": own_worker, "own_worker_wait": wait}
        self.db.document("settings/routing").set(fields, merge=True)

    @step(number=ANY, priority=st.sampled_from([-1, 0, 5]))
    def set_priority(self, number: int, priority: int) -> None:
        if entry := self._some_entry(number):
            entry.update({"priority": priority})

    @step(number=ANY, pool=st.sampled_from(POOLS))
    def move(self, number: int, pool: str) -> None:
        """No event tells of it: the next one to look, or the sweep, finds out."""
        if entry := self._some_entry(number):
            self.clean = False
            entry.update({"pool": pool})

    @step(number=ANY, worker=st.sampled_from([None, *WORKERS]))
    def edit_worker(self, number: int, worker: str | None) -> None:
        """In the console. Of one that is on its way to somebody the sweep sees whom a person means."""
        records = {
            one.id: one.to_dict() or {}
            for one in self.db.collection("conversations").stream()
        }
        with_worker = [sid for sid in sorted(records) if records[sid].get("worker")]
        if with_worker:
            sid = with_worker[number % len(with_worker)]
            self.edited.add(sid)
            self.clean &= records[sid].get("lease_until") is None
            self.db.document(f"conversations/{sid}").update({"worker": worker})

    @step(number=ANY, to=st.sampled_from(["queue", *POOLS, *WORKERS]))
    def hand_over(self, number: int, to: str) -> None:
        """A worker who is in it hands it over, as in the inbox."""
        members = [
            (sid, identity) for sid in self.sids() for identity in self.inside(sid)
        ]
        if members:
            sid, identity = members[number % len(members)]
            self._by_a_worker(
                lambda: HAND_OVERS.get(to, to_a_worker(to))(sid, identity)
            )

    @step(
        number=ANY, state=st.sampled_from(["inactive", "inactive", "active", "closed"])
    )
    def set_state(self, number: int, state: str) -> None:
        if sid := self._some_conversation(number):
            self._if_twilio_lets(lambda: self.twilio.set_state(sid, state))

    @step(number=ANY)
    def remove(self, number: int) -> None:
        if sid := self._some_conversation(number):
            self.twilio.remove_conversation(sid)

    @step(number=ANY, worker=st.sampled_from([*WORKERS, VISITOR]))
    def join(self, number: int, worker: str) -> None:
        if (sid := self._some_conversation(number)) and worker not in self.inside(sid):
            self.by_hand.add((sid, worker))
            self._if_twilio_lets(lambda: self.twilio.worker_join(sid, worker))

    @step(number=ANY)
    def leave(self, number: int) -> None:
        members = [
            (sid, identity) for sid in self.sids() for identity in self.inside(sid)
        ]
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

    @step(
        letters=st.lists(
            st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(NUMBERS)),
            min_size=1,
            max_size=6,
        ),
        hours=st.sampled_from([1, 30]),
    )
    def outage(self, letters: list[tuple[str, str]], hours: int) -> None:
        """For hours every webhook is lost and no sweep runs, while customers write. The very first sweep looks one hour
        back, so one has run before."""
        self.clean = False
        self.network.sweep()
        self.network.lose_webhooks()
        self.network.is_down = True
        for customer, number in letters:
            self.pass_time(hours * 3600 / len(letters))
            self.customer_writes(customer, number, "Hello")
        self.network.is_down = False

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
            self.network.deliver_interrupted(
                parcel, at_step(after, lose_answer, seam.COMMITTED)
            )

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

    @step(
        refusal=st.sampled_from(REFUSALS),
        times=st.sampled_from([1, 1, 2, 6]),
        rfc9457=st.booleans(),
    )
    def trouble(
        self, refusal: tuple[int | None, int], times: int, rfc9457: bool
    ) -> None:
        """Calls fail; with a status of None Twilio does it, and its answer never arrives."""
        self._trouble()
        status, code = refusal
        self.twilio.fail(
            status, code, drop_answer=status is None, times=times, rfc9457=rfc9457
        )

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

    @step(hours=st.sampled_from([23, 25]))
    def wait_long(self, hours: int) -> None:
        """Until WhatsApp's 24 hours are nearly over, or over."""
        self.pass_time(hours * 3600)

    @step(customer=st.sampled_from(CUSTOMERS))
    def close_window(self, customer: str) -> None:
        """WhatsApp takes no free text for this customer any more, whenever they wrote; their next message opens it."""
        self.twilio.refuse_delivery(f"whatsapp:{customer}", windows.CLOSED, "failed")

    @step(pool=st.sampled_from(POOLS), text=st.sampled_from([*TEXTS]))
    def set_assigned_text(self, pool: str, text: str) -> None:
        self.db.document(f"pools/{pool}").update({"texts.assigned": TEXTS[text]})


def to_a_worker(heir: str) -> Callable[[str, str], None]:
    return lambda sid, identity: hand_over.to_worker(sid, identity, heir)


HAND_OVERS: dict[str, Callable[[str, str], None]] = {
    "queue": hand_over.to_queue,
    "default": lambda sid, identity: hand_over.to_pool(sid, identity, "default"),
    "sales": lambda sid, identity: hand_over.to_pool(sid, identity, "sales"),
}


def die() -> None:
    raise seam.Crash


def lose_answer() -> None:
    raise database.AlreadyThere("the answer to this commit was lost")
