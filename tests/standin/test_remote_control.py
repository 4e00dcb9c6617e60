"""The stand-in steered over HTTP, for other processes, and the stand-in as a process of its own."""

import signal
import subprocess
import sys

import pytest
import urllib3

from local.twilio import StandIn
from local.twilio.errors import ApiError
from local.twilio.remote_control import StandInClient
from tests.standin.conftest import ANN, BEN, OURS, Receiver

KIM = "kim@example.com"


def test_a_whole_story_can_be_told_over_http(
    twilio: StandIn, receiver: Receiver
) -> None:
    call = StandInClient(twilio.url).call
    call(
        "configure_webhooks",
        post_url=receiver.url,
        filters=["onMessageAdded", "onParticipantAdded"],
    )
    call("set_autocreate", address=BEN)
    inbound = call("inbound", from_=ANN, to=BEN, body="Hello")
    sid = inbound["conversation_sid"]
    assert inbound["created"] and sid
    call("worker_join", conversation_sid=sid, identity=KIM)
    call("worker_message", conversation_sid=sid, identity=KIM, body="Hi")
    assert [one["body"] for one in call("messages", conversation_sid=sid)] == [
        "Hello",
        "Hi",
    ]
    assert call("settle") is True
    assert call("deliveries") == twilio.deliveries
    call("remove_conversation", conversation_sid=sid)
    assert call("state")["conversations"] == call("conversations") == []


def test_a_refusal_over_http_is_the_same_error(twilio: StandIn) -> None:
    call = StandInClient(twilio.url).call
    with pytest.raises(ApiError) as refused:
        call("worker_join", conversation_sid="CH" + "0" * 32, identity=KIM)
    assert (refused.value.code, refused.value.status) == (50350, 404)
    with pytest.raises(ApiError, match="unexpected keyword"):
        call("fail", sttus=500)


@pytest.mark.parametrize("name", ["nothing", "stop", "_server", "__class__"])
def test_what_is_not_for_others_is_no_control(twilio: StandIn, name: str) -> None:
    assert urllib3.request("POST", f"{twilio.url}/_standin/{name}").status == 404
    assert StandInClient(twilio.url).call("conversations") == []


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"X-Forwarded-For": "203.0.113.7"},
    ],
)
def test_a_page_of_another_site_and_the_internet_cannot_use_the_controls(
    twilio: StandIn, header: dict[str, str]
) -> None:
    address = f"{twilio.url}/_standin/set_autocreate"
    body = b'{"address": "+15550007777"}'
    sent = {"Content-Type": "text/plain"} | header
    assert urllib3.request("POST", address, body=body, headers=sent).status == 403
    assert "+15550007777" not in str(StandInClient(twilio.url).call("state"))
    assert (
        urllib3.request(
            "POST", address, body=body, headers={"Content-Type": "text/plain"}
        ).status
        == 200
    )


def test_it_runs_alone_and_ends_on_a_signal() -> None:
    command = [
        sys.executable,
        "-m",
        "local",
        "twilio",
        "--account-sid",
        "AC" + "1" * 32,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            call = StandInClient(line.split()[0]).call
            assert call("account_sid") == "AC" + "1" * 32
            assert call("inbound", from_=ANN, to=OURS, body="Hello")["dropped"]
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 130
