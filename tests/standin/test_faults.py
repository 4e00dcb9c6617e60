"""REST calls that fail on demand, as the real SDK sees them."""

import time

import pytest
import requests
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.rest import Client

from local.twilio import StandIn
from tests.standin.conftest import ANN, OURS, ToStandIn

KIM = "kim@example.com"


def outcomes(sdk: Client, calls: int) -> list[int]:
    """The statuses of so many calls, 200 for one that went well."""
    seen = []
    for _ in range(calls):
        try:
            sdk.conversations.v1.configuration().fetch()
            seen.append(200)
        except TwilioRestException as error:
            seen.append(error.status)
    return seen


def test_the_next_calls_fail_as_often_as_told(twilio: StandIn, sdk: Client) -> None:
    twilio.fail(status=429, code=20429, times=2)
    assert outcomes(sdk, 4) == [429, 429, 200, 200]
    assert [one["code"] for one in twilio.requests] == [20429, 20429, None, None]


def test_a_share_of_calls_fails_the_same_way_in_every_run(
    twilio: StandIn, sdk: Client
) -> None:
    twilio.fail(status=503, share=0.5)
    failed = outcomes(sdk, 40).count(503)
    assert 10 <= failed <= 30
    twilio.heal()
    assert outcomes(sdk, 2) == [200, 200]


def test_a_failure_can_be_for_one_method_and_path(twilio: StandIn, sdk: Client) -> None:
    sid = twilio.inbound(ANN, OURS, "Hello").conversation_sid
    twilio.fail(status=500, code=20500, method="POST", path="/Participants$")
    people = sdk.conversations.v1.conversations(sid).participants
    assert len(people.list()) == 1
    with pytest.raises(TwilioRestException) as raised:
        people.create(identity=KIM)
    assert (raised.value.status, raised.value.code) == (500, 20500)
    assert len(people.list()) == 1


def test_the_body_of_rfc_9457_is_another_exception_of_the_sdk(
    twilio: StandIn, sdk: Client
) -> None:
    twilio.fail(status=429, code=50063, times=1, rfc9457=True)
    with pytest.raises(TwilioServiceException) as raised:
        sdk.conversations.v1.services.create("Other")
    assert (raised.value.status, raised.value.code) == (429, 50063)


def test_a_dropped_answer_leaves_the_work_done(twilio: StandIn, sdk: Client) -> None:
    sid = twilio.inbound(ANN, OURS, "Hello").conversation_sid or ""
    twilio.fail(drop_answer=True, times=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        sdk.conversations.v1.conversations(sid).participants.create(identity=KIM)
    assert [one["identity"] for one in twilio.participants(sid)] == [None, KIM]
    assert twilio.requests[-1]["status"] is None
    with pytest.raises(TwilioRestException) as again:
        sdk.conversations.v1.conversations(sid).participants.create(identity=KIM)
    assert again.value.code == 50433


def test_a_call_can_be_slow_and_still_work(twilio: StandIn) -> None:
    twilio.fail(status=None, delay=0.2, times=2)
    patient = Client(
        twilio.account_sid, twilio.auth_token, http_client=ToStandIn(twilio.url)
    )
    began = time.monotonic()
    assert len(patient.conversations.v1.services.list()) == 1
    assert time.monotonic() - began >= 0.2
    hasty = ToStandIn(twilio.url)
    hasty.timeout = 0.05
    with pytest.raises(requests.exceptions.ReadTimeout):
        Client(
            twilio.account_sid, twilio.auth_token, http_client=hasty
        ).conversations.v1.services.list()


def test_a_stopped_stand_in_answers_nobody_any_more() -> None:
    with StandIn() as twilio:
        client = Client(
            twilio.account_sid, twilio.auth_token, http_client=ToStandIn(twilio.url)
        )
        assert outcomes(client, 1) == [200]
    with pytest.raises(requests.exceptions.ConnectionError):
        outcomes(client, 1)
