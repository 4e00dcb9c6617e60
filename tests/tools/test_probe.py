"""The probe, against the real functions on a real port."""

import pytest

from local.ports import HOST, free_port
from local.servers import LocalServer
from tests.service import Service
from tools import probe
from tools.probe import WEBHOOKS, Webhook, address, complaint


def test_every_webhook_accepts_twilio_and_refuses_others(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    probe.main(["--base-url", service.base_url])
    assert capsys.readouterr().out.count("accepts Twilio, refuses others") == len(
        WEBHOOKS
    )
    assert not list(service.db.collections())  # and nothing came of it


def test_another_address_than_the_service_believes_in_is_found(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "WEBHOOK_BASE_URL", "https://us-central1-demo.cloudfunctions.net"
    )
    found = complaint(Webhook("pre_event", f"{service.base_url}/pre-event")) or ""
    assert found.startswith(
        "a signed request got 403 instead of 200: WEBHOOK_BASE_URL is not the address"
    )


def test_an_open_door_is_found() -> None:
    def agree(environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [])  # type: ignore[operator] # WSGI
        return [b"{}"]

    server = LocalServer(agree).start()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
        environment.setenv("TWILIO_AUTH_TOKEN", "token")
        found = complaint(Webhook("pre_event", f"{server.url}/pre-event")) or ""
    server.stop()
    assert found.startswith("an unsigned request got 200 instead of 403")


def test_an_older_version_that_does_not_know_messages_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse_unsigned(
        environ: dict[str, object], start_response: object
    ) -> list[bytes]:
        is_signed = "HTTP_X_TWILIO_SIGNATURE" in environ
        start_response("200 OK" if is_signed else "403 Forbidden", [])  # type: ignore[operator] # WSGI
        return [b"{}"]

    server = LocalServer(refuse_unsigned).start()
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "token")
    found = complaint(Webhook("post_event", f"{server.url}/post-event")) or ""
    server.stop()
    assert found.startswith("it does not know onMessageAdded and onDeliveryUpdated")


def test_silence_is_found(service: Service) -> None:
    nobody = f"http://{HOST}:{free_port()}/pre-event"
    assert (complaint(Webhook("pre_event", nobody)) or "").startswith(
        f"nothing answers at {nobody}"
    )


@pytest.mark.parametrize(
    ("base", "prefix", "expected"),
    [
        ("https://x.example.com", "", "https://x.example.com/outgoing-conversation"),
        (
            "https://x.example.com/",
            "staging",
            "https://x.example.com/staging-outgoing-conversation",
        ),
    ],
)
def test_the_address_is_base_prefix_and_name_with_hyphens(
    base: str, prefix: str, expected: str
) -> None:
    assert address(base, prefix, "outgoing_conversation") == expected
