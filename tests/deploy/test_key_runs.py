"""A deployment that gets an API key and a domain, keeps them, and gives the key back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.deploy.conftest import Story
from tests.deploy.google import Json, Request
from tests.deploy.test_doctor import doctor
from tests.deploy.test_later_runs import changes_of

pytestmark = pytest.mark.timeout(4000)
SIGNED = {
    "pre-event",
    "post-event",
    "routing",
    "crm",
    "outgoing-conversation",
    "templates",
}
CALLS = {
    "post-event",
    "routing",
    "worker-available",
    "pool-written",
    "conversation-written",
    "sweep",
    "inbox",
    "desk",
}


@dataclass
class WithKey:
    """The run that brought the key, and the one after it."""

    sid: str
    secret: str
    output: str
    requests: list[Request]
    again: str
    changes_again: list[Request]


@pytest.fixture(scope="module")
def with_key(story: Story) -> Iterator[WithKey]:
    key = story.twilio.make_api_key()
    before = len(story.google.requests)
    story.shell.more["TWILIO_API_KEY_SECRET"] = key["secret"]
    try:
        status, output = story.shell.run(
            "--twilio-api-key", key["sid"], "--allowed-domain", "Example.com"
        )
    finally:
        del story.shell.more["TWILIO_API_KEY_SECRET"]
    assert status == 0, output
    asked = story.google.requests[before:]
    status, again, changes = changes_of(story)
    assert status == 0, again
    yield WithKey(key["sid"], key["secret"], output, asked, again, changes)
    status, output = story.shell.run("--twilio-api-key", "", "--allowed-domain", "")
    assert status == 0, output
    for name, function in story.google.functions().items():
        assert "TWILIO_API_KEY_SECRET" not in secrets_of(function), name
        assert "OIDC_ALLOWED_DOMAINS" not in variables_of(function), name
    assert "TWILIO_AUTH_TOKEN" in secrets_of(story.google.functions()["inbox"])
    assert not [
        path
        for path in story.google.resources
        if path.endswith("/twilio-api-key-secret")
    ]


def secrets_of(function: Json) -> set[str]:
    return {
        one["key"]
        for one in function["serviceConfig"].get("secretEnvironmentVariables", [])
    }


def variables_of(function: Json) -> dict[str, str]:
    found: dict[str, str] = function["serviceConfig"]["environmentVariables"]
    return found


def test_only_functions_that_check_signatures_have_the_token(
    story: Story, with_key: WithKey
) -> None:
    given = {
        name: secrets_of(function)
        for name, function in story.google.functions().items()
    }
    assert {name for name in given if "TWILIO_AUTH_TOKEN" in given[name]} == SIGNED
    assert {name for name in given if "TWILIO_API_KEY_SECRET" in given[name]} == CALLS
    for name, function in story.google.functions().items():
        sid = variables_of(function).get("TWILIO_API_KEY_SID")
        assert sid == (with_key.sid if name in CALLS else None), name


def test_only_accounts_that_need_a_secret_may_read_it(
    story: Story, with_key: WithKey
) -> None:
    account = f"serviceAccount:inbound-{{}}@{story.project}.iam.gserviceaccount.com"
    role = "roles/secretmanager.secretAccessor"
    assert story.google.members("secrets/twilio-auth-token", role) == [
        account.format("runtime")
    ]
    readers = story.google.members("secrets/twilio-api-key-secret", role)
    assert readers == [account.format("inbox"), account.format("runtime")]


def test_the_keys_secret_travels_only_to_secret_manager(
    story: Story, with_key: WithKey
) -> None:
    forms = (with_key.secret, base64.b64encode(with_key.secret.encode()).decode())
    carrying = [r for r in with_key.requests if any(form in str(r) for form in forms)]
    assert {(r.api, r.path.rsplit("/", 1)[1]) for r in carrying} == {
        ("secretmanager", "twilio-api-key-secret:addVersion")
    }
    logs = [
        path for path in (story.shell.folder / "gcloud").rglob("*") if path.is_file()
    ]
    for form in forms:
        assert form not in with_key.output + with_key.again
        assert not [path.name for path in logs if form.encode() in path.read_bytes()]


def test_a_later_run_keeps_key_and_domain(story: Story, with_key: WithKey) -> None:
    assert with_key.changes_again == []
    assert "nothing was changed" in with_key.again
    functions = story.google.functions()
    pages = ("inbox", "desk")
    for name in pages:
        own = variables_of(functions[name])
        assert own["OIDC_ALLOWED_DOMAINS"] == "example.com", name
    others = [function for name, function in functions.items() if name not in pages]
    assert not [f for f in others if "OIDC_ALLOWED_DOMAINS" in variables_of(f)]


def test_the_key_is_tried_before_a_function_has_it(
    story: Story, with_key: WithKey
) -> None:
    assert f"Twilio accepts {with_key.sid}." in with_key.output
    story.shell.more["TWILIO_API_KEY_SECRET"] = "wrong"
    try:
        other = "SK" + "9" * 32
        status, output, changes = changes_of(story, "--twilio-api-key", other)
        assert status == 1
        assert (
            f"the API key {other} (TWILIO_API_KEY_SID) was deleted, has another secret"
            in output
        )
        assert "no function was deployed with it" in output
        assert not [r for r in changes if r.api == "cloudfunctions"]
        story.shell.more["TWILIO_API_KEY_SECRET"] = with_key.secret
        assert story.shell.run("--twilio-api-key", with_key.sid)[0] == 0
    finally:
        del story.shell.more["TWILIO_API_KEY_SECRET"]


def test_the_deployed_sweep_works_with_the_key_alone(
    story: Story, with_key: WithKey
) -> None:
    address = f"http://127.0.0.1:{story.deployed.port('sweep')}/"
    before = len(story.twilio.requests)
    assert requests.post(address, timeout=30).status_code == 200
    asked = story.twilio.requests[before:]
    assert asked
    assert not [one for one in asked if one["code"] == 20003]


def test_the_doctor_names_the_key_and_its_fault(
    story: Story, with_key: WithKey
) -> None:
    _, lines = doctor(story)
    assert f"ok    Twilio accepts the API key {with_key.sid}" in lines
    assert "ok    only addresses of example.com sign in to the inbox" in lines
    story.twilio.fail(401, 20003)
    _, lines = doctor(story)
    story.twilio.heal()
    (wrong,) = [line for line in lines if line.startswith("WRONG Twilio's side")]
    assert f"the API key {with_key.sid} (TWILIO_API_KEY_SID) was deleted" in wrong
