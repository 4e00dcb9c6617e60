"""The story that `run` tells: customers write, wait in the queue and get their workers, each step checked."""

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from local import sample_data
from local.report import Report
from local.sample_data import (
    ALICE,
    ANNOUNCEMENTS,
    BOB,
    CAROL,
    DAN,
    KEY_ACCOUNTS,
    RECEPTION,
    SALES,
    WHATSAPP,
)
from local.stack import Stack
from local.twilio.errors import ApiError
from local.worker_app import Inbox, RefusedError

if TYPE_CHECKING:
    from local.twilio import StandIn

ADA, GRACE, EDSGER = "+447700900001", "+447700900002", "+447700900003"
STRANGER, BUYER, READER, LATECOMER = (
    "+447700900011",
    "+447700900012",
    "+447700900013",
    "+447700900014",
)


class CannotGoOnError(Exception):
    """What happens next needs what went wrong."""


class Scenario:
    """One telling of it, over a running stack whose project is empty."""

    def __init__(self, stack: Stack, report: Report | None = None) -> None:
        if stack.standin is None:
            raise ValueError("The scenario needs the stand-in.")
        self.standin: StandIn = stack.standin
        self.host = stack.emulator.host
        self.project = stack.options.project
        self.db = sample_data.client(self.host, self.project)
        self.url = stack.url
        self.inboxes: dict[str, Inbox] = {}
        self.report = report or Report()

    def play(self) -> bool:
        """All steps in order; whether everything came out right."""
        try:
            self.tell_all()
        except (CannotGoOnError, RefusedError, ApiError) as error:
            self.report.fail(f"the story cannot go on: {error}")
        return self.report.close()

    def tell_all(self) -> None:
        self.known_customer_with_a_worker()
        self.number_that_is_not_routed()
        stranger, grace, edsger, buyer = self.nobody_is_available()
        self.workers_turn_available(stranger, grace, edsger, buyer)
        latecomer = self.everybody_is_full(edsger)
        self.a_worker_hands_back(grace, edsger, latecomer)
        self.a_conversation_is_closed(stranger, grace)
        self.the_queue_empties(edsger, latecomer)
        self.a_worker_is_free(grace)
        self.the_counts_are_true()

    def known_customer_with_a_worker(self) -> None:
        self.report.step(
            "Ada, whose own worker is Carol, writes to Key accounts. Carol is Unavailable."
        )
        sid = self.write(ADA, KEY_ACCOUNTS, "Good morning, Carol!")
        self.expect_held(
            sid,
            CAROL,
            "Carol is in the conversation all the same: she is Ada's own worker",
        )
        self.report.expect(
            "it is called Ada Byron", lambda: self.name_of(sid), "Ada Byron"
        )
        self.report.expect(
            "its participant is customer ada", lambda: self.customer_id(sid, ADA), "ada"
        )
        self.tell(sid)

    def number_that_is_not_routed(self) -> None:
        self.report.step(
            "A reader writes to Announcements, a number that is not routed."
        )
        sid = self.write(READER, ANNOUNCEMENTS, "Thanks for the news.")
        self.report.expect(
            "it is in the log as unrouted", lambda: self.state(sid), "unrouted"
        )
        self.report.expect("nobody is in it", lambda: self.workers_in(sid), [])
        self.tell(sid)

    def nobody_is_available(self) -> tuple[str, str, str, str]:
        self.report.step("A stranger writes to Reception. Nobody is Available.")
        stranger = self.write(STRANGER, RECEPTION, "Is anybody there?")
        self.expect_queue("default", [stranger], "it waits in Reception's queue")
        self.report.expect(
            "the stranger has a customer record", lambda: self.records_of(STRANGER), 1
        )
        self.tell(stranger)
        self.report.step(
            "Grace, a customer without a worker of her own, writes to Reception."
        )
        grace = self.write(GRACE, RECEPTION, "Me too.")
        self.expect_queue(
            "default", [stranger, grace], "it waits behind the stranger's"
        )
        self.report.step("Edsger, known by his bare number, writes over WhatsApp.")
        edsger = self.write(f"whatsapp:{EDSGER}", WHATSAPP, "Hello")
        self.report.expect(
            "he is recognised", lambda: self.name_of(edsger), "Edsger Dijkstra"
        )
        self.expect_queue(
            "default", [stranger, grace, edsger], "it waits behind Grace's"
        )
        self.report.step(
            "A buyer writes to Sales, and a moment later a second message."
        )
        buyer = self.write(BUYER, SALES, "What does it cost?")
        again = self.write(BUYER, SALES, "Hello?")
        self.report.expect(
            "both messages are in one conversation", lambda: again, buyer
        )
        self.expect_queue("sales", [buyer], "it waits in Sales' queue")
        return stranger, grace, edsger, buyer

    def workers_turn_available(
        self, stranger: str, grace: str, edsger: str, buyer: str
    ) -> None:
        self.report.step(
            "Alice turns Available. Each of Reception has room for one conversation."
        )
        self.turn(ALICE, "Available")
        self.expect_held(
            stranger, ALICE, "she gets the stranger, who has waited longest"
        )
        self.report.expect("she is full", lambda: self.worker(ALICE).get("full"), True)
        self.tell(stranger)
        self.report.step("Bob turns Available.")
        self.turn(BOB, "Available")
        self.expect_held(grace, BOB, "he gets Grace, the next")
        self.expect_queue("default", [edsger], "Edsger goes on waiting: both are full")
        self.report.step("Dan of Sales turns Available.")
        self.turn(DAN, "Available")
        self.expect_held(buyer, DAN, "he gets the buyer")
        self.expect_queue(
            "default", [edsger], "Edsger still waits: Dan is not of Reception"
        )

    def everybody_is_full(self, edsger: str) -> str:
        self.report.step("Another stranger writes to Reception.")
        sid = self.write(LATECOMER, RECEPTION, "Do you have a minute?")
        self.expect_queue("default", [edsger, sid], "it waits behind Edsger's")
        self.tell(sid)
        return sid

    def a_worker_hands_back(self, grace: str, edsger: str, latecomer: str) -> None:
        self.report.step("Bob hands Grace's conversation back to the queue.")
        self.inbox(BOB).hand_back(grace)
        self.expect_held(
            edsger, BOB, "Bob's slot goes to Edsger: Bob is not given Grace again"
        )
        self.expect_queue(
            "default",
            [grace, latecomer],
            "Grace waits again, first because she is as old as she was",
        )
        self.tell(grace)

    def a_conversation_is_closed(self, stranger: str, grace: str) -> None:
        self.report.step("Alice closes the stranger's conversation.")
        self.inbox(ALICE).close(stranger)
        self.report.expect(
            "it is closed in the log", lambda: self.state(stranger), "closed"
        )
        self.expect_held(
            grace, ALICE, "her slot goes to Grace, now the oldest in the queue"
        )

    def the_queue_empties(self, edsger: str, latecomer: str) -> None:
        self.report.step("Bob closes Edsger's conversation, then turns Unavailable.")
        self.inbox(BOB).close(edsger)
        self.expect_held(latecomer, BOB, "he gets the last one waiting")
        self.turn(BOB, "Unavailable")
        self.expect_queue("default", [], "nobody is waiting")

    def a_worker_is_free(self, grace: str) -> None:
        self.report.step("Alice closes Grace's conversation and stays Available.")
        self.inbox(ALICE).close(grace)
        self.report.expect(
            "it is closed in the log", lambda: self.state(grace), "closed"
        )
        self.report.expect(
            "she is free for the next customer",
            lambda: self.worker(ALICE).get("full"),
            False,
        )

    def the_counts_are_true(self) -> None:
        self.report.step("At the end the records agree with each other.")
        self.report.expect("Alice holds none", lambda: self.held_by(ALICE), 0)
        for identity in (BOB, CAROL, DAN):
            name = identity.partition("@")[0].capitalize()
            self.report.expect(f"{name} holds one", partial(self.held_by, identity), 1)

    def write(self, customer: str, number: str, text: str) -> str:
        """A customer's message; returns the conversation's SID."""
        result = self.standin.inbound(from_=customer, to=number, body=text, wait=True)
        if result.conversation_sid is None:
            raise CannotGoOnError(f"{customer}'s message was lost: {result.why}")
        return result.conversation_sid

    def inbox(self, identity: str) -> Inbox:
        """Where this worker is signed in."""
        if identity not in self.inboxes:
            self.inboxes[identity] = Inbox(self.url, identity)
        return self.inboxes[identity]

    def turn(self, identity: str, status: str) -> None:
        self.inbox(identity).turn(status)

    def expect_held(self, sid: str, identity: str, what: str) -> None:
        self.report.expect(
            what,
            lambda: (
                self.state(sid),
                self.record(sid).get("worker"),
                self.workers_in(sid),
            ),
            ("assigned", identity, [identity]),
        )

    def expect_queue(self, pool: str, sids: list[str], what: str) -> None:
        """The queue holds these in this order, and the log says of each that it is queued."""
        self.report.expect(
            what,
            lambda: [(sid, self.state(sid)) for sid in self.queue(pool)],
            [(sid, "queued") for sid in sids],
        )

    def tell(self, sid: str) -> None:
        """The last line of the conversation's own story."""
        story = self.record(sid).get("log") or [{}]
        self.report.tell(f"log: {story[-1].get('what')}: {story[-1].get('why')}")

    def record(self, sid: str) -> dict[str, Any]:
        return self.db.document(f"conversations/{sid}").get().to_dict() or {}

    def state(self, sid: str) -> Any:
        return self.record(sid).get("state")

    def worker(self, identity: str) -> dict[str, Any]:
        return self.db.document(f"workers/{identity}").get().to_dict() or {}

    def held_by(self, identity: str) -> Any:
        return self.worker(identity).get("active")

    def name_of(self, sid: str) -> Any:
        return (self.standin.conversation(sid) or {}).get("friendly_name")

    def queue(self, pool: str) -> list[str]:
        entries = [
            entry
            for entry in self.db.collection("pending_conversations").stream()
            if entry.get("pool") == pool
        ]
        return [
            entry.id
            for entry in sorted(entries, key=lambda entry: entry.get("queued_at"))
        ]

    def workers_in(self, sid: str) -> list[str]:
        identities = [
            participant.get("identity")
            for participant in self.standin.participants(sid)
        ]
        return sorted(identity for identity in identities if identity)

    def records_of(self, address: str) -> int:
        customers = self.db.collection("customers").stream()
        return sum(
            address in (customer.to_dict() or {}).get("addresses", [])
            for customer in customers
        )

    def customer_id(self, sid: str, address: str) -> Any:
        for participant in self.standin.participants(sid):
            if (participant.get("messaging_binding") or {}).get("address") == address:
                return json.loads(participant["attributes"]).get("customer_id")
        return None
