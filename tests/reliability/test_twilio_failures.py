"""Every way for Twilio to fail: what the service takes it for, and what becomes of the conversation."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.firestore import Client
from werkzeug.wrappers import Response

from local.ports import free_port
from local.servers import LocalServer
from local.twilio.errors import CODES
from providers import beginnings, clock, messages, twilio
from providers.twilio import OUTCOMES, Outcome, Place, Result
from tests.core import forms, records
from tests.core.records import conversation, is_pending, workers_in
from tests.service import Service

ANN, BEN = "ann@example.com", "ben@example.com"
ADDING: dict[str, Any] = {"method": "POST", "path": "/Participants$"}
BY_OUTCOME = {
    outcome: [code for code in OUTCOMES if OUTCOMES[code] is outcome]
    for outcome in Outcome
}


def status_of(code: int) -> int:
    """The HTTP status that comes with this code; most are 400."""
    known = CODES.get(code, (429 if code == 50074 else 400, ""))
    return known[0]


def began(service: Service, db: Client, *workers: str, wait: bool = True) -> str:
    """A conversation that has arrived, with these workers Available; what `fail` says happens on the way."""
    for worker in workers:
        records.worker(db, worker)
    service.settle()
    service.standin.configure_webhooks()
    service.standin.set_autocreate(forms.PROXY)
    sid = service.standin.inbound("+15550000001", forms.PROXY, "Hello").conversation_sid
    assert sid is not None
    return sid


def routed(service: Service, sid: str) -> int:
    form = forms.routed(sid, ConversationServiceSid=service.standin.default_service_sid)
    status = service.post("routing", form).status_code
    service.settle(20)
    return status


def adding(service: Service) -> list[dict[str, Any]]:
    """Every call to add a worker."""
    calls = service.standin.requests
    return [
        one
        for one in calls
        if one["method"] == "POST" and one["path"].endswith("/Participants")
    ]


def assert_assigned(service: Service, db: Client, sid: str, worker: str = ANN) -> None:
    record = conversation(db, sid)
    assert (record["state"], record["worker"], record["lease_until"]) == (
        "assigned",
        worker,
        None,
    )
    assert workers_in(service.standin, sid) == [worker]
    assert records.active(db, worker) == 1
    assert not is_pending(db, sid)


@pytest.mark.parametrize(
    "rfc9457", [False, True], ids=["classic body", "RFC 9457 body"]
)
@pytest.mark.parametrize("code", OUTCOMES)
def test_each_code_means_what_the_table_says_in_both_forms_of_an_error(
    service: Service, code: int, rfc9457: bool
) -> None:
    service.standin.fail(status_of(code), code, rfc9457=rfc9457)
    with clock.within(0.6):
        answer = twilio.add_worker(
            Place(service.standin.default_service_sid, "CH" + "0" * 32), ANN, None
        )
    assert answer.outcome is OUTCOMES[code]
    assert f"error {code}" in answer.why


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (401, Outcome.MISCONFIGURED),
        (403, Outcome.MISCONFIGURED),
        (404, Outcome.MISSING),
        (409, Outcome.DONE),
        (400, Outcome.REFUSED),
        (408, Outcome.RETRY),
        (425, Outcome.RETRY),
        (429, Outcome.RETRY),
        (500, Outcome.RETRY),
        (502, Outcome.RETRY),
        (503, Outcome.RETRY),
        (504, Outcome.RETRY),
    ],
)
def test_a_code_that_nobody_knows_goes_by_its_status(
    service: Service, status: int, outcome: Outcome
) -> None:
    service.standin.fail(status, 99999)
    with clock.within(0.6):
        answer = twilio.add_worker(Place(None, "CH" + "0" * 32), ANN, None)
    assert answer.outcome is outcome


UNKNOWN = 99999
OTHER_CALLS: dict[str, Callable[[Place], Result]] = {
    "attributes": lambda place: twilio.set_attributes(place, "MB" + "0" * 32, {}),
    "removal": lambda place: twilio.remove_participant(place, "MB" + "0" * 32),
    "closing": twilio.close,
    "participants": twilio.participants,
    "message": lambda place: messages.send(place, ANN, "token", {"body": "Hello"}),
    "customer": lambda place: beginnings.add_customer(
        place, "+15550000001", "+15550009999", {}
    ),
}


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
@pytest.mark.parametrize("call", OTHER_CALLS)
def test_an_unknown_code_is_never_a_success(
    service: Service, call: str, status: int
) -> None:
    service.standin.fail(status, UNKNOWN)
    with clock.within(0.6):
        answer = OTHER_CALLS[call](
            Place(service.standin.default_service_sid, "CH" + "0" * 32)
        )
    assert answer.outcome in (Outcome.REFUSED, Outcome.MISSING)


def test_an_unknown_conflict_is_no_success_while_the_worker_is_not_in_it(
    service: Service, db: Client
) -> None:
    sid = began(service, db, ANN)
    service.standin.fail(409, UNKNOWN, **ADDING)
    assert routed(service, sid) == 200
    assert conversation(db, sid)["state"] == "assigning"
    finished_after(service, db, sid, service.standin.heal)


@pytest.mark.parametrize("status", [400, 404, 409])
def test_a_removal_with_an_unknown_answer_counts_only_if_they_are_out(
    service: Service, db: Client, status: int
) -> None:
    sid = began(service, db)
    inside = str(service.standin.worker_join(sid, ANN)["sid"])
    service.standin.fail(status, UNKNOWN, method="DELETE")
    place = Place(service.standin.default_service_sid, sid)
    answer = twilio.remove_participant(place, inside)
    assert not twilio.is_out(place, inside, answer)
    service.standin.worker_leave(sid, ANN)
    assert twilio.is_out(place, inside, answer)


@pytest.mark.parametrize("code", BY_OUTCOME[Outcome.DONE])
def test_one_who_is_in_it_already_is_a_success(
    service: Service, db: Client, code: int
) -> None:
    sid = began(service, db, ANN)
    service.standin.fail(409, code, **ADDING)
    assert routed(service, sid) == 200
    assert conversation(db, sid)["state"] == "assigned"
    assert len(adding(service)) == 1


@pytest.mark.parametrize("code", BY_OUTCOME[Outcome.RETRY])
def test_what_passes_is_tried_again_at_once(
    service: Service, db: Client, code: int
) -> None:
    sid = began(service, db, ANN)
    service.standin.fail(status_of(code), code, times=2, **ADDING)
    assert routed(service, sid) == 200
    assert_assigned(service, db, sid)
    assert len(adding(service)) == 3


@pytest.mark.parametrize("code", BY_OUTCOME[Outcome.NEXT_WORKER])
def test_a_worker_whom_twilio_does_not_take_is_skipped_and_the_next_one_asked(
    service: Service, db: Client, code: int
) -> None:
    records.worker(db, ANN, last_assigned_at=None)
    sid = began(service, db, ANN, BEN)
    service.standin.fail(status_of(code), code, times=1, **ADDING)
    assert routed(service, sid) == 200
    first, second = (one["params"]["Identity"] for one in adding(service))
    assert {first, second} == {ANN, BEN}
    assert_assigned(service, db, sid, worker=second)
    assert records.active(db, first) == 0


def test_when_twilio_takes_none_of_them_it_waits_and_the_story_says_why(
    service: Service, db: Client
) -> None:
    sid = began(service, db, ANN, BEN)
    service.standin.fail(400, 50214, **ADDING)
    assert routed(service, sid) == 200
    record = conversation(db, sid)
    assert record["state"] == "queued"
    assert is_pending(db, sid)
    assert sorted(record["excluded_workers"]) == [ANN, BEN]
    assert (
        "could not be added: Twilio answered 400, error 50214"
        in record["log"][-1]["why"]
    )
    assert [records.active(db, worker) for worker in (ANN, BEN)] == [0, 0]


@pytest.mark.parametrize("code", BY_OUTCOME[Outcome.GONE])
def test_a_conversation_that_is_gone_ends_and_the_slot_comes_back(
    service: Service, db: Client, code: int
) -> None:
    sid = began(service, db, ANN)
    service.standin.fail(status_of(code), code, **ADDING)
    assert routed(service, sid) == 200
    assert conversation(db, sid)["state"] == "closed"
    assert not is_pending(db, sid)
    assert records.active(db, ANN) == 0
    assert len(adding(service)) == 1


@pytest.mark.parametrize("code", BY_OUTCOME[Outcome.MISCONFIGURED])
def test_what_only_a_person_can_mend_is_said_and_done_once_it_is_mended(
    service: Service, db: Client, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    sid = began(service, db, ANN)
    service.standin.fail(status_of(code), code, **ADDING)
    assert routed(service, sid) == 200
    assert conversation(db, sid)["state"] == "assigning"
    assert len(adding(service)) == 1  # trying again at once would not help
    said = [
        line
        for line in capfd.readouterr().out.splitlines()
        if '"severity": "ERROR"' in line
    ]
    assert len(said) == 1
    assert (
        f"The worker is not added yet: Twilio answered {status_of(code)}, error {code}"
        in said[0]
    )
    finished_after(service, db, sid, service.standin.heal)


def finished_after(
    service: Service, db: Client, sid: str, mend: Callable[[], object]
) -> None:
    """The next sweep brings it to its end."""
    mend()
    assert service.post("sweep", signed=False).status_code == 200
    service.settle(20)
    assert_assigned(service, db, sid)


def test_an_outage_is_outlived(service: Service, db: Client) -> None:
    sid = began(service, db, ANN)
    service.standin.fail(503, 20503)
    assert routed(service, sid) == 200
    assert conversation(db, sid)["state"] == "assigning"
    assert "to be tried again" in conversation(db, sid)["log"][-1]["why"]
    assert records.active(db, ANN) == 1  # the slot is kept for it
    assert len(adding(service)) > 3
    finished_after(service, db, sid, service.standin.heal)


def test_when_nobody_listens_at_twilios_address_it_is_finished_later(
    service: Service, db: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sid = began(service, db, ANN)
    monkeypatch.setenv("TWILIO_API_BASE_URL", f"http://127.0.0.1:{free_port()}")
    assert routed(service, sid) == 200
    assert (
        "could not be reached (NewConnectionError)"
        in conversation(db, sid)["log"][-1]["why"]
    )
    url = service.standin.url
    finished_after(
        service, db, sid, lambda: monkeypatch.setenv("TWILIO_API_BASE_URL", url)
    )


def test_an_answer_that_takes_too_long_is_not_waited_for_and_adds_nobody_twice(
    service: Service, db: Client
) -> None:
    sid = began(service, db, ANN)
    service.standin.fail(None, delay=3.4, times=1, **ADDING)
    assert routed(service, sid) == 200
    assert_assigned(service, db, sid)
    end = time.monotonic() + 3
    while len(adding(service)) < 2 and time.monotonic() < end:
        time.sleep(0.05)  # the slow one is still being worked on
    assert sorted(one["status"] for one in adding(service)) == [201, 409]


def test_an_answer_lost_after_twilio_acted_adds_nobody_twice(
    service: Service, db: Client
) -> None:
    sid = began(service, db, ANN, BEN)
    service.standin.fail(None, drop_answer=True, times=1, **ADDING)
    assert routed(service, sid) == 200
    worker = conversation(db, sid)["worker"]
    assert_assigned(service, db, sid, worker)
    assert {one["params"]["Identity"] for one in adding(service)} == {worker}


@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_that_is_no_json_is_tried_again_later(
    service: Service, db: Client, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """As from something between us and Twilio: a proxy's page, a captive portal."""
    sid = began(service, db, ANN)
    page = LocalServer(Response("<html>Sorry</html>", status)).start()
    monkeypatch.setenv("TWILIO_API_BASE_URL", page.url)
    assert routed(service, sid) == 200
    page.stop()
    assert conversation(db, sid)["state"] == "assigning"
    url = service.standin.url
    finished_after(
        service, db, sid, lambda: monkeypatch.setenv("TWILIO_API_BASE_URL", url)
    )
