"""The same controls over HTTP, for other processes, and the stand-in as a process of its own."""

import inspect
import signal
import socket
import subprocess
import sys

import pytest
import urllib3

from local.twilio import Inbound, StandIn
from local.twilio.client import StandInClient
from local.twilio.errors import ApiError
from tests.standin.conftest import ANN, BEN, OURS, Receiver

KIM = "kim@example.com"


def test_a_whole_story_can_be_told_over_http(twilio: StandIn, receiver: Receiver) -> None:
    client = StandInClient(twilio.url)
    client.configure_webhooks(post_url=receiver.url, filters=["onMessageAdded", "onParticipantAdded"])
    client.set_autocreate(BEN)
    result = client.inbound(ANN, BEN, "Hello")
    assert result.created and isinstance(result, Inbound)
    assert client.inbound(ANN, BEN, "Hello again").conversation_sid == result.conversation_sid
    sid = result.conversation_sid or ""
    client.worker_join(sid, KIM)
    client.worker_message(sid, KIM, "Hi")
    assert [one["identity"] for one in client.participants(sid)] == [None, KIM]
    assert [one["body"] for one in client.messages(sid)] == ["Hello", "Hello again", "Hi"]
    client.worker_leave(sid, KIM)
    client.set_state(sid, "closed")
    assert (client.conversation(sid) or {})["state"] == "closed"
    assert client.settle()
    assert client.deliveries == twilio.deliveries
    client.remove_conversation(sid)
    assert client.state()["conversations"] == client.conversations() == []
    assert client.account_sid == twilio.account_sid


def test_a_refusal_over_http_is_the_same_error(twilio: StandIn) -> None:
    client = StandInClient(twilio.url)
    with pytest.raises(ApiError) as refused:
        client.worker_join("CH" + "0" * 32, KIM)
    assert (refused.value.code, refused.value.status) == (50350, 404)
    with pytest.raises(ApiError, match="unexpected keyword"):
        client.fail(sttus=500)
    answer = urllib3.request("GET", f"{twilio.url}/_standin/nothing")
    assert answer.status == 404


def test_the_client_has_every_method_of_the_stand_in() -> None:
    own_process = {"start", "stop", "__enter__", "__exit__"}
    methods = {name for name, _ in inspect.getmembers(StandIn, inspect.isfunction)}
    wanted = {name for name in methods if not name.startswith("_")} - own_process
    wanted |= {"deliveries", "requests", "account_sid", "default_service_sid"}
    assert wanted <= set(dir(StandInClient))


def test_it_runs_alone_and_ends_on_a_signal() -> None:
    command = [sys.executable, "-m", "local.twilio", "--account-sid", "AC" + "1" * 32]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            client = StandInClient(line.split()[0])
            assert client.account_sid == "AC" + "1" * 32
            assert client.inbound(ANN, OURS, "Hello").dropped
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_taken_port_gets_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "local.twilio", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"Port {port} cannot be used")
    assert ended.stderr.count("\n") == 1
