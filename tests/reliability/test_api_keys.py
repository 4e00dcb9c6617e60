"""REST calls with an API key: the auth token only checks signatures, and a key that Twilio refuses is named."""

from __future__ import annotations

import json

import pytest
from google.cloud.firestore import Client

from local.twilio import StandIn
from providers import clock, configuration, messages, twilio
from providers.configuration import ConfigurationError
from providers.twilio import Outcome, Place
from tests.core import forms
from tests.core.records import conversation
from tests.inbox.page import ALICE
from tests.reliability.test_twilio_failures import ANN, adding, assert_assigned, began
from tests.service import Service

ONLY_SIGNS = "a-token-that-only-signs"
NO_KEY = "SK" + "0" * 32


@pytest.fixture
def key(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> str:
    """The SID of an API key that the service uses; its auth token opens nothing at Twilio."""
    made = standin.make_api_key()
    monkeypatch.setenv("TWILIO_API_KEY_SID", made["sid"])
    monkeypatch.setenv("TWILIO_API_KEY_SECRET", made["secret"])
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", ONLY_SIGNS)
    return made["sid"]


def routed(service: Service, sid: str, token: str = ONLY_SIGNS) -> int:
    form = forms.routed(sid, ConversationServiceSid=service.standin.default_service_sid)
    status = service.post("routing", form, token=token).status_code
    service.settle(20)
    return status


def errors(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The messages of severity ERROR so far."""
    lines = [
        json.loads(line)
        for line in capfd.readouterr().out.splitlines()
        if line.startswith("{")
    ]
    return [line["message"] for line in lines if line["severity"] == "ERROR"]


def test_rest_calls_use_the_key_and_signatures_the_token(
    service: Service, db: Client, key: str
) -> None:
    sid = began(service, db, ANN)
    assert routed(service, sid, token="another") == 403
    assert routed(service, sid) == 200
    assert_assigned(service, db, sid)


def test_functions_that_check_no_signature_need_no_token(
    service: Service, db: Client, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sid = began(service, db)
    assert routed(service, sid) == 200
    monkeypatch.delenv("TWILIO_AUTH_TOKEN")
    db.document(f"workers/{ANN}").set({"status": "Available", "pools": ["default"]})
    service.settle(20)
    assert_assigned(service, db, sid)
    assert service.post("sweep", signed=False).status_code == 200


def test_files_are_stored_and_fetched_with_the_key(standin: StandIn, key: str) -> None:
    service = standin.default_service_sid
    with clock.within(5):
        stored = messages.upload(service, "note.txt", "text/plain", b"Hello")
        assert stored.outcome is Outcome.DONE
        assert messages.link(service, stored.body).outcome is Outcome.DONE
        standin.revoke_api_key(key)
        assert messages.link(service, stored.body).outcome is Outcome.MISCONFIGURED


@pytest.mark.parametrize(
    ("sid", "secret", "says"),
    [
        (
            NO_KEY,
            "",
            "TWILIO_API_KEY_SID is set without TWILIO_API_KEY_SECRET; set both",
        ),
        (
            "",
            "secret",
            "TWILIO_API_KEY_SECRET is set without TWILIO_API_KEY_SID; set both",
        ),
        (
            NO_KEY,
            "  ",
            "TWILIO_API_KEY_SID is set without TWILIO_API_KEY_SECRET; set both",
        ),
        (
            "the-secret-itself",
            NO_KEY,
            "TWILIO_API_KEY_SID is not the SID of an API key",
        ),
        ("AC" + "0" * 32, "secret", "TWILIO_API_KEY_SID is not the SID of an API key"),
        (NO_KEY + "0", "secret", "TWILIO_API_KEY_SID is not the SID of an API key"),
    ],
)
def test_half_a_key_is_one_sentence(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, sid: str, secret: str, says: str
) -> None:
    monkeypatch.setenv("TWILIO_API_KEY_SID", sid)
    monkeypatch.setenv("TWILIO_API_KEY_SECRET", secret)
    with pytest.raises(ConfigurationError, match=says) as raised:
        configuration.twilio_login()
    assert "the-secret-itself" not in str(raised.value)
    assert configuration.twilio().tokens == (
        standin.auth_token,
    )  # signatures are checked all the same


def test_half_a_key_loses_no_conversation(
    service: Service,
    db: Client,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sid = began(service, db, ANN)
    with monkeypatch.context() as half:
        half.setenv("TWILIO_API_KEY_SECRET", "")
        assert routed(service, sid) == 200
    assert conversation(db, sid)["state"] == "assigning"
    (said,) = errors(capfd)
    assert "TWILIO_API_KEY_SID is set without TWILIO_API_KEY_SECRET" in said
    assert service.post("sweep", signed=False).status_code == 200
    service.settle(20)
    assert_assigned(service, db, sid)


def test_a_revoked_key_is_named_once_and_not_tried_again(
    service: Service,
    db: Client,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sid = began(service, db, ANN)
    service.standin.revoke_api_key(key)
    service.standin.forget_traffic()
    assert routed(service, sid) == 200
    assert len(adding(service)) == 1
    (said,) = errors(capfd)
    assert "Twilio answered 401, error 20003" in said
    assert f"the API key {key} (TWILIO_API_KEY_SID)" in said
    assert "./deploy.sh --twilio-api-key" in said
    fresh = service.standin.make_api_key()
    monkeypatch.setenv("TWILIO_API_KEY_SID", fresh["sid"])
    monkeypatch.setenv("TWILIO_API_KEY_SECRET", fresh["secret"])
    assert service.post("sweep", signed=False).status_code == 200
    service.settle(20)
    assert_assigned(service, db, sid)


def test_a_sweep_with_a_revoked_key_asks_nothing_twice(
    service: Service, db: Client, key: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sid = began(service, db, ANN)
    assert routed(service, sid) == 200
    service.standin.revoke_api_key(key)
    service.standin.forget_traffic()
    errors(capfd)
    assert service.post("sweep", signed=False).status_code == 200
    asked = [
        (one["method"], one["path"], str(one["params"]))
        for one in service.standin.requests
    ]
    assert asked
    assert len(set(asked)) == len(asked)
    (said,) = errors(capfd)
    assert f"the API key {key} (TWILIO_API_KEY_SID)" in said


def test_a_wrong_secret_and_a_lacking_permission_name_the_key(
    standin: StandIn, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(standin.default_service_sid, "CH" + "0" * 32)
    standin.fail(403, 70051, times=1)
    with clock.within(5):
        lacking = twilio.state(place)
        monkeypatch.setenv("TWILIO_API_KEY_SECRET", "wrong")
        wrong = twilio.state(place)
    for result in (lacking, wrong):
        assert result.outcome is Outcome.MISCONFIGURED
        assert key in result.why
        assert "wrong" not in result.why
    assert [one["code"] for one in standin.requests] == [
        70051,
        20003,
    ]  # each was one call


def test_a_refused_token_is_named_without_its_value(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "an-old-token")
    with clock.within(5):
        result = twilio.state(Place(None, "CH" + "0" * 32))
    assert (
        f"TWILIO_AUTH_TOKEN is not the auth token of the account {standin.account_sid}"
        in result.why
    )
    assert "an-old-token" not in result.why


def test_a_pre_event_needs_no_key(
    service: Service, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_API_KEY_SECRET", "")
    answer = service.post("pre_event", forms.conversation_add(), token=ONLY_SIGNS)
    assert answer.status_code == 200
    assert answer.get_json()["friendly_name"]


def test_a_worker_is_sent_to_the_administrator(service: Service, key: str) -> None:
    service.standin.revoke_api_key(key)
    with clock.within(5):
        result = messages.send(
            Place(None, "CH" + "0" * 32), ALICE, "token", {"body": "Hello"}
        )
    assert result.why_for_worker.endswith("ask your administrator.")
    assert key not in result.why_for_worker
