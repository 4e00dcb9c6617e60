"""What happens to a deployment later: a failed build, a wrong address, a rotated token, the end."""

from __future__ import annotations

import shlex
import subprocess
from typing import TypeAlias

import pytest

from tests.deploy.conftest import ROOT, Shell, Story
from tests.deploy.google import Request
from tests.deploy.test_deploy import WEBHOOKS

pytestmark = pytest.mark.timeout(4000)
Run: TypeAlias = tuple[int, str, list[Request]]


def changes_of(story: Story, *arguments: str) -> Run:
    """Exit status and words of one more run, and the requests that wrote."""
    before = len(story.google.requests)
    status, output = story.shell.run(*arguments)
    return (
        status,
        output,
        [r for r in story.google.requests[before:] if r.changes_something],
    )


def with_second_token(story: Story) -> list[str]:
    """Only those that check Twilio's signature."""
    return [name for name in story.google.functions() if name in WEBHOOKS]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert changes_of(story, "--dry-run")[0] == 0, "nothing would change"
    monkeypatch.setitem(
        story.shell.more, "TWILIO_AUTH_TOKEN_SECONDARY", "the-next-token"
    )
    status, output, changes = changes_of(story, "--dry-run")
    assert status == 3, output
    assert changes == []
    assert "would add a version to the secret twilio-auth-token-secondary" in output
    assert "TWILIO_AUTH_TOKEN_SECONDARY=twilio-auth-token-secondary:next" in output
    assert output.count("would deploy") == len(
        with_second_token(story)
    )  # the others check no signature
    assert "the-next-token" not in output


def test_a_second_stage_has_names_accounts_secrets_and_a_database_of_its_own(
    shell: Shell,
) -> None:
    status, output = shell.run(
        "--prefix", "staging", "--database", "staging", "--dry-run"
    )
    assert status == 3, output
    assert shell.google.changes() == []
    for words in (
        "firestore databases create --database=staging --location=us-central1",
        "iam service-accounts create staging-runtime",
        "databases/staging",
        "secrets create staging-twilio-auth-token",
        "functions deploy staging-outgoing-conversation",
        "--trigger-event-filters=database=staging",
        "TWILIO_AUTH_TOKEN=staging-twilio-auth-token:next",
        f"WEBHOOK_BASE_URL=https://us-central1-{shell.google.project}.cloudfunctions.net",
        "would call staging-sweep every minute",
    ):
        assert words in output


@pytest.mark.parametrize(
    ("what", "value", "says"),
    [
        ("build_failures", ["Build failed: no"], "Build failed: no"),
        (
            "builds_in",
            ("europe-west1",),
            "add --region with one of us-central1, us-west2, europe-west1",
        ),
        ("most_instances", 1, "add --max-instances 1, or ask for a larger quota"),
    ],
)
def test_a_function_that_is_not_deployed_is_named_with_the_reason(
    story: Story, monkeypatch: pytest.MonkeyPatch, what: str, value: object, says: str
) -> None:
    monkeypatch.setattr(story.google, what, value)
    status, output, _ = changes_of(
        story, "--only", "crm", "--base-url", f"https://{what}.example.com"
    )
    assert status == 1
    assert says in output
    assert output.strip().endswith(
        "run the same command again; what is deployed stays."
    )
    assert "Not deployed: crm." in output


def test_a_webhook_that_does_not_answer_as_it_must_keeps_twilio_where_it_is(
    story: Story,
) -> None:
    before = len(story.twilio.requests)
    wrong = f"{story.deployed.url}/elsewhere"
    status, output, _ = changes_of(
        story, "--only", "crm", "--base-url", wrong, "--twilio", "--yes"
    )
    assert status == 1
    assert f"{wrong}/crm: a signed request got 404" in output
    assert "Twilio was not pointed at them" in output
    assert len(story.twilio.requests) == before


