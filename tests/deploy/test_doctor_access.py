"""The doctor and permissions: each one that was taken away is named; without gcloud."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from functions.table import FUNCTIONS
from tests.deploy.conftest import ROOT, prepared
from tests.deploy.google import Google, Json, Refusal
from tools.checkup import Finding, Place
from tools.checkup_access import ACCESS, CALLERS, ROLES

PROJECT = "demo-access"
PLACE = f"projects/{PROJECT}/locations/us-central1"
DATABASE = f'resource.name=="projects/{PROJECT}/databases/(default)"'
RUNS_AS = {
    "wallboard": "wallboard",
    "inbox": "inbox",
    "desk": "inbox",
    "customer_written": "records",
}
Spoil = Callable[[Google], None]


def account(kind: str) -> str:
    return f"inbound-{kind}@{PROJECT}.iam.gserviceaccount.com"


def member(kind: str) -> str:
    return "allUsers" if kind == "allUsers" else f"serviceAccount:{account(kind)}"


def binding(role: str, kind: str, condition: str = "") -> Json:
    made: Json = {"role": role, "members": [member(kind)]}
    return made | ({"condition": {"expression": condition}} if condition else {})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """A deployment as deploy.sh leaves it, as far as permissions go."""
    google = prepared(Google(PROJECT))
    for function in FUNCTIONS:
        name = function.name.replace("_", "-")
        kind = RUNS_AS.get(function.name, "runtime")
        service: Json = {
            "serviceAccountEmail": account(kind),
            "environmentVariables": {"FIRESTORE_DATABASE": "(default)"},
        }
        if kind == "runtime":
            service["secretEnvironmentVariables"] = [
                {"key": "TWILIO_AUTH_TOKEN", "secret": "token", "version": "1"}
            ]
        google.resources[f"{PLACE}/functions/{name}"] = {
            "name": f"{PLACE}/functions/{name}",
            "labels": {"app": "inbound"},
            "serviceConfig": service,
        }
        google.resources[f"{PLACE}/services/{name}"] = {"name": name}
        google.services[name] = {"metadata": {"annotations": {}}}
        if caller := CALLERS.get(function.caller):
            google.policies[f"run/{PLACE}/services/{name}"] = {
                "bindings": [binding("roles/run.invoker", caller)]
            }
    google.policies[f"cloudresourcemanager/projects/{PROJECT}"] = {
        "bindings": [
            binding(role, kind, DATABASE if is_limited else "")
            for kind, role, is_limited in ROLES
        ]
    }
    google.policies[f"secretmanager/projects/{PROJECT}/secrets/token"] = {
        "bindings": [binding("roles/secretmanager.secretAccessor", "runtime")]
    }
    google.resources[f"{PLACE}/repositories/gcf-artifacts"] = {
        "cleanupPolicies": {"inbound-keep": {}, "inbound-delete": {}}
    }
    for name, value in google.environment("").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOOGLE_ACCESS_TOKEN", "made-up")
    yield google
    google.close()


def findings() -> list[Finding]:
    place = Place(PROJECT)
    assert place.functions
    return [finding for check in ACCESS.values() for finding in check(place)]


def test_all_permissions_in_order_are_said_to_be(world: Google) -> None:
    assert all(finding.ok for finding in findings()), findings()


def no_roles(world: Google) -> None:
    del world.policies[f"cloudresourcemanager/projects/{PROJECT}"]


def role_for_another_database(world: Google) -> None:
    policy = world.policies[f"cloudresourcemanager/projects/{PROJECT}"]
    policy["bindings"][0]["condition"]["expression"] = DATABASE.replace(
        "(default)", "old"
    )


def no_callers(world: Google) -> None:
    for name in ("pre-event", "pool-written", "sweep"):
        del world.policies[f"run/{PLACE}/services/{name}"]


def open_to_all(world: Google) -> None:
    annotations = world.services["sweep"]["metadata"]["annotations"]
    annotations["run.googleapis.com/invoker-iam-disabled"] = "true"


def no_reader(world: Google) -> None:
    del world.policies[f"secretmanager/projects/{PROJECT}/secrets/token"]


def dry_cleanup(world: Google) -> None:
    repository = world.resources[f"{PLACE}/repositories/gcf-artifacts"]
    repository["cleanupPolicyDryRun"] = True


def no_cleanup(world: Google) -> None:
    world.resources[f"{PLACE}/repositories/gcf-artifacts"] = {"name": "x"}


def second_installation(world: Google) -> None:
    path = f"{PLACE}/functions/staging-sweep"
    variables = {"environmentVariables": {"FIRESTORE_DATABASE": "(default)"}}
    world.resources[path] = {
        "name": path,
        "labels": {"app": "staging"},
        "serviceConfig": variables,
    }


@pytest.mark.parametrize(
    ("spoil", "sentences"),
    [
        (no_roles, ["inbound-runtime lacks the role roles/datastore.user"]),
        (no_roles, ["inbound-trigger lacks the role roles/eventarc.eventReceiver"]),
        (
            role_for_another_database,
            ["inbound-runtime lacks the role roles/datastore.user"],
        ),
        (
            no_callers,
            [
                "Google refuses every request to pre-event, because allUsers lacks roles/run.invoker",
                f"{account('trigger')} may not call pool-written",
                f"{account('scheduler')} may not call sweep",
            ],
        ),
        (open_to_all, ["everyone may call sweep"]),
        (no_reader, [f"{account('runtime')} may not read the secret token"]),
        (dry_cleanup, ["the policies that delete old images are a dry run"]),
        (no_cleanup, ["old images are never deleted"]),
        (
            second_installation,
            ["other functions use the database (default), too: staging-sweep"],
        ),
    ],
)
def test_what_was_taken_away_is_named_with_what_to_do(
    world: Google, spoil: Spoil, sentences: list[str]
) -> None:
    spoil(world)
    bad = "\n".join(f.sentence for f in findings() if not f.ok)
    for sentence in sentences:
        assert sentence in bad
    if spoil is not second_installation:
        assert "run ./deploy.sh --project demo-access" in bad


def test_a_public_function_whose_callers_are_not_checked_is_in_order(
    world: Google,
) -> None:
    del world.policies[f"run/{PLACE}/services/pre-event"]
    annotations = world.services["pre-event"]["metadata"]["annotations"]
    annotations["run.googleapis.com/invoker-iam-disabled"] = "true"
    assert all(finding.ok for finding in findings()), findings()


def doctor(world: Google, **more: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.doctor", "--project", PROJECT],
        cwd=ROOT,
        env=world.environment("")
        | {"GOOGLE_ACCESS_TOKEN": "made-up", "PATH": os.environ["PATH"]}
        | more,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_person_without_the_quota_role_is_asked_for_it(world: Google) -> None:
    words = "Caller does not have required permission to use project demo. serviceusage.services.use"
    world.refusals.append(Refusal(".*", 403, words))
    status, said = doctor(world)
    assert status == 1
    assert "give you roles/serviceusage.serviceUsageConsumer" in said
    assert len(said.splitlines()) == 1


def test_the_page_names_the_roles_that_the_doctor_needs() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    from tools.doctor import ROLES as NEEDED

    for role in NEEDED.replace(" and ", ", ").split(", "):
        assert f"`{role}`" in page, role


def test_without_network_the_doctor_says_one_sentence(world: Google) -> None:
    status, said = doctor(world, CLOUDFUNCTIONS_API_URL="http://127.0.0.1:9")
    assert status == 1
    assert "Google Cloud could not be reached" in said
    assert len(said.splitlines()) == 1
