"""Each closed conversation is one fact in the log, without a text, a number or a name."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from google.cloud.firestore import Client

from domain import facts, status_change
from domain.conversation import Conversation
from tests.core import records
from tests.core.test_routing import write
from tests.core.test_status_changes import ANN, START
from tests.core.test_status_changes import facts as logged_facts
from tests.service import Service

DOCS = Path(__file__).parents[2] / "docs" / "facts.md"


def test_a_closed_conversation_is_one_fact_however_often_it_is_delivered(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    records.worker(db, ANN)
    service.settle()
    sid = write(service, "+15550000001")
    service.settle()
    service.triggers.behave(service.project, twice=True)
    service.standin.set_state(sid, "closed")
    service.settle()
    output = capsys.readouterr().out
    found = logged_facts(output, "conversation_closed")
    assert len(found) >= 2
    assert len({(fact["sid"], fact["version"]) for fact in found}) == 1
    fact = found[0]
    assert fact["sid"] == sid
    assert fact["schema"] == facts.SCHEMA
    assert (fact["mode"], fact["pool"], fact["channel"]) == ("pool", "default", "sms")
    assert fact["waited"] is not None
    assert fact["abandoned"] is False
    text = json.dumps(found)
    for private in (ANN, "+1555", "15550000001"):
        assert private not in text


def test_a_customer_without_a_worker_is_an_abandoned_conversation(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    sid = write(service, "+15550000001")
    service.settle()
    service.standin.set_state(sid, "closed")
    service.settle()
    (fact,) = logged_facts(capsys.readouterr().out, "conversation_closed")
    assert fact["abandoned"] is True
    assert (fact["worker"], fact["waited"]) == (None, None)


def test_hashes_are_the_same_for_one_person_and_differ_by_kind_and_key() -> None:
    first = facts.hashed("worker", ANN, b"key")
    assert first == facts.hashed("worker", ANN, b"key")
    assert first != facts.hashed("customer", ANN, b"key")
    assert first != facts.hashed("worker", ANN, b"other")
    assert facts.hashed("worker", None, b"key") is None


def test_the_docs_describe_every_field_and_no_other() -> None:
    closed = facts.of_closed(Conversation("CH1"), START, b"key")
    seen = status_change.seen(ANN, None, {"status": "Available"}, START, START)
    assert seen is not None
    turned = facts.of_status_change(seen, b"key")
    sections = DOCS.read_text().split("\n## ")
    for fact in (closed, turned):
        (section,) = [part for part in sections if part.startswith(f"`{fact['kind']}`")]
        documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert set(documented) == set(fact)
