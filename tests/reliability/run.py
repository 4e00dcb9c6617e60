"""One run of the state machine: what it stands on, how everything is delivered in the end, and the check.

Firestore is the emulator, Twilio the stand-in, and every function comes through the real loader. Only what is
on its way between them is in the test's hand: each webhook and event arrives when, and as often as, it says so.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar
from urllib.parse import parse_qs

from flask import Flask
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from hypothesis.stateful import RuleBasedStateMachine

from assignment import hand_over
from local.emulator import Emulator
from local.servers import LocalServer
from local.triggers import Triggers
from local.twilio import StandIn
from local.twilio.errors import ApiError
from proof import invariants
from proof.contract import Breach
from proof.journal import Journal
from proof.replay import Replay, Tolerance
from proof.windows import CLOSED, Windows, pair_of
from providers import clock, database
from tests.reliability.network import Network, Parcel, at_step
from tests.reliability.world import GREETING, NUMBERS, RECORDS, VISITOR, WORKERS
from tests.service import Apps

EVENTS = ["onConversationAdded", "onConversationStateUpdated", "onConversationRemoved"]
EVENTS += [
    "onParticipantAdded",
    "onParticipantRemoved",
    "onMessageAdded",
    "onDeliveryUpdated",
    "onMessageUpdated",
    "onMessageRemoved",
]
HURRIED = 0.9  # seconds a delivery gets while Twilio is in trouble, so that an outage does not take long
RETRIED_AFTER = 40.0  # seconds until Google delivers an event that failed once more
# A delivery that is stopped in the middle lets one pass who comes meanwhile, however long the test stops it.
OVERTAKEN = Tolerance(places=1, seconds=60)


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


class Run(RuleBasedStateMachine):
    """One run. `clean` as long as nothing failed or was lost: then no sweep may be needed."""

    parts: ClassVar[tuple[Triggers, Apps]]
    last_script: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.triggers, apps = self.parts
        self.script: list[str] = []
        self.clean = self.in_turn = True
        self.by_hand: set[tuple[str, str]] = (
            set()
        )  # who joined which conversation at Twilio
        self.dismissed: set[str] = (
            set()
        )  # workers whose records somebody has deleted, perhaps made again since
        self.edited: set[str] = (
            set()
        )  # conversations in whose records somebody has written another worker
        self.project = f"demo-{secrets.token_hex(6)}"
        self.network = Network(apps.client)
        self.twilio = StandIn(
            account_sid=f"AC{secrets.token_hex(16)}", own_numbers=NUMBERS
        )
        self.windows = Windows()
        self.journal = Journal().attach(self.triggers, self.project)
        self.network.start(self.triggers, self.project)
        self._begin()
        self.gather()

    def _begin(self) -> None:
        self.twilio.start()
        self.twilio.configure_webhooks(
            post_url=f"{self.network.url}/post-event", filters=EVENTS
        )
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
        for path, record in (RECORDS | self._template()).items():
            batch.set(self.db.document(path), record)
        batch.commit()

    def _template(self) -> dict[str, dict[str, object]]:
        """The record of a template that WhatsApp has approved."""
        sid = self.twilio.add_content("greeting", "Hello {{1}}", variables={"1": "you"})
        fields = {"content": "Hello {{Name}}", "variables": {"1": "{{Name}}"}}
        return {f"templates/{GREETING}": {"content_sid": sid, **fields}}

    def gather(self) -> None:
        """Takes in what the last step has sent; the order must not depend on threads."""
        self.triggers.drain(self.project, timeout=100)
        self.network.put_in_order()

    # The end

    def teardown(self) -> None:
        try:
            self.check()
        except BaseException:
            type(self).last_script = self.as_script()
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
        tolerance = Tolerance() if self.in_turn else OVERTAKEN
        breaches = invariants.broken(self._world())
        breaches += Replay(tolerance, self.edited).all(self.journal.commits())
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
            failed = len(self.network.failed)
            for parcel in [self.network.take(0) for _ in self.network.outstanding[:]]:
                if parcel:
                    self._deliver(parcel)
            if len(self.network.failed) > failed:
                self.pass_time(RETRIED_AFTER)
        raise AssertionError(
            f"the service keeps itself busy: {self.network.outstanding[:5]}"
        )

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
        imports = [
            "from tests.reliability.model import Model",
            "from tests.reliability.run import parts",
        ]
        lines = [*imports, "", "with parts() as Model.parts:"]
        return "\n".join(
            [
                *lines,
                *(
                    f"    {line}"
                    for line in ("model = Model()", *self.script, "model.teardown()")
                ),
            ]
        )

    # Small things

    def pass_time(self, seconds: float) -> None:
        clock.shift(seconds)
        self.twilio.advance(seconds)

    def customer_writes(self, customer: str, number: str, text: str) -> None:
        """A message of theirs, which also opens the window of 24 hours."""
        prefix = "whatsapp:" if number.startswith("whatsapp:") else ""
        address = prefix + customer
        self.twilio.refuse_delivery(address, 0, "delivered")
        self.windows.customer_wrote(address, number, clock.now())
        self.twilio.inbound(address, number, text)

    def _deliver(self, parcel: Parcel) -> None:
        if self.network.deliver(parcel) >= 300:
            self.clean = False
        elif parcel.about == "onDeliveryUpdated":
            self._note_closed_window(parcel)

    def _note_closed_window(self, parcel: Parcel) -> None:
        """The service has taken this receipt. If it says that a window is closed, the service knows that now."""
        form = parse_qs(parcel.body.decode())
        if form.get("ErrorCode") != [str(CLOSED)]:
            return
        found = self.twilio.state()["conversations"]
        at_twilio = {one["sid"]: one for one in found}
        conversation = at_twilio.get(form["ConversationSid"][0])
        pair = pair_of(conversation) if conversation else None
        if conversation is None or pair is None:
            return
        messages = [message for one in found for message in one["messages"]]
        failed = form["MessageSid"][0]
        for message in conversation["messages"]:
            if message["sid"] == failed:
                self.windows.closed(pair, message, messages)

    def _by_a_worker(self, act: Callable[[], None]) -> None:
        """Something that the inbox does for a worker; it may be refused, or be too late."""
        try:
            with clock.within(self.network.patience):
                act()
        except (hand_over.Refused, database.LostRace):
            return

    def _some_entry(self, number: int) -> firestore.DocumentReference | None:
        entries = sorted(
            one.id for one in self.db.collection("pending_conversations").stream()
        )
        return (
            self.db.document(f"pending_conversations/{entries[number % len(entries)]}")
            if entries
            else None
        )

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
        seen = (twilio, self.twilio.requests, self.by_hand, clock.now(), self.dismissed)
        return invariants.observe(self.db, *seen, windows=self.windows)

    def sids(self) -> list[str]:
        return [one["sid"] for one in self.twilio.conversations()]

    def _some_conversation(self, number: int) -> str | None:
        open_ones = [
            one["sid"]
            for one in self.twilio.conversations()
            if one["state"] != "closed"
        ]
        return open_ones[number % len(open_ones)] if open_ones else None

    def inside(self, sid: str) -> list[str]:
        return [
            one["identity"] for one in self.twilio.participants(sid) if one["identity"]
        ]

    def is_settled(self, identity: str) -> bool:
        """Whether it is certain that they are a worker, or are none: one may still get a record."""
        return (
            identity == VISITOR or self.db.document(f"workers/{identity}").get().exists
        )

    def _if_twilio_lets(self, act: Callable[[], object]) -> None:
        try:
            act()
        except ApiError:
            self.script[-1] += "  # Twilio refused it"


def _lines(breaches: list[Breach]) -> str:
    return "\n".join(map(str, breaches))
