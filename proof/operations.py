"""Each thing that the service does, done once by the real functions, with what it read and wrote counted."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from flask.testing import FlaskClient
from google.cloud import firestore

from functions.http import trigger
from local.triggers import Event, Triggers
from local.twilio import StandIn
from proof import population, webhooks
from proof.meter import Counts, Meter
from proof.population import ADA, CLOSES, CROWD, NEWS, OTHER, PULLS, SALES, VIP
from providers import customers

_PATIENCE = (
    30.0  # seconds for an event, on a busy machine with a hundred thousand documents
)


class ClientFor(Protocol):
    """Flask's test client of a function of main.py."""

    def __call__(self, name: str, /) -> FlaskClient: ...


class Operations:
    """Operations on one project that `population.fill` has filled. The environment names the meter."""

    def __init__(
        self,
        client_for: ClientFor,
        triggers: Triggers,
        db: firestore.Client,
        standin: StandIn,
        meter: Meter,
    ) -> None:
        self._client_for, self._db, self._standin, self._meter = (
            client_for,
            db,
            standin,
            meter,
        )
        self._events: queue.Queue[Event] = queue.Queue()
        self._log: queue.Queue[Event] = queue.Queue()
        customers.key()  # read once in a process' life
        for number in (SALES, CROWD, VIP, NEWS, OTHER):
            standin.set_autocreate(number)
        triggers.attach(
            db.project, "worker_available", "workers/{identity}", self._noted
        )
        triggers.attach(
            db.project,
            "conversation_written",
            "conversations/{sid}",
            self._written_down,
        )
        self._number = 0
        self.all: dict[str, Callable[[], Counts]] = {
            "routed, pool by number": lambda: self._routed(SALES, "assigned"),
            "routed, default pool": lambda: self._routed(OTHER, "assigned"),
            "routed, custom": lambda: self._routed(VIP, "assigned", ADA),
            "not routed": lambda: self._routed(NEWS, "unrouted"),
            "queued": self._queued,
            "pulled": self._pulled,
            "closed": self._closed,
            "delivered again": self._again,
            "event of our own write": self._own_write,
            "pre-event": self._pre_event,
            "customer introduced": self._introduced,
            "worker's own arrival": self._arrival,
            "customer's message": self._asked,
            "worker's answer": self._answered,
            "message told again": self._told_again,
            "event of a claim": lambda: self._step(SALES, "assigning"),
            "event of an assignment, no texts": lambda: self._step(SALES, "assigned"),
            "event of a message in hand": self._message_event,
            "event of one who waits, no texts": lambda: self._step(CROWD, "queued"),
            "event of one who waits, with a text": self._text,
            "sweep, nothing to do": self._swept,
        }

    def _noted(self, event: Event) -> int:
        self._events.put(event)
        return 200

    def _written_down(self, event: Event) -> int:
        self._log.put(event)
        return 200

    def _event(self, document: str) -> Event:
        """The newest event of this document."""
        while (event := self._events.get(timeout=_PATIENCE)).document != document:
            pass
        return event

    def _forget_events(self) -> None:
        while not self._events.empty():
            self._events.get()

    def _post(self, name: str, form: dict[str, str]) -> Counts:
        """Only what this one delivery costs; the events that follow from it are operations of their own."""
        os.environ["WEBHOOK_BASE_URL"] = "http://functions.test"
        url = f"http://functions.test/{name.replace('_', '-')}"
        headers, body = webhooks.signed(
            url, form, self._standin.auth_token, self._standin.account_sid
        )
        return self._counted(
            lambda: self._client_for(name).post("/", data=body, headers=headers)
        )

    def _deliver(self, event: Event, to: str = "worker_available") -> Counts:
        client = self._client_for(to)
        return self._counted(
            lambda: client.post("/", data=event.body, headers=event.headers)
        )

    def _counted(self, request: Callable[[], Any]) -> Counts:
        self._meter.reset()
        answer = request()
        if answer.status_code not in (200, 204):
            raise RuntimeError(
                f"The function answered {answer.status_code}: {answer.text}"
            )
        return self._meter.counts()

    def _written(self, number: str, address: str | None = None) -> tuple[str, str]:
        """A new conversation at Twilio, whose webhooks are ours to send; its sid and the customer's address."""
        self._number += 1
        address = address or f"+1555777{self._number:04}"
        conversation = self._standin.inbound(
            from_=address, to=number, body="Hello"
        ).conversation_sid
        if conversation is None:
            raise RuntimeError(
                f"Twilio made no conversation for a message to {number}."
            )
        return conversation, address

    def _routed(self, number: str, state: str, address: str | None = None) -> Counts:
        conversation, address = self._written(number, address)
        counts = self._post("post_event", self._added(conversation, address, number))
        found = self._state(conversation)
        if found != state:
            raise RuntimeError(f"The conversation is {found} instead of {state}.")
        return counts

    def _queued(self) -> Counts:
        """Behind one who waits already: that one is seen, and however many wait behind it are not."""
        self._routed(CROWD, "queued")
        return self._routed(CROWD, "queued")

    def _pulled(self) -> Counts:
        """A worker of the crowded pool turns Available, with room for one, and something waits."""
        self._queued()
        self._known_to_twilio()
        return self._available(PULLS)

    def _known_to_twilio(self) -> None:
        """The oldest of the crowd exists at Twilio, too: a seeded one is replaced by a written one."""
        conversation, address = self._written(CROWD)
        _, fields = population.conversation(0, "queued", "crowd", address=address)
        older = fields["queued_at"].replace(year=2020)
        service = self._standin.default_service_sid
        fields |= {"queued_at": older, "service_sid": service}
        entry = {
            "pool": "crowd",
            "priority": 0,
            "queued_at": older,
            "excluded_workers": [],
        }
        records = [
            (f"conversations/{conversation}", fields),
            (f"pending_conversations/{conversation}", entry),
        ]
        population.write(self._db, records)

    def _available(self, identity: str) -> Counts:
        self._forget_events()
        self._db.document(f"workers/{identity}").update({"status": "Available"})
        counts = self._deliver(self._event(f"workers/{identity}"))
        held = self._db.document(f"workers/{identity}").get().get("active")
        if held != 1:
            raise RuntimeError(f"{identity} holds {held} conversations instead of 1.")
        return counts

    def _closed(self) -> Counts:
        """Its worker is Unavailable by now, so nothing is pulled for the slot."""
        self._known_to_twilio()
        self._available(CLOSES)
        conversations = self._db.collection("conversations")
        held = next(iter(conversations.where(filter=_is("worker", CLOSES)).stream()))
        self._db.document(f"workers/{CLOSES}").update({"status": "Unavailable"})
        return self._post(
            "post_event", webhooks.closed(held.id, self._standin.default_service_sid)
        )

    def _again(self) -> Counts:
        conversation, address = self._written(SALES)
        form = self._added(conversation, address, SALES)
        self._post("post_event", form)
        return self._post("post_event", form)

    def _own_write(self) -> Counts:
        """The count of a worker who was just given a conversation has grown."""
        self._forget_events()
        self._routed(SALES, "assigned")
        return self._deliver(self._events.get(timeout=_PATIENCE))

    def _pre_event(self) -> Counts:
        return self._post("pre_event", webhooks.conversation_add(ADA, SALES))

    def _introduced(self) -> Counts:
        conversation, address = self._written(VIP, ADA)
        participant = self._participant(conversation, None)
        service = self._standin.default_service_sid
        who = {"address": address, "proxy": VIP}
        form = webhooks.participant_added(conversation, service, participant, **who)
        return self._post("post_event", form)

    def _arrival(self) -> Counts:
        """Twilio tells of the participant whom the service itself has added."""
        conversation, address = self._written(SALES)
        self._post("post_event", self._added(conversation, address, SALES))
        worker = self._db.document(f"conversations/{conversation}").get().get("worker")
        participant = self._participant(conversation, worker)
        service = self._standin.default_service_sid
        form = webhooks.participant_added(
            conversation, service, participant, identity=worker
        )
        return self._post("post_event", form)

    def _in_hand(self) -> tuple[str, str]:
        """A conversation with a worker, and their identity."""
        conversation, address = self._written(SALES)
        self._post("post_event", self._added(conversation, address, SALES))
        return conversation, str(
            self._db.document(f"conversations/{conversation}").get().get("worker")
        )

    def _asked(self) -> Counts:
        conversation, _ = self._in_hand()
        return self._post(
            "post_event", webhooks.message_added(conversation, 0, "+15557770000", "SMS")
        )

    def _answered(self) -> Counts:
        conversation, worker = self._in_hand()
        return self._post(
            "post_event", webhooks.message_added(conversation, 1, worker, "SDK")
        )

    def _told_again(self) -> Counts:
        conversation, worker = self._in_hand()
        form = webhooks.message_added(conversation, 1, worker, "SDK")
        self._post("post_event", form)
        return self._post("post_event", form)

    def _step(self, number: str, state: str) -> Counts:
        """The event of a new conversation that has just reached this state."""
        conversation, address = self._written(number)
        self._post("post_event", self._added(conversation, address, number))
        return self._deliver(self._step_of(conversation, state), "conversation_written")

    def _step_of(self, conversation: str, state: str) -> Event:
        while True:
            event = self._log.get(timeout=_PATIENCE)
            after = trigger.unpack(event.body).after or {}
            if (
                event.document == f"conversations/{conversation}"
                and after.get("state") == state
            ):
                return event

    def _message_event(self) -> Counts:
        """Of a customer's message in a conversation that somebody has."""
        conversation, _ = self._in_hand()
        self._step_of(conversation, "assigned")
        self._post(
            "post_event", webhooks.message_added(conversation, 0, "+15557770000", "SMS")
        )
        return self._deliver(
            self._step_of(conversation, "assigned"), "conversation_written"
        )

    def _text(self) -> Counts:
        """The customer hears their place in the queue, and how long it may take."""
        pool = self._db.document("pools/crowd")
        pool.update({"texts": {"queued": "Number {{Position}}. In about {{Wait}}."}})
        try:
            return self._step(CROWD, "queued")
        finally:
            pool.update({"texts": firestore.DELETE_FIELD})

    def _swept(self) -> Counts:
        """One of the 59 runs in an hour that do not look at the templates' approvals."""
        self._db.document("service/sweep").set(
            {"templates_checked_at": datetime.now(UTC)}, merge=True
        )
        return self._counted(lambda: self._client_for("sweep").post("/"))

    def _added(self, conversation: str, address: str, number: str) -> dict[str, str]:
        return webhooks.conversation_added(
            conversation, self._standin.default_service_sid, address, number
        )

    def _participant(self, conversation: str, identity: str | None) -> str:
        found = self._standin.participants(conversation)
        return str(next(p["sid"] for p in found if p.get("identity") == identity))

    def _state(self, conversation: str) -> str:
        return str(
            self._db.document(f"conversations/{conversation}").get().get("state")
        )


def _is(field: str, value: str) -> Any:
    from google.cloud.firestore_v1.base_query import FieldFilter

    return FieldFilter(field, "==", value)
