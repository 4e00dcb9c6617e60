"""The emulator's events reach a function decoded, and as production would deliver them."""

import threading
import time

import pytest
from google.cloud import firestore
from google.events.cloud import firestore as events

from local.emulator import Emulator
from local.triggers import Behaviour, Event, Triggers


class Receiver:
    """A target that keeps what it gets and answers what it is told to."""

    def __init__(self, *answers: int, takes: float = 0) -> None:
        self.answers = list(answers)
        self.takes = takes
        self.got: list[Event] = []
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> int:
        with self._lock:
            self.got.append(event)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            answer = self.answers.pop(0) if self.answers else 200
        time.sleep(self.takes)
        with self._lock:
            self.at_once -= 1
        return answer

    @property
    def documents(self) -> list[str]:
        return [event.document for event in self.got]


def write(db: firestore.Client, number: int) -> None:
    for index in range(number):
        db.document(f"workers/{index:02}").set({"status": "Available"})


def test_a_write_arrives_as_the_protobuf_that_production_sends(
    triggers: Triggers, project: str, db: firestore.Client
) -> None:
    receiver = Receiver()
    triggers.attach(project, "t", "workers/{identity}", receiver)
    db.document("workers/john@example.com").set({"status": "Available"})
    triggers.drain(project)
    [event] = receiver.got
    payload = events.DocumentEventData.deserialize(event.body)
    assert payload.value.fields["status"].string_value == "Available"
    assert event.headers["ce-type"] == "google.cloud.firestore.document.v1.written"
    assert event.headers["ce-document"] == "workers/john@example.com"
    assert (
        event.headers["ce-source"]
        == f"//firestore.googleapis.com/projects/{project}/databases/(default)"
    )


def test_writes_of_other_collections_and_projects_do_not_arrive(
    triggers: Triggers, emulator: Emulator, project: str, db: firestore.Client
) -> None:
    receiver = Receiver()
    triggers.attach(project, "t", "workers/{identity}", receiver)
    triggers.attach("demo-another", "t", "workers/{identity}", receiver)
    db.document("customers/1").set({})
    triggers.drain(project)
    assert receiver.got == []


def test_drain_waits_for_what_the_events_themselves_set_off(
    triggers: Triggers, project: str, db: firestore.Client
) -> None:
    def count_down(event: Event) -> int:
        time.sleep(0.05)
        left = int(event.document.removeprefix("workers/"))
        if left:
            db.document(f"workers/{left - 1}").set({})
        return 200

    triggers.attach(project, "t", "workers/{identity}", count_down)
    db.document("workers/4").set({})
    triggers.drain(project)
    assert {document.id for document in db.collection("workers").stream()} == {
        "0",
        "1",
        "2",
        "3",
        "4",
    }


def test_events_are_delivered_in_parallel(
    triggers: Triggers, project: str, db: firestore.Client
) -> None:
    receiver = Receiver(takes=0.2)
    triggers.attach(project, "t", "workers/{identity}", receiver)
    write(db, 5)
    triggers.drain(project)
    assert receiver.most_at_once > 1


def test_serial_delivery_keeps_the_order(
    triggers: Triggers, project: str, db: firestore.Client
) -> None:
    receiver = Receiver(takes=0.01)
    triggers.attach(
        project, "t", "workers/{identity}", receiver, Behaviour(serial=True)
    )
    write(db, 10)
    triggers.drain(project)
    assert receiver.documents == [f"workers/{index:02}" for index in range(10)]
    assert receiver.most_at_once == 1


def test_a_failed_delivery_is_tried_again_with_the_same_id(
    triggers: Triggers, project: str, db: firestore.Client
) -> None:
    receiver = Receiver(500, 503)
    triggers.attach(
        project,
        "t",
        "workers/{identity}",
        receiver,
        Behaviour(retry_after=(0.01, 0.01, 0.01)),
    )
    write(db, 1)
    triggers.drain(project)
    assert len(receiver.got) == 3
    assert len({event.headers["ce-id"] for event in receiver.got}) == 1


def test_an_unreachable_target_is_tried_again_and_given_up(
    triggers: Triggers, project: str, db: firestore.Client
) -> None:
    nobody = "http://127.0.0.1:1/worker-available"
    triggers.attach(
        project, "t", "workers/{identity}", nobody, Behaviour(retry_after=(0.01,))
    )
    write(db, 1)
    triggers.drain(project)
    ours = [
        delivery
        for delivery in triggers.deliveries
        if delivery.event.project == project
    ]
    assert [(delivery.attempt, delivery.status) for delivery in ours] == [
        (1, 0),
        (2, 0),
    ]


def test_twice_delivers_every_event_twice(
    triggers: Triggers, project: str, db: firestore.Client
) -> None:
    receiver = Receiver()
    triggers.attach(project, "t", "workers/{identity}", receiver, Behaviour(twice=True))
    write(db, 3)
    triggers.drain(project)
    assert sorted(receiver.documents) == sorted(
        [f"workers/{index:02}" for index in range(3)] * 2
    )


@pytest.mark.parametrize("number", [10, 13])
def test_shuffle_loses_nothing(
    triggers: Triggers, project: str, db: firestore.Client, number: int
) -> None:
    receiver = Receiver()
    triggers.attach(project, "t", "workers/{identity}", receiver, Behaviour(shuffle=10))
    write(db, number)
    triggers.drain(project)
    assert sorted(receiver.documents) == [
        f"workers/{index:02}" for index in range(number)
    ]


def test_dropped_events_never_arrive(
    triggers: Triggers, project: str, db: firestore.Client
) -> None:
    receiver = Receiver()
    triggers.attach(project, "t", "workers/{identity}", receiver)
    triggers.behave(project, drop=1)
    write(db, 3)
    triggers.drain(project)
    assert receiver.got == []
