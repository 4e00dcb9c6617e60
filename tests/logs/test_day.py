"""The log of a whole day, from the first message to the sweep: every line is well formed, and none says too much."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from functions.http.webhook import LARGEST_BODY
from tests.conformance.entry_points import HTTP, SIGNED, genuine, of_no_interest
from tests.service import Service, signature

ANN, BOBBY, STRANGER, CARLA = (
    "+447700900001",
    "bobby@customers.example",
    "+447700900011",
    "whatsapp:+447700900012",
)
SMS, WHATSAPP, EMAIL = "+12025550100", "whatsapp:+12025550101", "office@ours.example"
ALICE, DAN = "alice@example.com", "dan@example.com"
SECRETS = ["the second token", "the shared key"]
BODIES = [
    "Where is my parcel, please?",
    "My card ends in four-two",
    "Hello from WhatsApp",
    "An e-mail then",
]
TRACE = "0123456789abcdef0123456789abcdef"
KEY = "logging.googleapis.com/trace"
Line = dict[str, Any]


@pytest.fixture
def day(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[list[str], str]:
    """The lines on standard output, and all that was printed."""
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_SECONDARY", SECRETS[0])
    monkeypatch.setenv("TWILIO_WEBHOOK_SHARED_KEY", SECRETS[1])
    monkeypatch.setenv("TWILIO_SMS_NUMBER", SMS)
    capsys.readouterr()
    records(service)
    messages(service)
    workers_come_and_go(service)
    requests_out_of_order(service)
    trouble(service)
    printed = capsys.readouterr()
    return printed.out.splitlines(), printed.out + printed.err


def records(service: Service) -> None:
    """As people type them: some are wrong, and two customers claim one address."""
    service.db.document("customers/ann").set(
        {"display_name": "Ann", "addresses": [ANN], "worker": "a/b"}
    )
    for twin in ("bobby", "robert"):
        service.db.document(f"customers/{twin}").set(
            {"addresses": [BOBBY, "07700 900 013"]}
        )
    service.db.document("settings/routing").set({"mode": "sideways"})
    service.db.document("pools/default").set(
        {"addresses": [SMS, 5], "capacity": "many"}
    )
    service.db.document(f"workers/{ALICE}").set({"status": "Busy"})
    service.settle(20)


def messages(service: Service) -> None:
    for ours in (SMS, WHATSAPP, EMAIL):
        service.standin.set_autocreate(ours)
    for them, ours, body in zip(
        (ANN, STRANGER, CARLA, BOBBY), (SMS, SMS, WHATSAPP, EMAIL), BODIES, strict=True
    ):
        service.standin.inbound(from_=them, to=ours, body=body)
    service.settle(20)


def workers_come_and_go(service: Service) -> None:
    for worker in (ALICE, DAN):
        service.db.document(f"workers/{worker}").set(
            {"status": "Available"}, merge=True
        )
    service.settle(20)
    held = [
        c for c in service.db.collection("conversations").stream() if c.get("worker")
    ]
    assert len(held) == 4
    service.standin.worker_leave(held[0].id, held[0].get("worker"))
    service.standin.set_state(held[1].id, "inactive")
    service.standin.set_state(held[2].id, "closed")
    service.standin.remove_conversation(held[3].id)
    service.standin.create_user("new@example.com")
    service.settle(20)


def requests_out_of_order(service: Service) -> None:
    for name in SIGNED:
        form = genuine(name) | {"Body": BODIES[0]}
        service.post(name, form)
        service.post(name, form, signed=False)
        service.post(
            name,
            form,
            headers={"X-Twilio-Signature": signature(service.url(name), form, "x")},
        )
        service.post(name, [*form.items(), *form.items()])
        service.post(
            name,
            form
            | {
                "Attributes": ANN,
                "ConversationSid": ANN,
                "Worker": "a/b",
                "CustomerId": BOBBY,
            },
        )
        service.post(
            name,
            form
            | {
                "Location": ANN,
                "EventType": BOBBY,
                "PageSize": ANN,
                "ChannelType": ANN,
            },
        )
        service.post(name, form | {"Body": "x" * LARGEST_BODY})
        service.post(name, method="GET")


def trouble(service: Service) -> None:
    """Twilio refuses, is slow and is down, while a customer writes and the sweep runs."""
    for status, code in ((400, 50407), (401, 20003), (503, 20503), (400, 50206)):
        service.standin.fail(status=status, code=code, times=2)
        service.standin.inbound(
            from_=f"+44770090{status:04}{code % 10}", to=SMS, body=BODIES[1]
        )
        service.standin.heal()
    service.settle(20)
    service.post("sweep", signed=False)
    service.post("wallboard", signed=False, method="GET")
    service.settle(20)


def parsed(lines: list[str]) -> Iterator[Line]:
    for line in lines:
        yield json.loads(line)


def test_the_lines_of_a_day_are_well_formed_tell_every_decision_and_keep_secrets(
    day: tuple[list[str], str], service: Service
) -> None:
    lines, everything = day
    found = list(parsed(lines))
    well_formed(found)
    tell_every_decision(found)
    keep_secrets(everything, service)


def well_formed(found: list[Line]) -> None:
    assert len(found) > 30
    for line in found:
        assert line["severity"] in ("INFO", "WARNING", "ERROR")
        assert isinstance(line["message"], str) and line["message"]
        assert re.fullmatch(
            r"CH[0-9a-fA-F]{32}", line.get("conversation", "CH" + "0" * 32)
        )
        assert KEY not in line
    assert {line["severity"] for line in found} == {"INFO", "WARNING", "ERROR"}
    assert all("stack_trace" not in line for line in found), (
        "an error that nobody foresaw"
    )


def keep_secrets(everything: str, service: Service) -> None:
    numbers = {
        address.rpartition("+")[2] for address in (ANN, STRANGER, CARLA, SMS, WHATSAPP)
    }
    numbers |= {"07700 900 013", "7700900", "44770090"}
    for secret in {
        service.standin.auth_token,
        *SECRETS,
        *BODIES,
        *numbers,
        BOBBY,
        EMAIL,
        "Traceback",
    }:
        assert secret not in everything, next(
            line for line in everything.splitlines() if secret in line
        )
    for sent in service.standin.deliveries:
        made = signature(sent["url"], sent["params"], service.standin.auth_token)
        assert made not in everything


def tell_every_decision(found: list[Line]) -> None:
    """One line each, with its conversation."""

    def told(begin: str) -> list[Line]:
        return [line for line in found if line["message"].startswith(begin)]

    for begin in ("queued: ", "assigning: ", "assigned", "closed: "):
        assert told(begin), begin
        assert all("conversation" in line for line in told(begin))
    assert all("worker" in line for line in told("assign"))


@pytest.mark.parametrize("name", HTTP)
def test_the_lines_of_a_request_carry_its_trace_and_no_other_requests(
    service: Service, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    for _ in range(3):
        service.post(
            name, method="PUT", headers={"X-Cloud-Trace-Context": f"{TRACE}/1;o=1"}
        )
        (with_trace,) = parsed(capsys.readouterr().out.splitlines())
        assert with_trace[KEY] == f"projects/{service.project}/traces/{TRACE}"
        service.post(name, method="PUT")
        (without,) = parsed(capsys.readouterr().out.splitlines())
        assert KEY not in without


def test_the_trace_reaches_what_happens_behind_the_door(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    header = {"X-Cloud-Trace-Context": f"{TRACE}/1"}
    assert (
        service.post("routing", genuine("routing"), headers=header).status_code == 200
    )
    lines = list(parsed(capsys.readouterr().out.splitlines()))
    assert lines and {line.get(KEY) for line in lines} == {
        f"projects/{service.project}/traces/{TRACE}"
    }
    assert service.post("routing", of_no_interest("routing")[0]).status_code == 200


def test_a_trigger_carries_the_trace_too(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {
        "ce-id": "1",
        "ce-source": "//x",
        "ce-type": "written",
        "ce-specversion": "1.0",
    }
    capsys.readouterr()
    headers = event | {"X-Cloud-Trace-Context": TRACE}
    for function in ("worker_available", "customer_written"):
        assert (
            service.client_for(function)
            .post("/", data=b"\xff", headers=headers)
            .status_code
            == 200
        )
        (line,) = parsed(capsys.readouterr().out.splitlines())
        assert line[KEY] == f"projects/{service.project}/traces/{TRACE}"
