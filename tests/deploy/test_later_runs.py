"""What happens to a deployment later: a failed build, a wrong address, a rotated token, the end."""

from __future__ import annotations

import pytest

from tests.deploy.conftest import Shell, Story
from tests.deploy.google import Refusal, Request

pytestmark = pytest.mark.timeout(4000)


def changes_of(story: Story, *arguments: str) -> tuple[int, str, list[Request]]:
    """Exit status and words of one more run, and the requests that wrote."""
    before = len(story.google.requests)
    status, output = story.shell.run(*arguments)
    return status, output, [r for r in story.google.requests[before:] if r.changes_something]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(story.shell.more, "TWILIO_AUTH_TOKEN_SECONDARY", "the-next-token")
    status, output, changes = changes_of(story, "--dry-run")
    assert status == 0, output
    assert changes == []
    assert "would add a version to the secret twilio-auth-token-secondary" in output
    assert "TWILIO_AUTH_TOKEN_SECONDARY=twilio-auth-token-secondary:next" in output
    assert output.count("would deploy") == len(story.google.functions())
    assert "the-next-token" not in output


def test_a_second_stage_has_names_accounts_secrets_and_a_database_of_its_own(shell: Shell) -> None:
    status, output = shell.run("--prefix", "staging", "--database", "staging", "--dry-run")
    assert status == 0, output
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


def test_a_function_that_does_not_build_is_named_with_googles_reason(story: Story) -> None:
    story.google.refusals.append(
        Refusal("PATCH .*functions/crm", 400, "Build failed: no", "INVALID_ARGUMENT")
    )
    status, output, _ = changes_of(
        story, "--only", "crm", "--min-instances", "1", "--base-url", "https://other.example.com"
    )
    story.google.refusals.clear()
    assert status == 1
    assert "Build failed: no" in output
    assert output.strip().endswith("run the same command again; what is deployed stays.")
    assert "Not deployed: crm." in output


def test_a_webhook_that_does_not_answer_as_it_must_keeps_twilio_where_it_is(story: Story) -> None:
    before = len(story.twilio.requests)
    wrong = f"{story.deployed.url}/elsewhere"
    status, output, _ = changes_of(story, "--only", "crm", "--base-url", wrong, "--twilio", "--yes")
    assert status == 1
    assert f"{wrong}/crm: a signed request got 404" in output
    assert "Twilio was not pointed at them" in output
    assert len(story.twilio.requests) == before


def test_a_second_copy_in_another_region_is_refused(story: Story) -> None:
    status, output, changes = changes_of(story, "--region", "us-east1")
    assert (status, changes) == (1, [])
    assert "These functions run in us-central1 already and would share the database" in output


def test_delete_in_another_region_removes_nothing_that_is_needed(story: Story) -> None:
    status, output, changes = changes_of(story, "--region", "europe-west1", "--delete", "--yes")
    assert (status, changes) == (0, [])
    assert "Functions run in us-central1." in output


def test_a_second_token_goes_only_when_no_function_needs_it_any_more(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = ("--base-url", story.deployed.url, "--no-probe")
    monkeypatch.setitem(story.shell.more, "TWILIO_AUTH_TOKEN_SECONDARY", "the-next-token")
    status, output, _ = changes_of(story, *back)
    assert status == 0, output
    monkeypatch.setitem(story.shell.more, "TWILIO_AUTH_TOKEN_SECONDARY", "")
    status, output, changes = changes_of(story, *back, "--only", "crm")
    assert (status, changes) == (1, [])
    assert "run without --only" in output
    status, output, changes = changes_of(story, *back)
    assert status == 0, output
    (gone,) = [n for n, r in enumerate(changes) if r.method == "DELETE"]
    assert changes[gone].path.endswith("secrets/twilio-auth-token-secondary")
    deployed = [n for n, r in enumerate(changes) if r.api == "cloudfunctions" and r.method == "PATCH"]
    assert len(deployed) == len(story.google.functions())
    assert max(deployed) < gone


def test_delete_removes_what_was_made_and_leaves_the_data(story: Story) -> None:
    status, output, changes = changes_of(story, "--delete", "--yes", "--base-url", story.deployed.url)
    assert status == 0, output
    assert story.google.functions() == {}
    kinds = {path.split("/")[-2] for path in story.google.resources}
    assert not kinds & {"functions", "serviceAccounts", "secrets", "jobs"}
    assert f"projects/{story.project}/databases/(default)" in story.google.resources
    assert not [r for r in changes if r.api in ("firestore", "firebaserules")]
    policy = story.google.policies[f"cloudresourcemanager/projects/{story.project}"]
    assert [b for b in policy.get("bindings", []) if b["members"]] == []
    (last,) = [r for r in story.twilio.requests[-3:] if r["method"] == "POST"]
    assert last["path"].endswith("/Configuration/Webhooks")


def test_delete_without_a_terminal_and_without_yes_removes_nothing(story: Story) -> None:
    _, output, changes = changes_of(story, "--delete", "--no-probe")
    assert changes == []
    has_functions = bool(story.google.functions())  # not if the test before ran in this process
    assert ("there is no terminal" if has_functions else "nothing") in output.lower()
