"""What tests stand on: the real emulator, a fresh project per test, the stand-in, every function served."""

import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from local.emulator import Emulator
from local.servers import LocalServer
from local.triggers import Triggers
from providers import clock
from tests.service import Apps, Service

if TYPE_CHECKING:
    from local.twilio import StandIn

_SERVICE_ENVIRONMENT = [
    "GOOGLE_CLOUD_PROJECT",
    "FIRESTORE_EMULATOR_HOST",
    "FIRESTORE_DATABASE",
    "K_SERVICE",
    "WEBHOOK_BASE_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_AUTH_TOKEN_SECONDARY",
    "TWILIO_API_KEY_SID",
    "TWILIO_API_KEY_SECRET",
    "TWILIO_WEBHOOK_SHARED_KEY",
    "TWILIO_API_BASE_URL",
    "TWILIO_CONVERSATION_SERVICE_SID",
    "TWILIO_SMS_NUMBER",
    "TWILIO_WHATSAPP_NUMBER",
    "TWILIO_REGION",
    "TWILIO_EDGE",
    "INBOX_URL",
    "INBOX_SECRET",
    "DESK_URL",
    "DESK_IAP_AUDIENCE",
    "INBOX_SIGN_IN",
    "IAP_AUDIENCE",
    "DESK_URL",
    "DESK_IAP_AUDIENCE",
    "IAP_KEYS_URL",
    "OIDC_ISSUER",
    "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET",
    "OIDC_ALLOWED_DOMAINS",
    "OIDC_TRUST_EMAIL",
    "VAPID_PRIVATE_KEY",
    "VAPID_SUBJECT",
]


@pytest.fixture(autouse=True)
def _no_environment_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _SERVICE_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _true_time_again() -> Iterator[None]:
    yield
    clock.shift(0)


@pytest.fixture(scope="session")
def triggers() -> Iterator[Triggers]:
    """Takes the emulator's events: `attach(project, ...)`, `behave(...)`, `drain(project)`."""
    receiver = Triggers()
    app = Flask("triggers")
    app.register_blueprint(receiver.blueprint())
    server = LocalServer(app).start()
    # Always one of our own: an emulator posts its events to one address, so it cannot serve two test runs.
    emulator = Emulator(functions_port=server.port, own=True)
    try:
        receiver.connect(emulator.start())
        yield receiver
    finally:
        receiver.close()
        emulator.stop()
        server.stop()


@pytest.fixture(scope="session")
def emulator(triggers: Triggers) -> Emulator:
    """The running Firestore emulator: `host`, `set_rules(project, text)`, `clear(project)`."""
    return triggers.emulator


@pytest.fixture
def project(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh, empty project, which the environment names."""
    name = f"demo-{secrets.token_hex(6)}"
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", name)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.host)
    return name


@pytest.fixture
def db(project: str) -> Iterator[firestore.Client]:
    """The project's database, past all rules, for preparing and checking."""
    client = firestore.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # untyped
    yield client
    client.close()  # type: ignore[no-untyped-call] # untyped


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator["StandIn"]:
    """Twilio, as far as the service can tell: running, and named by the environment."""
    from local.twilio import StandIn

    twilio = StandIn(
        account_sid=f"AC{secrets.token_hex(16)}",
        auth_token=secrets.token_hex(16),
        port=0,
    )
    twilio.start()
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", twilio.account_sid)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", twilio.auth_token)
    monkeypatch.setenv("TWILIO_API_BASE_URL", twilio.url)
    yield twilio
    twilio.stop()


@pytest.fixture(scope="session")
def apps() -> Iterator[Apps]:
    """Every function of main.py through the real loader, on one port."""
    loaded = Apps()
    yield loaded
    loaded.server.stop()


@pytest.fixture
def client_for(apps: Apps) -> Callable[[str], FlaskClient]:
    """Flask's test client of a function: client_for("pre_event").post("/", data=...)."""
    return apps.client


@pytest.fixture
def service(
    apps: Apps,
    triggers: Triggers,
    project: str,
    db: firestore.Client,
    standin: "StandIn",
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Service]:
    """All of it together: webhooks of the stand-in and events of the emulator reach the functions."""
    monkeypatch.setenv("WEBHOOK_BASE_URL", apps.server.url)
    with Service(apps, triggers, project, db, standin) as running:
        yield running
