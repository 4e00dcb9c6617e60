"""What keeps webhooks from coming: Flex, deleted services, other systems, and addresses of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.twilio import StandIn
from providers import twilio
from tests.tools.test_twilio_setup import (
    BASE,
    NUMBER,
    autocreation,
    exit_status,
    set_up,
    webhooks,
    writes,
)

Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What was printed since it was last asked for."""
    return lambda: capsys.readouterr().out


def other_service() -> str:
    return (
        twilio.client().conversations.v1.services.create(friendly_name="Second").sid
        or ""
    )


def deleted_service(standin: StandIn, number: str) -> str:
    """A service that this number's configuration names, and that is gone."""
    sid = other_service()
    standin.set_autocreate(number, service_sid=sid)
    twilio.client().conversations.v1.services(sid).delete()
    return sid


def test_the_target_is_a_row_of_its_own(standin: StandIn, said: Said) -> None:
    set_up()
    assert "Target\n      stays   webhook" in said()


@pytest.mark.parametrize(
    "words", [("--check",), ("--yes",), ("--dry-run",)], ids=lambda words: words[0]
)
def test_webhooks_that_go_to_flex_are_a_fault_and_left_there(
    standin: StandIn, said: Said, words: tuple[str, ...]
) -> None:
    set_up()
    standin.configure_webhooks(
        pre_url=f"{BASE}/pre-event",
        post_url=f"{BASE}/post-event",
        filters=webhooks().filters,
        target="flex",
    )
    standin.forget_traffic()
    assert exit_status(*words) not in (0, None)
    shown = said()
    assert "now     flex\n      wanted  webhook" in shown
    assert "Flex receives this account's conversations" in shown
    assert writes(standin) == []


def test_webhooks_are_taken_from_flex_only_if_asked(standin: StandIn) -> None:
    standin.configure_webhooks(target="flex")
    set_up("--take-from-flex")
    assert webhooks().target == "webhook"
    assert exit_status("--check") == 0


def test_a_service_of_its_own_needs_nothing_from_flex(standin: StandIn) -> None:
    standin.configure_webhooks(target="flex")
    sid = other_service()
    set_up("--service", sid)
    assert exit_status("--check", "--service", sid) == 0
    assert webhooks().target == "flex"


def test_a_deleted_service_is_a_fault_whether_its_number_is_named_or_not(
    standin: StandIn, said: Said
) -> None:
    set_up()
    sid = deleted_service(standin, NUMBER)
    for words in (("--check",), ("--check", "--number", NUMBER)):
        said()
        assert exit_status(*words) == 1
        shown = said()
        assert NUMBER in shown
        assert f"{sid}" in shown
        assert "was deleted" in shown


def test_a_named_number_leaves_its_deleted_service(standin: StandIn) -> None:
    deleted_service(standin, NUMBER)
    set_up("--number", NUMBER)
    assert (
        autocreation(NUMBER)["conversation_service_sid"] == standin.default_service_sid
    )
    assert exit_status("--check", "--number", NUMBER) == 0
    standin.configure_webhooks()
    assert standin.inbound("+4915112345678", NUMBER, "Hello").conversation_sid


def test_a_switched_off_number_of_a_deleted_service_is_no_fault(
    standin: StandIn,
) -> None:
    set_up()
    deleted_service(standin, NUMBER)
    standin.set_autocreate(NUMBER, enabled=False)
    assert exit_status("--check") == 0


def test_a_number_of_another_service_is_noted(standin: StandIn, said: Said) -> None:
    sid = other_service()
    standin.set_autocreate(NUMBER, service_sid=sid)
    set_up("--number", NUMBER)
    assert f"TWILIO_CONVERSATION_SERVICE_SID={sid}" in said()
    assert exit_status("--check", "--number", NUMBER) == 0
    set_up("--service", standin.default_service_sid)
    assert f"Messages to {NUMBER} start conversations in {sid}, not in" in said()
    standin.set_autocreate(NUMBER, service_sid=standin.default_service_sid)
    set_up("--number", NUMBER)
    assert "Note" not in said()


