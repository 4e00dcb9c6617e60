"""Takes the emulator's Firestore events and delivers them in parallel and again, as production does."""

import base64
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import urllib3
from flask import Blueprint, Response, request

from local.emulator import Emulator

_FENCE = "local_fence"
_PARALLEL = 16
_PATIENCE_OF_SHUFFLE = 0.05


@dataclass(frozen=True)
class Event:
    """One event as a function gets it: `ce-*` headers and the raw protobuf."""

    project: str
    trigger: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> str:
        """The document's path, such as workers/john@example.com."""
        return self.headers.get("ce-document", "")


Target = str | Callable[[Event], int]


@dataclass(frozen=True)
class Behaviour:
    """How events reach a function; the default is production on a good day, with its waits shortened."""

    twice: bool = False
    shuffle: int = 0  # events held back and delivered in random order
    delay: float = 0  # seconds before each delivery
    drop: float = 0  # share of events that never arrive, 0 to 1
    serial: bool = False  # one at a time, in order, as the emulator does
    retry_after: tuple[float, ...] = (
        0.1,
        0.2,
        0.5,
        1,
        2,
    )  # seconds; in production 10 to 600, for 24 hours


@dataclass(frozen=True)
class Delivery:
    """What came of one attempt; status 0 means that nobody answered."""

    event: Event
    attempt: int
    status: int


@dataclass
class _Trigger:
    target: Target
    behaviour: Behaviour
    held: list[Event] = field(default_factory=list)


