"""Twilio's side, set up with the real SDK against the stand-in."""

import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from local.twilio import StandIn
from providers import twilio
from tests.service import Service
from tools import twilio_setup

BASE = "https://us-central1-demo.cloudfunctions.net"
NUMBER, WHATSAPP = "+12025550123", "whatsapp:+12025550123"
FILTERS = {
    "onConversationAdd",
    "onConversationAdded",
    "onConversationStateUpdated",
    "onConversationRemoved",
    "onParticipantAdded",
    "onParticipantRemoved",
    "onUserAdded",
    "onMessageAdded",
    "onDeliveryUpdated",
    "onMessageUpdated",
    "onMessageRemoved",
}


def webhooks(service_sid: str | None = None) -> Any:
    v1 = twilio.client().conversations.v1
    configuration = (
        v1.services(service_sid).configuration if service_sid else v1.configuration
    )
    return configuration.webhooks().fetch()


def autocreation(number: str) -> dict[str, Any]:
    configured = twilio.client().conversations.v1.address_configurations.list()
    return next(dict(a.auto_creation or {}) for a in configured if a.address == number)


def set_up(*words: str) -> None:
    twilio_setup.main(["--base-url", BASE, "--yes", *words])


def exit_status(*words: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        twilio_setup.main(["--base-url", BASE, *words])
    return ended.value.code


def writes(standin: StandIn) -> list[dict[str, Any]]:
    return [r for r in standin.requests if r["method"] != "GET"]


def test_the_account_gets_both_addresses_and_exactly_the_events_that_are_needed(
    standin: StandIn,
) -> None:
    set_up()
    now = webhooks()
    assert (now.pre_webhook_url, now.post_webhook_url) == (
        f"{BASE}/pre-event",
        f"{BASE}/post-event",
    )
    assert set(now.filters) == FILTERS
    assert now.method == "POST"


def test_a_named_service_is_set_up_and_the_account_left_alone(standin: StandIn) -> None:
    sid = (
        twilio.client().conversations.v1.services.create(friendly_name="Second").sid
        or ""
    )
    set_up("--service", sid, "--number", NUMBER)
    assert webhooks(sid).pre_webhook_url == f"{BASE}/pre-event"
    assert webhooks().pre_webhook_url is None
    assert autocreation(NUMBER)["conversation_service_sid"] == sid


def test_the_prefix_is_part_of_every_address(
    standin: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("--prefix", "staging")
    assert webhooks().post_webhook_url == f"{BASE}/staging-post-event"
    assert f"{BASE}/staging-outgoing-conversation" in capsys.readouterr().out


def test_messages_to_the_numbers_given_start_conversations(standin: StandIn) -> None:
    standin.set_autocreate(WHATSAPP, enabled=False)
    set_up("--number", NUMBER, "--number", WHATSAPP)
    for number in (NUMBER, WHATSAPP):
        assert autocreation(number)["enabled"] is True
        assert autocreation(number)["type"] == "default"


def test_a_second_run_changes_nothing(
    standin: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("--number", NUMBER)
    before = len(writes(standin))
    set_up("--number", NUMBER)
    assert len(writes(standin)) == before
    assert "Nothing to change." in capsys.readouterr().out


def test_check_exits_with_1_on_a_difference_and_changes_nothing(
    standin: StandIn,
) -> None:
    assert exit_status("--check") == 1
    assert writes(standin) == []
    set_up("--number", NUMBER)
    assert exit_status("--check", "--number", NUMBER) == 0
    standin.configure_webhooks(
        pre_url=f"{BASE}/pre-event", post_url="https://elsewhere.example.com/"
    )
    assert exit_status("--check", "--number", NUMBER) == 1


def test_check_takes_a_missing_timer_as_advice(standin: StandIn) -> None:
    set_up("--inactive-timer", "none")
    assert exit_status("--check") == 0


def test_a_missing_inactive_timer_is_set_and_a_chosen_one_stays(
    standin: StandIn,
) -> None:
    set_up("--inactive-timer", "PT45M")
    configuration = twilio.client().conversations.v1.configuration()
    assert configuration.fetch().default_inactive_timer == "PT45M"
    configuration.update(default_inactive_timer="PT5M")
    set_up("--inactive-timer", "P1D")
    assert configuration.fetch().default_inactive_timer == "PT5M"


def test_what_would_change_is_shown_before_it_changes(
    standin: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    standin.configure_webhooks(pre_url="https://old.example.com/pre")
    assert exit_status("--dry-run") == 3
    shown = capsys.readouterr().out
    assert "now     https://old.example.com/pre" in shown
    assert f"wanted  {BASE}/pre-event" in shown
    assert writes(standin) == []
    set_up()
    twilio_setup.main(["--base-url", BASE, "--dry-run"])


def test_without_a_terminal_and_without_yes_nothing_is_changed(
    standin: StandIn,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.twilio_setup", "--base-url", BASE],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "This needs an answer and there is no terminal: run it on one, or add --yes."
    )
    assert writes(standin) == []


@pytest.mark.parametrize(
    ("typed", "set_urls", "set_timer"),
    [("n\n", 0, 0), ("y\nn\n", 1, 0), ("y\ny\n", 1, 1)],
)
def test_the_person_decides_about_the_webhooks_and_about_the_timer(
    standin: StandIn, typed: str, set_urls: int, set_timer: int
) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, typed.encode())
    command = [sys.executable, "-m", "tools.twilio_setup", "--base-url", BASE]
    subprocess.run(command, stdin=terminal, capture_output=True, check=False)
    os.close(keyboard)
    os.close(terminal)
    paths = [r["path"] for r in writes(standin)]
    assert sum(p.endswith("/Webhooks") for p in paths) == set_urls
    assert sum(p.endswith("/Configuration") for p in paths) == set_timer


def test_remove_takes_our_addresses_away_and_leaves_those_of_others(
    standin: StandIn,
) -> None:
    set_up()
    standin.configure_webhooks(
        pre_url=f"{BASE}/pre-event", post_url="https://other.example.com/post"
    )
    set_up("--remove")
    assert not webhooks().pre_webhook_url
    assert webhooks().post_webhook_url == "https://other.example.com/post"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--base-url", "us-central1.example.com"],
            "must be an address such as https://example.com",
        ),
        (["--base-url", f"{BASE}?x=1"], "without ? and #"),
        (["--service", "CH123"], "must be IS and 32 hexadecimal digits"),
        (["--number", "2025550123"], "must look like +12025550123"),
        (["--inactive-timer", "1 hour"], "must be a duration such as PT1H"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(
    standin: StandIn, words: list[str], sentence: str
) -> None:
    assert sentence in str(exit_status("--yes", *words))
    assert standin.requests == []


def test_an_unknown_service_is_named(standin: StandIn) -> None:
    sid = "IS" + "0" * 32
    assert exit_status("--yes", "--service", sid) == (
        f"This account has no Conversations service {sid}: check --service."
    )


def test_a_wrong_token_is_named(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong")
    assert "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN" in str(exit_status("--yes"))


def test_a_missing_token_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    assert "TWILIO_AUTH_TOKEN" in str(exit_status("--yes"))


def test_after_the_set_up_a_message_starts_a_conversation_that_is_named_and_queued(
    service: Service,
) -> None:
    service.standin.configure_webhooks()
    twilio_setup.main(["--base-url", service.base_url, "--number", NUMBER, "--yes"])
    service.standin.inbound("+4915112345678", NUMBER, "Hello")
    service.settle()
    (conversation,) = service.standin.conversations()
    assert conversation["friendly_name"]
    record = (
        service.db.document(f"conversations/{conversation['sid']}").get().to_dict()
        or {}
    )
    assert record["state"] == "queued"
