"""What a Firestore trigger does with an event that it cannot use: it must not fail, for a failed one comes again."""

import base64
import json
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from google.cloud import firestore
from google.events.cloud.firestore import DocumentEventData

from tests.conformance.entry_points import TRIGGERS

pytestmark = pytest.mark.parametrize("name", TRIGGERS)
ClientFor = Callable[[str], FlaskClient]
BINARY = {
    "ce-id": "1",
    "ce-source": "//firestore.googleapis.com/projects/p/databases/(default)",
    "ce-type": "google.cloud.firestore.document.v1.written",
    "ce-specversion": "1.0",
    "ce-time": "2026-01-01T00:00:00Z",
    "Content-Type": "application/protobuf",
}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}


def payload(document: str) -> bytes:
    """An event about a new document with a status."""
    data = DocumentEventData()._pb
    data.value.name = f"projects/p/databases/(default)/documents/{document}"
    data.value.fields["status"].string_value = "Available"
    return bytes(data.SerializeToString())


def structured(**data: object) -> str:
    """The same event in one JSON object."""
    attributes = {
        key.removeprefix("ce-"): value
        for key, value in BINARY.items()
        if key.startswith("ce-")
    }
    return json.dumps(attributes | data)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_another_method_is_405(client_for: ClientFor, name: str, method: str) -> None:
    assert client_for(name).open("/", method=method).status_code == 405


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "null", "x", '{"data": {}}', '{"context": {}, "data": {}}']
)
def test_what_is_no_cloudevent_is_the_senders_fault(
    client_for: ClientFor, name: str, body: str
) -> None:
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        assert (
            400
            <= client_for(name).post("/", data=body, content_type=kind).status_code
            < 500
        )


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xff\xff",
        b"\x0a\xff",
        b"not a protobuf",
        b"{}",
        base64.b64encode(payload("workers/alice@example.com")),
        payload("workers/alice@example.com")[:-3],
    ],
)
def test_an_event_that_cannot_be_read_is_logged_and_done_with(
    client_for: ClientFor,
    name: str,
    body: bytes,
    db: firestore.Client,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert client_for(name).post("/", data=body, headers=BINARY).status_code == 200
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["severity"], json.loads(line)["function"]) == (
        "ERROR",
        name,
    )
    assert list(db.collections()) == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"data": {"value": {"name": "workers/alice@example.com"}}},
        {"data": "text"},
        {"data": [1]},
        {"data": None},
        {"data": 5},
        {"data_base64": base64.b64encode(b"\xff\xff").decode()},
        {"data_base64": base64.b64encode(payload("elsewhere/1")).decode()},
    ],
)
def test_an_event_in_one_json_object_does_not_fail(
    client_for: ClientFor, name: str, data: dict[str, object], db: firestore.Client
) -> None:
    assert (
        client_for(name)
        .post("/", data=structured(**data), headers=STRUCTURED)
        .status_code
        < 500
    )
    assert list(db.collections()) == []


@pytest.mark.parametrize(
    "document",
    ["elsewhere/1", "workers/a/notes/1", "customers/a/notes/1", "pools/sales", "", "x"],
)
def test_an_event_about_another_collection_changes_nothing(
    client_for: ClientFor, name: str, document: str, db: firestore.Client
) -> None:
    for other in ("workers", "customers"):
        for record in ("1", "a", "sales"):
            db.document(f"{other}/{record}").set(
                {"status": "Available", "addresses": ["+1 202 555 0100"]}
            )
    before = {
        s.reference.path: s.update_time for c in db.collections() for s in c.stream()
    }
    assert (
        client_for(name).post("/", data=payload(document), headers=BINARY).status_code
        == 200
    )
    assert {
        s.reference.path: s.update_time for c in db.collections() for s in c.stream()
    } == before


def test_an_event_about_a_record_that_is_gone_changes_nothing(
    client_for: ClientFor, name: str, db: firestore.Client
) -> None:
    for document in ("workers/alice@example.com", "customers/ann"):
        assert (
            client_for(name)
            .post("/", data=payload(document), headers=BINARY)
            .status_code
            == 200
        )
    # The event says that the worker turned, which is history; `service` has the key of its fact.
    history = {"status_changes", "service"} if name == "worker_available" else set()
    assert {collection.id for collection in db.collections()} <= history
