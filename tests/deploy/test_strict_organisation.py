"""An organisation that keeps resources in one region, a small quota of CPUs, a token that expires: one first run."""

from __future__ import annotations

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from local.emulator import Emulator
from tests.deploy.conftest import Shell
from tests.deploy.google import Refusal
from tests.deploy.test_bad_input import ends_with

pytestmark = pytest.mark.timeout(4000)


def test_a_first_run_gets_through(
    shell: Shell, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    google = shell.google
    google.replicates_in = google.region
    google.starts_at_once = 1
    google.operation_seconds = 0.3
    google.expired_tokens = 1
    shell.more["FIRESTORE_EMULATOR_HOST"] = emulator.host
    status, output = shell.run("--no-probe", "--supervisor", "maria@example.com")
    assert status == 0, output
    assert {one["state"] for one in google.functions().values()} == {"ACTIVE"}
    assert "one at a time again" in output
    secrets = [one for one in google.resources.values() if "replication" in one]
    assert secrets
    for secret in secrets:
        (replica,) = secret["replication"]["userManaged"]["replicas"]
        assert replica["location"] == google.region
    settings = {
        name: one["serviceConfig"]["ingressSettings"]
        for name, one in google.functions().items()
    }
    assert settings["sweep"] == "ALLOW_INTERNAL_ONLY"
    assert settings["worker-available"] == "ALLOW_INTERNAL_ONLY"
    assert settings["pre-event"] == "ALLOW_ALL"
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.host)
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call] # untyped
    db = firestore.Client(project=google.project, credentials=credentials)
    made = db.document("workers/maria@example.com").get().to_dict() or {}
    assert made.items() >= {"role": "supervisor", "confirmed": True}.items()
    before = len(google.changes())
    status, output = shell.run("--no-probe", "--supervisor", "maria@example.com")
    assert status == 0, output
    assert google.changes()[before:] == []
    assert "nothing was changed" in output


@pytest.mark.parametrize("state", ["DISABLED", "DESTROYED"])
def test_a_version_that_cannot_be_read_is_no_stored_value(
    shell: Shell, state: str
) -> None:
    secret = f"projects/{shell.google.project}/secrets/twilio-auth-token"
    shell.google.resources[secret] = {"name": secret, "labels": {"app": "inbound"}}
    version = {"name": f"{secret}/versions/1", "state": state, "payload": {"data": ""}}
    shell.google.resources[f"{secret}/versions/1"] = version
    del shell.more["TWILIO_AUTH_TOKEN"]
    assert "TWILIO_AUTH_TOKEN is not set" in ends_with(shell)


def test_a_token_that_a_new_one_does_not_mend_is_not_a_missing_role(
    shell: Shell,
) -> None:
    refusal = Refusal("firebaserules/", 401, "no credentials", "UNAUTHENTICATED")
    shell.google.refusals.append(refusal)
    status, output = shell.run()
    assert status == 1
    assert "You are signed out of Google Cloud" in output
    assert "roles/" not in output


def test_an_address_that_the_public_reaches_must_be_https(shell: Shell) -> None:
    address = "http://example.com"
    assert "with https" in ends_with(shell, "--base-url", address)
    shell.more["INBOX_URL"] = address
    assert f"INBOX_URL '{address}' must be" in ends_with(shell)