class Triggers:
    """The receiver (`blueprint`) and the deliveries; connect it to the emulator before attaching a target."""

    def __init__(self) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=1000)
        self.default = Behaviour()
        self._emulator: Emulator | None = None
        self._triggers: dict[tuple[str, str], _Trigger] = {}
        self._changed = threading.Condition()
        self._in_flight: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._fences: set[str] = set()
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="trigger")
        self._in_order = ThreadPoolExecutor(1, thread_name_prefix="trigger-serial")
        self._http = urllib3.PoolManager(maxsize=_PARALLEL, retries=False, timeout=60)

    def connect(self, emulator: Emulator) -> None:
        """The emulator whose events these are."""
        self._emulator = emulator

    @property
    def emulator(self) -> Emulator:
        """The emulator whose events these are."""
        if self._emulator is None:
            raise ValueError("Triggers.connect(emulator) comes first.")
        return self._emulator

    def attach(
        self,
        project: str,
        trigger: str,
        pattern: str,
        target: Target,
        behaviour: Behaviour | None = None,
    ) -> None:
        """From now on `target` gets every write of a document of `project` that matches `pattern`."""
        self._triggers[project, trigger] = _Trigger(target, behaviour or self.default)
        self.emulator.register_trigger(project, trigger, pattern)

    def detach(self, project: str) -> None:
        """Events of this project go nowhere from now on."""
        for key in [key for key in self._triggers if key[0] == project]:
            del self._triggers[key]

    def behave(
        self, project: str | None = None, trigger: str | None = None, **how: Any
    ) -> None:
        """Change how events arrive, everywhere or of one project or trigger; `how` as in Behaviour, {} heals."""
        behaviour = Behaviour(**how)
        if project is None:
            self.default = behaviour
        for key, known in self._triggers.items():
            if project in (None, key[0]) and trigger in (None, key[1]):
                known.behaviour = behaviour

    def blueprint(self) -> Blueprint:
        """Where the emulator posts; answers at once, so that the next event need not wait."""
        receiver = Blueprint("triggers", __name__)

        @receiver.post("/functions/projects/<project>/triggers/<trigger>")
        def receive(project: str, trigger: str) -> Response:
            headers = {
                name.lower(): value
                for name, value in request.headers
                if name.lower().startswith("ce-")
            }
            headers["ce-source"] = headers.get("ce-source", "").replace(
                "/projects/projects/", "/projects/"
            )
            headers["content-type"] = "application/protobuf"
            self.accept(
                Event(project, trigger, headers, base64.b64decode(request.get_data()))
            )
            return Response(status=200)

        return receiver

    def accept(self, event: Event) -> None:
        """Take one event and see to its delivery without waiting for it."""
        if event.trigger == _FENCE:
            with self._changed:
                self._fences.add(event.document)
                self._changed.notify_all()
            return
        trigger = self._triggers.get((event.project, event.trigger))
        if trigger is None or random.random() < trigger.behaviour.drop:
            return
        copies = 2 if trigger.behaviour.twice else 1
        with self._changed:
            self._accepted[event.project] += 1
            self._in_flight[event.project] += copies
            trigger.held.extend([event] * copies)
            full = len(trigger.held) >= trigger.behaviour.shuffle
        if full:
            self._release(trigger)
        else:
            threading.Timer(_PATIENCE_OF_SHUFFLE, self._release, (trigger,)).start()

    def _release(self, trigger: _Trigger) -> None:
        with self._changed:
            events, trigger.held = trigger.held, []
        if trigger.behaviour.shuffle:
            random.shuffle(events)
        pool = self._in_order if trigger.behaviour.serial else self._pool
        for event in events:
            pool.submit(self._deliver, trigger, event)

    def _deliver(self, trigger: _Trigger, event: Event, attempt: int = 1) -> None:
        """Until it succeeds, or all attempts are used up. Nobody waits in the pool for the next attempt's time."""
        behaviour, status = trigger.behaviour, 0
        try:
            if attempt == 1:
                time.sleep(behaviour.delay)
            status = self._hand_over(trigger.target, event)
        finally:
            self.deliveries.append(Delivery(event, attempt, status))
            is_attached = self._triggers.get((event.project, event.trigger)) is trigger
            if (
                200 <= status < 300
                or not is_attached
                or attempt > len(behaviour.retry_after)
            ):
                self._done_with(event)
            else:
                wait = behaviour.retry_after[attempt - 1]
                threading.Timer(
                    wait, self._once_more, (trigger, event, attempt + 1)
                ).start()

    def _once_more(self, trigger: _Trigger, event: Event, attempt: int) -> None:
        try:
            self._pool.submit(self._deliver, trigger, event, attempt)
        except RuntimeError:  # closed meanwhile
            self._done_with(event)

    def _done_with(self, event: Event) -> None:
        with self._changed:
            self._in_flight[event.project] -= 1
            self._changed.notify_all()

    def _hand_over(self, target: Target, event: Event) -> int:
        if callable(target):
            return target(event)
        try:
            return self._http.request(
                "POST", target, body=event.body, headers=event.headers
            ).status
        except urllib3.exceptions.HTTPError:
            return 0

    def count(self, project: str) -> int:
        """How many events of this project have been accepted so far."""
        return self._accepted[project]

    def drain(self, project: str, timeout: float = 15) -> None:
        """Wait until no event of this project is under way, in the emulator or here; raises TimeoutError."""
        end = time.monotonic() + timeout
        while True:
            self._wait(
                lambda: self._in_flight[project] == 0,
                end,
                f"deliveries of events of {project}",
            )
            before = self._accepted[project]
            self._pass_a_fence(project, end)
            if self._accepted[project] == before:
                return

    def _pass_a_fence(self, project: str, end: float) -> None:
        """The emulator posts events one after another: once this write's is here, all earlier ones are."""
        if (project, _FENCE) not in self._triggers:
            self.attach(project, _FENCE, f"{_FENCE}/{{fence}}", "")
        document = f"{_FENCE}/{random.getrandbits(64):x}"
        url = f"http://{self.emulator.host}/v1/projects/{project}/databases/(default)/documents/{document}"
        self._http.request(
            "PATCH", url, json={"fields": {}}, headers={"Authorization": "Bearer owner"}
        )
        self._wait(lambda: document in self._fences, end, "the emulator's events")
        self._fences.discard(document)
        self._http.request("DELETE", url, headers={"Authorization": "Bearer owner"})

    def _wait(self, done: Callable[[], bool], end: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(done, max(0, end - time.monotonic())):
                raise TimeoutError(f"Still waiting for {what}.")

    def close(self) -> None:
        """Deliver nothing more."""
        self._triggers.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._in_order.shutdown(wait=False, cancel_futures=True)