def test_what_another_system_loses_is_said_before_it_is_asked(
    standin: StandIn, said: Said
) -> None:
    standin.configure_webhooks(
        pre_url="https://old.example.com/pre",
        filters=["onMessageAdd", "onConversationAdd"],
    )
    assert exit_status("--yes", "--dry-run") == 3
    shown = said()
    assert (
        "This stops another system: https://old.example.com/pre no longer gets" in shown
    )
    assert "onConversationAdd, onMessageAdd." in shown
    standin.configure_webhooks(post_url="https://old.example.com/post", filters=None)
    assert exit_status("--yes", "--dry-run") == 3
    assert "https://old.example.com/post no longer gets every event." in said()


def test_an_event_that_we_do_not_need_is_named_before_it_ends(
    standin: StandIn, said: Said
) -> None:
    set_up()
    assert "No longer sent" not in said()
    filters = [*(webhooks().filters or ()), "onConversationUpdated"]
    standin.configure_webhooks(
        pre_url=f"{BASE}/pre-event", post_url=f"{BASE}/post-event", filters=filters
    )
    set_up()
    assert "No longer sent: onConversationUpdated." in said()


@pytest.mark.parametrize(
    ("number", "kind", "address", "country"),
    [
        ("12345", "sms", "12345", None),
        ("12345:us", "sms", "12345", "US"),
        ("messenger:104857600000001", "messenger", "messenger:104857600000001", None),
        ("rcs:acme_agent", "rcs", "rcs:acme_agent", None),
        ("urn:mbid:AQAAYyUbut6E4B3T", "apple", "urn:mbid:AQAAYyUbut6E4B3T", None),
        ("support@acme.com", "email", "support@acme.com", None),
        ("gbm:brands/1/agents/2", "gbm", "gbm:brands/1/agents/2", None),
        ("whatsapp:+12025550123", "whatsapp", "whatsapp:+12025550123", None),
    ],
)
def test_an_address_of_any_kind_is_set_up_and_looked_at(
    standin: StandIn, number: str, kind: str, address: str, country: str | None
) -> None:
    set_up("--number", number)
    (made,) = twilio.client().conversations.v1.address_configurations.list()
    assert (made.type, made.address, made.address_country) == (kind, address, country)
    assert exit_status("--check", "--number", number) == 0
    standin.set_autocreate(address, enabled=False)
    assert exit_status("--check", "--number", number) == 1


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("ACME", "is a sender's name, which receives no messages"),
        (
            "chat:something",
            "by hand in the Twilio Console under Conversations > Manage > Addresses",
        ),
        ("whatsapp:12025550123", "must look like +12025550123, whatsapp:+12025550123"),
        ("+02025550123", "must look like +12025550123"),
        ("123456789", "must look like +12025550123"),
        ("", "must look like +12025550123"),
    ],
)
def test_what_cannot_be_set_up_is_named_with_the_way(
    standin: StandIn, number: str, sentence: str
) -> None:
    assert sentence in str(exit_status("--yes", "--number", number))
    assert standin.requests == []


def test_a_refused_key_is_named(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = standin.make_api_key()
    monkeypatch.setenv("TWILIO_API_KEY_SID", key["sid"])
    monkeypatch.setenv("TWILIO_API_KEY_SECRET", key["secret"])
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "of no use here")
    set_up("--number", NUMBER)
    standin.revoke_api_key(key["sid"])
    for words in (("--yes",), ("--check", "--number", NUMBER)):
        assert str(exit_status(*words)).startswith(
            f"Twilio refuses the API key {key['sid']}: check TWILIO_API"
        )


def test_half_a_key_is_named(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_API_KEY_SECRET", "secret")
    assert "TWILIO_API_KEY_SECRET is set without TWILIO_API_KEY_SID" in str(
        exit_status("--check")
    )


def test_an_unreachable_twilio_is_one_sentence(standin: StandIn) -> None:
    standin.fail(drop_answer=True)
    assert str(exit_status("--check")).startswith("Twilio could not be reached")