def test_where_an_organisation_forbids_all_users_the_webhooks_are_open_all_the_same(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a later deployment, of which nobody has promised that it keeps that."""
    monkeypatch.setattr(story.google, "forbids_all_users", True)
    (key,) = [key for key in story.google.policies if key.endswith("services/crm")]
    monkeypatch.setitem(story.google.policies, key, {"version": 1, "etag": "YQ=="})
    arguments = (
        "--only",
        "crm",
        "--no-probe",
        "--base-url",
        f"{story.deployed.url}/another",
    )
    status, output, _ = changes_of(story, *arguments)
    assert status == 0, output
    annotations = story.google.services["crm"]["metadata"]["annotations"]
    assert annotations["run.googleapis.com/invoker-iam-disabled"].lower() == "true"
    status, output, changes = changes_of(story, *arguments)
    assert (status, changes) == (0, []), output


def test_a_roll_back_is_told_by_each_run_with_the_way_to_leave_it(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [{"revisionName": "routing-00001", "percent": 100}]
    monkeypatch.setitem(story.google.services["routing"]["spec"], "traffic", held)
    status, output, changes = changes_of(story, "--only", "routing", "--no-probe")
    assert (status, changes) == (0, []), output
    assert "routing was rolled back to routing-00001 and stays so" in output
    assert (
        f"update-traffic routing --to-latest --region us-central1 --project {story.project}"
        in output
    )


def test_a_second_copy_in_another_region_is_refused(story: Story) -> None:
    status, output, changes = changes_of(story, "--region", "us-east1")
    assert (status, changes) == (1, [])
    assert (
        "These functions run in us-central1 already and would share the database"
        in output
    )


def test_delete_in_another_region_removes_nothing_that_is_needed(story: Story) -> None:
    status, output, changes = changes_of(
        story, "--region", "europe-west1", "--delete", "--yes"
    )
    assert (status, changes) == (0, [])
    assert "Functions run in us-central1." in output


def documented(story: Story) -> list[str]:
    """The commands of the page that get a backup back, for this project and its backup."""
    page = (ROOT / "docs" / "deploying.md").read_text()
    commands = page.split("<!-- restore: begin -->\n")[1].split(
        "<!-- restore: end -->"
    )[0]
    commands = commands.replace("my-project", story.project).replace(
        "backups/ID", "backups/of-today"
    )
    return [line.strip() for line in commands.splitlines()]


@pytest.fixture(scope="module")
def restored(story: Story) -> Run:
    """A backup brought back as the page says, and in the same run a second token."""
    resources, project = story.google.resources, f"projects/{story.project}"
    name = f"{project}/locations/us-central1/backups/of-today"
    resources[name] = {
        "name": name,
        "database": f"{project}/databases/(default)",
        "state": "READY",
    }
    resources[f"{project}/databases/(default)/documents/service/sweep"] = {"fields": {}}
    listing, restoring, deploying = map(shlex.split, documented(story))
    for command in (listing, restoring):
        done = subprocess.run(
            command,
            env=story.shell.environment(),
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        assert command is not listing or name in done.stdout
    story.shell.more["TWILIO_AUTH_TOKEN_SECONDARY"] = "the-next-token"
    try:
        return changes_of(
            story, *deploying[3:], "--base-url", story.deployed.url, "--no-probe"
        )
    finally:
        del story.shell.more["TWILIO_AUTH_TOKEN_SECONDARY"]


def test_a_backup_is_brought_back_as_the_page_says(story: Story, restored: Run) -> None:
    status, output, changes = restored
    assert status == 0, output
    for function in story.google.functions().values():
        assert (
            function["serviceConfig"]["environmentVariables"]["FIRESTORE_DATABASE"]
            == "restored"
        )
        watched = {
            f["attribute"]: f["value"]
            for f in function.get("eventTrigger", {}).get("eventFilters", [])
        }
        assert watched.get("database", "restored") == "restored"
    gone = [r for r in changes if r.method == "DELETE" and r.api == "cloudfunctions"]
    assert len(gone) == 4  # a trigger cannot be moved to another database
    project = f"projects/{story.project}"
    assert f"{project}/releases/cloud.firestore/restored" in story.google.resources
    policy = str(story.google.policies[f"cloudresourcemanager/{project}"])
    assert "databases/restored" in policy
    assert "databases/(default)" not in policy
    groups = f"{project}/databases/restored/collectionGroups"
    assert (
        "ttlConfig"
        in story.google.resources[f"{groups}/conversations/fields/expires_at"]
    )


def test_a_second_token_goes_only_when_no_function_needs_it_any_more(
    story: Story, restored: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = ("--base-url", story.deployed.url, "--no-probe")
    monkeypatch.setitem(story.shell.more, "TWILIO_AUTH_TOKEN_SECONDARY", "")
    status, output, changes = changes_of(story, *back, "--only", "crm")
    assert (status, changes) == (1, [])
    assert "run without --only" in output
    status, output, changes = changes_of(story, *back)
    assert status == 0, output
    (gone,) = [n for n, r in enumerate(changes) if r.method == "DELETE"]
    assert changes[gone].path.endswith("secrets/twilio-auth-token-secondary")
    deployed = [
        n
        for n, r in enumerate(changes)
        if r.api == "cloudfunctions" and r.method == "PATCH"
    ]
    assert len(deployed) == len(with_second_token(story))
    assert max(deployed) < gone


def test_delete_removes_what_was_made_and_leaves_the_data(story: Story) -> None:
    before = len(story.twilio.requests)
    status, output, changes = changes_of(
        story, "--delete", "--yes", "--base-url", story.deployed.url
    )
    assert status == 0, output
    assert story.google.functions() == {}
    kinds = {path.split("/")[-2] for path in story.google.resources}
    ours = {
        "functions",
        "serviceAccounts",
        "secrets",
        "jobs",
        "alertPolicies",
        "notificationChannels",
    }
    assert not kinds & ours
    (repository,) = [
        d for p, d in story.google.resources.items() if p.endswith("/gcf-artifacts")
    ]
    assert repository["cleanupPolicies"] == {}
    assert f"projects/{story.project}/databases/(default)" in story.google.resources
    assert not [r for r in changes if r.api in ("firestore", "firebaserules")]
    policy = story.google.policies[f"cloudresourcemanager/projects/{story.project}"]
    assert [b for b in policy.get("bindings", []) if b["members"]] == []
    asked = story.twilio.requests[before:]
    posted = [request["path"] for request in asked if request["method"] == "POST"]
    assert posted, output
    assert posted[-1].endswith("/Configuration/Webhooks")


def test_delete_without_a_terminal_and_without_yes_removes_nothing(
    story: Story,
) -> None:
    _, output, changes = changes_of(story, "--delete", "--no-probe")
    assert changes == []
    has_functions = bool(
        story.google.functions()
    )  # not if the test before ran in this process
    assert ("there is no terminal" if has_functions else "nothing") in output.lower()
