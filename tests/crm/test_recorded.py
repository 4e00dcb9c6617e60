"""Recorded requests of the Frontline app and of Twilio, with their answers field by field."""

import json
from pathlib import Path

import pytest
from google.cloud.firestore import Client

from tests.core import records
from tests.service import Service

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))
JOHN = "john@example.com"


def _the_records_that_the_answers_tell_of(db: Client) -> None:
    records.worker(
        db,
        JOHN,
        display_name="John Doe",
        addresses=["whatsapp:+1 (555) 000-9999", "+1 555 000 9999"],
    )
    records.customer(
        db,
        "1",
        display_name="Bobby Shaftoe",
        worker=JOHN,
        addresses=[
            "+12345678",
            "whatsapp: +1 234-5678",
            "Bobby@Example.com",
            "chat:bobby",
        ],
        avatar="https://example.com/bobby.png",
        links=[
            {
                "type": "Facebook",
                "value": "https://example.com/bobby",
                "display_name": "Social media profile",
            }
        ],
        details={"title": "Information", "content": "Status: active\n\nScore: 100"},
    )
    records.customer(
        db, "2", display_name="ada Byron", worker=JOHN, addresses=["+15550000002"]
    )
    records.customer(
        db, "3", display_name="Émile Zola", worker=JOHN, addresses=["+15550000003"]
    )
    records.customer(
        db,
        "4",
        display_name="Somebody else's",
        worker="x@example.com",
        addresses=["+15550000004"],
    )
    template = db.collection("templates").document
    template("bye").set({"category": "Goodbyes", "order": 9, "content": "Bye!"})
    template("hello").set(
        {
            "category": "Openers",
            "order": 1,
            "content": "Hello {{Name}}, this is {{Author}}.",
            "whatsapp_approved": True,
        }
    )
    template("firm").set(
        {
            "category": "Openers",
            "order": 2,
            "content": "Hello, this is {{worker.display_name}} of Example.",
        }
    )
    template("no-value").set(
        {"category": "Openers", "order": 3, "content": "How is {{customer.company}}?"}
    )


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_request_gets_its_answer(
    path: Path, service: Service, db: Client
) -> None:
    _the_records_that_the_answers_tell_of(db)
    service.settle()
    case = json.loads(path.read_text())
    form = {
        name: v.replace("{AccountSid}", service.standin.account_sid)
        for name, v in case["request"].items()
    }
    answer = service.post(case["function"], form)
    assert answer.status_code == case.get("status", 200)
    assert answer.content_type == "application/json"
    body = answer.get_data()
    assert (json.loads(body) if body else None) == case["answer"]
    assert len(body) < 64 * 1024
