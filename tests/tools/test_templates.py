"""Templates in step with Twilio's content templates: by the command, and once an hour by the sweep."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from google.cloud.firestore import Client

from domain import contents
from providers import clock
from tests.service import Service
from tools import templates

HOUR = 3600


def record(db: Client, name: str) -> dict[str, Any]:
    return db.document(f"templates/{name}").get().to_dict() or {}


def names(db: Client) -> set[str]:
    return {one.id for one in db.collection("templates").stream()}


def sync(service: Service, *options: str) -> None:
    templates.main(["sync", "--project", service.project, *options])


def swept(service: Service) -> Any:
    answer = service.post("sweep", signed=False)
    assert answer.status_code == 200, answer.text
    service.settle()
    return answer


def test_each_content_template_gets_a_record_of_its_own(
    service: Service, db: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = service.standin.add_content("ready", "Your order is ready", language="de")
    same_name = service.standin.add_content(
        "ready", "Hi {{1}}", variables={"1": "Ann"}, status="pending"
    )
    carousel = service.standin.add_content(
        "shop", types={"twilio/carousel": {"body": "x", "cards": []}}
    )
    sync(service, "--dry-run")
    assert names(db) == set() and "would be written" in capsys.readouterr().out
    sync(service)
    told = capsys.readouterr().out
    assert names(db) == {plain, same_name}
    made = record(db, plain)
    assert (made["content_sid"], made["content"], made["language"]) == (
        plain,
        "Your order is ready",
        "de",
    )
    assert (made["approval"]["status"], made["approval"]["reason"]) == (
        "approved",
        None,
    )
    assert record(db, same_name)["approval"]["status"] == "pending"
    assert record(db, same_name)["variables"] == {"1": ""}
    assert (
        "what stands for 1" in told and carousel in told and "twilio/carousel" in told
    )
    sync(service)
    assert "every record is up to date" in capsys.readouterr().out


def test_what_a_person_has_written_stays_and_only_the_rest_is_filled_in(
    service: Service, db: Client
) -> None:
    content_sid = service.standin.add_content(
        "hello",
        types={
            "twilio/quick-reply": {
                "body": "Hi {{first name}}",
                "actions": [{"title": "Order {{2}}", "id": "1"}],
            }
        },
    )
    mine = {
        "content_sid": f" {content_sid} ",
        "content": "Hello {{Name}}",
        "variables": {"first name": "{{Name}}"},
    }
    db.document("templates/mine").set(mine)
    sync(service)
    assert names(db) == {"mine"}
    found = record(db, "mine")
    assert found["content"] == "Hello {{Name}}"
    assert found["variables"] == {
        "first name": "{{Name}}",
        "2": "",
    }  # a button has a variable as well
    assert found["approval"]["status"] == "approved"


def test_a_content_template_that_is_gone_or_of_a_wrong_type_says_so(
    service: Service, db: Client
) -> None:
    carousel = service.standin.add_content(
        "shop", types={"twilio/carousel": {"body": "x", "cards": []}}
    )
    db.document("templates/gone").set({"content_sid": "HX" + "0" * 32, "content": "x"})
    db.document("templates/shop").set({"content_sid": carousel, "content": "x"})
    sync(service)
    assert record(db, "gone")["approval"]["status"] == "missing"
    assert record(db, "shop")["approval"]["status"] == "unsupported"
    assert "twilio/carousel" in record(db, "shop")["approval"]["reason"]


def test_lists_of_several_pages_are_read_to_their_end(
    service: Service, db: Client
) -> None:
    sids = {
        service.standin.add_content(f"number {number}", "Hi") for number in range(103)
    }
    sync(service)
    assert names(db) == sids


@pytest.mark.parametrize(
    ("approval", "wanted"),
    [
        ({"status": "Approved", "rejection_reason": ""}, ("approved", None)),
        (
            {"whatsapp": {"status": "rejected", "rejection_reason": "no"}},
            ("rejected", "no"),
        ),
        ({}, ("unsubmitted", None)),
        (None, ("unsubmitted", None)),
        ("nonsense", ("unsubmitted", None)),
        ({"whatsapp": None, "status": "paused"}, ("paused", None)),
    ],
)
def test_both_shapes_of_an_approval_are_read(
    approval: Any, wanted: tuple[str, str | None]
) -> None:
    assert contents.approval_of(approval) == wanted


def test_the_sweep_looks_once_an_hour_and_makes_no_records(
    service: Service, db: Client
) -> None:
    content_sid = service.standin.add_content("ready", "Ready")
    service.standin.add_content("another", "Another")
    db.document("templates/ready").set({"content_sid": content_sid, "content": "Ready"})
    swept(service)
    assert record(db, "ready")["approval"]["status"] == "approved"
    assert names(db) == {"ready"}
    service.standin.approve_content(content_sid, "disabled", "too many complaints")
    swept(service)
    assert record(db, "ready")["approval"]["status"] == "approved"
    clock.shift(HOUR + 60)
    swept(service)
    approval = record(db, "ready")["approval"]
    assert (approval["status"], approval["reason"]) == (
        "disabled",
        "too many complaints",
    )


def test_the_sweep_asks_twilio_only_where_there_is_a_content_template(
    service: Service, db: Client
) -> None:
    db.document("templates/text").set({"content": "Ready"})
    service.standin.forget_traffic()
    swept(service)
    assert not [one for one in service.standin.requests if "Content" in one["path"]]


def test_while_twilio_does_not_answer_the_sweep_goes_on_and_looks_again(
    service: Service, db: Client
) -> None:
    content_sid = service.standin.add_content("ready", "Ready")
    db.document("templates/ready").set({"content_sid": content_sid, "content": "Ready"})
    service.standin.fail(503, path="/v1/ContentAndApprovals")
    swept(service)
    assert "approval" not in record(db, "ready")
    service.standin.heal()
    clock.shift(6 * 60)
    swept(service)
    assert record(db, "ready")["approval"]["status"] == "approved"


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TWILIO", "GOOGLE"))
    }
    return subprocess.run(
        [sys.executable, "-m", "tools.templates", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=bare | environment,
    )


def test_what_is_missing_is_said_in_one_sentence(service: Service) -> None:
    assert (
        "sync" in command("--help").stdout
        and "--dry-run" in command("sync", "--help").stdout
    )
    without = command("sync")
    assert without.returncode == 1 and "--project" in without.stderr
    without = command("sync", "--project", service.project)
    assert without.returncode == 1 and "TWILIO_AUTH_TOKEN" in without.stderr
    assert "Traceback" not in without.stderr


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("http://127.0.0.1:9", "x", "could not be listed"),
        (None, "wrong", "TWILIO_AUTH_TOKEN"),
    ],
)
def test_an_answer_that_does_not_come_is_said_in_one_sentence(
    service: Service, url: str | None, token: str, words: str
) -> None:
    known = {
        "TWILIO_ACCOUNT_SID": service.standin.account_sid,
        "TWILIO_AUTH_TOKEN": token,
        "TWILIO_API_BASE_URL": url or service.standin.url,
    }
    failed = command("sync", "--project", service.project, **known)
    assert (
        failed.returncode,
        words in failed.stderr,
        "Traceback" in failed.stderr,
    ) == (1, True, False)
