"""Another installation in the same project, an outage of its region, another version of the service."""

from __future__ import annotations

import pytest

from local.emulator import Emulator
from tests.deploy.conftest import Shell
from tests.deploy.google import Google, Json
from tests.deploy.test_bad_input import ends_with

pytestmark = pytest.mark.timeout(4000)
MARK, SOURCE = "0123456789abcdef" * 2, "fedcba9876543210" * 2
REACHES = 'resource.name=="projects/{}/databases/(default)"'


@pytest.fixture(autouse=True)
def records(shell: Shell, emulator: Emulator) -> None:
    """Firestore answers: a dry run looks at the records, too."""
    shell.more["FIRESTORE_EMULATOR_HOST"] = emulator.host


def deployed(
    google: Google, name: str, app: str, region: str = "us-central1", **labels: str
) -> Json:
    """A function as some deployment of this service has left it."""
    place = f"projects/{google.project}/locations/{region}"
    function = {
        "name": f"{place}/functions/{name}",
        "state": "ACTIVE",
        "environment": "GEN_2",
        "labels": {"app": app, "mark": MARK, "source": SOURCE} | labels,
        "serviceConfig": {
            "serviceAccountEmail": f"{app}-runtime@{google.project}.iam.gserviceaccount.com",
            "environmentVariables": {"FIRESTORE_DATABASE": "(default)"},
        },
    }
    google.resources[str(function["name"])] = function
    return function


def test_a_second_installation_on_the_same_database_is_refused(shell: Shell) -> None:
    deployed(shell.google, "pre-event", "inbound", region="us-east1")
    said = ends_with(shell, "--prefix", "staging")
    assert "(default) is used by another installation of this service" in said
    assert "the one without a prefix" in said
    assert "add --database with a name of its own" in said
    assert "--share-database" in said
    status, output = shell.run("--prefix", "staging", "--share-database", "--dry-run")
    assert status == 3, output
    assert "is shared with another installation" in output


def test_one_that_shares_the_database_already_is_not_asked_again(shell: Shell) -> None:
    deployed(shell.google, "pre-event", "inbound")
    deployed(shell.google, "staging-pre-event", "staging")
    status, output = shell.run("--prefix", "staging", "--dry-run")
    assert status == 3, output
    assert "is shared with another installation of this service" in output


def test_half_deleted_accounts_that_reach_the_database_are_an_installation(
    shell: Shell,
) -> None:
    project = shell.google.project
    email = f"old-runtime@{project}.iam.gserviceaccount.com"
    shell.google.resources[f"projects/{project}/serviceAccounts/{email}"] = {
        "name": f"projects/{project}/serviceAccounts/{email}",
        "email": email,
        "description": "Made by deploy.sh of the inbound conversation service",
    }
    binding = {
        "role": "roles/datastore.user",
        "members": [f"serviceAccount:{email}"],
        "condition": {"expression": REACHES.format(project), "title": "old"},
    }
    policy = {"version": 3, "etag": "YQ==", "bindings": [binding]}
    shell.google.policies[f"cloudresourcemanager/projects/{project}"] = policy
    said = ends_with(shell)
    assert "the one with --prefix old" in said


@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--delete", "--dry-run")])
def test_a_list_without_a_region_that_is_out_of_reach_stops_the_run(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    deployed(shell.google, "pre-event", "inbound", region="europe-west1")
    shell.google.unreachable = "europe-west1"
    said = ends_with(shell, *arguments)
    assert "cannot reach europe-west1" in said
    assert "run the same command again later" in said


def test_a_function_with_our_label_alone_is_not_ours(shell: Shell) -> None:
    deployed(shell.google, "routing", "inbound", mark="")
    assert "a function routing in us-central1 that this script did not make" in (
        ends_with(shell)
    )


def test_functions_that_this_version_does_not_have_are_removed_trigger_first(
    shell: Shell,
) -> None:
    """One of somebody else's stays, though it has the same usual label."""
    unknown = deployed(shell.google, "pool-merged", "inbound")
    trigger = unknown["name"].replace("/functions/", "/triggers/")
    unknown["eventTrigger"] = {"trigger": trigger}
    shop = deployed(shell.google, "shop", "inbound", mark="one", source="two")
    status, output = shell.run("--dry-run")
    assert status == 3, output
    assert "eventarc triggers delete pool-merged --location=us-central1" in output
    assert "functions delete pool-merged" in output
    assert "delete shop" not in output
    order = [output.index(w) for w in ("deploy inbox", "triggers delete", "would call")]
    assert order == sorted(order)
    status, output = shell.run("--dry-run", "--keep-others")
    assert status == 3, output
    assert "delete pool-merged" not in output
    assert "pool-merged belongs to this installation" in output
    assert shop["name"] in shell.google.resources


def test_every_missing_permission_is_named_before_anything_is_changed(
    shell: Shell,
) -> None:
    lacking = {"resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.actAs"}
    shell.google.lacking = lacking
    said = ends_with(shell)
    assert "iam.serviceAccounts.actAs (roles/iam.serviceAccountUser)" in said
    assert "(roles/resourcemanager.projectIamAdmin)" in said


def test_a_region_without_a_scheduler_is_refused_with_those_that_have_one(
    shell: Shell,
) -> None:
    shell.google.scheduler_regions = ("us-central1", "europe-west1")
    said = ends_with(shell, "--region", "us-east1")
    assert "Cloud Scheduler, which calls the sweep, is not offered in us-east1" in said
    assert "europe-west1 us-central1" in said


def test_ingress_behind_a_load_balancer(shell: Shell) -> None:
    closed = "--ingress", "internal-and-gclb"
    assert "add --base-url with the address" in ends_with(shell, *closed)
    function = deployed(shell.google, "pre-event", "inbound")
    service = function["serviceConfig"]
    service["ingressSettings"] = "ALLOW_INTERNAL_AND_GCLB"
    service["environmentVariables"]["WEBHOOK_BASE_URL"] = "https://in.example.com"
    status, output = shell.run("--dry-run")
    assert status == 3, output
    for line in output.splitlines():
        inside = any(f"deploy {n}:" in line for n in ("sweep", "worker-available"))
        assert not inside or "--ingress-settings=internal-only" in line
        assert "would deploy crm" not in line or "internal-and-gclb" in line
