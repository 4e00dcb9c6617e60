"""A sender in Twilio's place: before the door alone, or with the whole service behind it."""

import secrets
from collections.abc import Callable

import pytest
from google.cloud import firestore

from tests.conformance.entry_points import (
    CUSTOMER,
    CUSTOMER_ADDRESS,
    OUR_NUMBER,
    WORKER,
)
from tests.conformance.sender import Sender
from tests.service import Apps, Service


@pytest.fixture
def twilio(apps: Apps, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """The functions with an account and without a database: what gets past the door fails there."""
    sender = Sender(
        f"AC{secrets.token_hex(16)}", secrets.token_hex(16), apps.server.url
    )
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", sender.account_sid)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", sender.auth_token)
    monkeypatch.setenv("WEBHOOK_BASE_URL", sender.base_url)
    return sender


@pytest.fixture
def whole(service: Service, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """The whole service, with the records that the genuine requests ask for."""
    monkeypatch.setenv("TWILIO_SMS_NUMBER", OUR_NUMBER)
    service.db.document(f"customers/{CUSTOMER}").set(
        {"display_name": "Ann", "addresses": [CUSTOMER_ADDRESS], "worker": WORKER}
    )
    service.settle()
    service.standin.forget_traffic()
    return Sender(
        service.standin.account_sid, service.standin.auth_token, service.base_url
    )


@pytest.fixture
def stored(db: firestore.Client) -> Callable[[], dict[str, object]]:
    """Every record of the project with its version: equal before and after means that nothing was written."""

    def records() -> dict[str, object]:
        return {
            snapshot.reference.path: snapshot.update_time
            for collection in db.collections()
            for snapshot in collection.stream()
        }

    return records
