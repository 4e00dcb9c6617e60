"""Nobody but our own Twilio account gets past the door of a signed function. The list is main.py's."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from tests.conformance.entry_points import SIGNED, of_no_interest
from tests.conformance.sender import Sender
from tests.service import signature

pytestmark = pytest.mark.parametrize("name", SIGNED)

SETTINGS = "X-Twilio-Webhooks-Signature-Settings"
NO_SIGNATURES = [
    "x",
    " ",
    "=" * 28,
    "A" * 28,  # as long as a right one
    "A" * 44,  # as long as a right one of SHA-256
    "A" * 8000,
    "\u00e9" * 28,
    "\x00\x01",
    "null",
    "[]",
]


def test_a_request_without_a_signature_is_refused(twilio: Sender, name: str) -> None:
    form, _ = of_no_interest(name)
    answer = twilio.send(name, form, signature="")
    assert (answer.status_code, answer.is_json) == (403, True)
    assert twilio.send(name, signature="").status_code == 403


def test_a_genuine_request_is_let_in(twilio: Sender, name: str) -> None:
    form, status = of_no_interest(name)
    with_account = form | {"AccountSid": twilio.account_sid}
    assert twilio.send(name, form).status_code == status
    assert twilio.send(name, with_account).status_code == status


@pytest.mark.parametrize("signature", NO_SIGNATURES)
def test_what_is_no_signature_at_all_is_refused(
    twilio: Sender, name: str, signature: str
) -> None:
    form, _ = of_no_interest(name)
    assert twilio.send(name, form, signature=signature).status_code == 403


def test_another_token_is_refused(twilio: Sender, name: str) -> None:
    form, _ = of_no_interest(name)
    forged = twilio.signature(twilio.url(name), form, token="another-token")
    assert twilio.send(name, form, signature=forged).status_code == 403
    empty = twilio.signature(twilio.url(name), form, token=" ")
    assert twilio.send(name, form, signature=empty).status_code == 403


def test_a_changed_an_added_and_a_removed_parameter_are_noticed(
    twilio: Sender, name: str
) -> None:
    form = of_no_interest(name)[0] | {"Attributes": "{}", "Source": "SMS"}
    right = twilio.signature(twilio.url(name), form)
    changed = form | {"Source": "WHATSAPP"}
    added = form | {"Added": "1"}
    removed = {field: value for field, value in form.items() if field != "Source"}
    emptied = form | {"Source": ""}
    twice = [*form.items(), ("Source", "API")]
    for tampered in (changed, added, removed, emptied, twice):
        assert twilio.send(name, tampered, signature=right).status_code == 403
    assert twilio.send(name, form, signature=right).status_code != 403


def test_a_signature_for_another_address_is_refused(twilio: Sender, name: str) -> None:
    form, _ = of_no_interest(name)
    right = twilio.signature(twilio.url(name), form)
    for other in SIGNED:
        if other != name:
            assert twilio.send(other, form, signature=right).status_code == 403
    for path, query in (
        ("/further", ""),
        ("//", ""),
        ("", "x=1"),
        ("", "AccountSid=1"),
    ):
        assert (
            twilio.send(name, form, path=path, query=query, signature=right).status_code
            == 403
        )
    elsewhere = replace(twilio, public="https://elsewhere.example.com")
    assert elsewhere.send(name, form).status_code == 403


def test_an_order_of_the_query_other_than_the_signed_one_is_refused(
    twilio: Sender, name: str
) -> None:
    form, _ = of_no_interest(name)
    right = twilio.signature(twilio.url(name, query="a=1&b=2"), form)
    assert twilio.send(name, form, query="b=2&a=1", signature=right).status_code == 403


def test_another_account_is_refused_though_it_signs_correctly(
    twilio: Sender, name: str
) -> None:
    form, _ = of_no_interest(name)
    for account in (
        "AC" + "0" * 32,
        "",
        twilio.account_sid.upper(),
        twilio.account_sid + "\n",
    ):
        answer = twilio.send(name, form | {"AccountSid": account})
        assert (answer.status_code, "AccountSid" in answer.get_data(as_text=True)) == (
            403,
            True,
        )
    twice = [
        *form.items(),
        ("AccountSid", twilio.account_sid),
        ("AccountSid", "AC" + "0" * 32),
    ]
    assert twilio.send(name, twice).status_code == 403


def test_a_token_that_is_being_rotated_in_is_let_in_too(
    twilio: Sender, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, status = of_no_interest(name)
    by_second = replace(twilio, auth_token="the-second-token")
    assert by_second.send(name, form).status_code == 403
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_SECONDARY", "the-second-token")
    assert by_second.send(name, form).status_code == status
    assert twilio.send(name, form).status_code == status


def test_sha_256_signatures_with_the_shared_key_are_let_in(
    twilio: Sender, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, status = of_no_interest(name)
    monkeypatch.setenv("TWILIO_WEBHOOK_SHARED_KEY", "the-shared-key")

    def send(key: str, said: str, algorithm: str = "HMAC_SHA256") -> int:
        signature = twilio.signature(twilio.url(name), form, key, algorithm)
        return twilio.send(
            name, form, headers={SETTINGS: said}, signature=signature
        ).status_code

    assert (
        send("the-shared-key", "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256")
        == status
    )
    assert send("another-key", "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256") == 403
    assert send("the-shared-key", "key=webhooks_sharedkey_1") == 403
    assert send("the-shared-key", "algorithm=HMAC_MD5") == 403
    assert send("the-shared-key", "algorithm=none") == 403
    assert send("the-shared-key", ",,=,algorithm=") == 403


def test_without_a_token_nobody_is_let_in_and_the_log_names_the_variable(
    twilio: Sender,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    form, _ = of_no_interest(name)
    for value in (None, "", "  "):
        monkeypatch.delenv("TWILIO_AUTH_TOKEN")
        if value is not None:
            monkeypatch.setenv("TWILIO_AUTH_TOKEN", value)
        answer = twilio.send(name, form)
        assert (answer.status_code, "TWILIO" in answer.get_data(as_text=True)) == (
            500,
            False,
        )
        assert "TWILIO_AUTH_TOKEN" in capsys.readouterr().out
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", twilio.auth_token)


def test_without_an_account_a_request_that_names_one_is_not_let_in(
    twilio: Sender,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    form, _ = of_no_interest(name)
    monkeypatch.delenv("TWILIO_ACCOUNT_SID")
    answer = twilio.send(name, form | {"AccountSid": twilio.account_sid})
    assert (answer.status_code, "TWILIO" in answer.get_data(as_text=True)) == (
        500,
        False,
    )
    assert "TWILIO_ACCOUNT_SID" in capsys.readouterr().out


CONVERSATIONS = (
    "pre_event",
    "post_event",
)  # Frontline's app does not name the account in its own callbacks


def test_without_an_account_a_webhook_of_conversations_is_refused(
    twilio: Sender, name: str
) -> None:
    form, status = of_no_interest(name)
    right = signature(twilio.url(name), form, twilio.auth_token)
    answer = twilio.send(name, body=urlencode(form).encode(), signature=right)
    assert answer.status_code == (403 if name in CONVERSATIONS else status)


def test_an_account_that_was_moved_into_another_field_is_noticed(
    twilio: Sender, name: str
) -> None:
    """The same characters in the same order have the same signature, wherever a field's name ends."""
    form = of_no_interest(name)[0] | {"AccountSid": twilio.account_sid, "Aardvark": "1"}
    right = signature(twilio.url(name), form, twilio.auth_token)
    rest = {
        field: value
        for field, value in form.items()
        if field not in ("AccountSid", "Aardvark")
    }
    joined = f"AccountSid{twilio.account_sid}"
    for split in (
        {"Aardvark": f"1{joined}"},
        {"Aardvark": "1", joined: ""},
        {"Aardvark": "1", "Acc": joined[3:]},
        {"Aardvark": "1", joined[:-1]: joined[-1]},
    ):
        tampered = split | rest
        assert signature(twilio.url(name), tampered, twilio.auth_token) == right
        answer = twilio.send(name, body=urlencode(tampered).encode(), signature=right)
        assert (answer.status_code, answer.is_json) == (403, True)
