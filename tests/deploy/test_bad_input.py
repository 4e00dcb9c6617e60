"""Whatever is wrong, deploy.sh ends with one sentence that says what to do, and has changed nothing before."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.deploy.conftest import Shell
from tests.deploy.google import Google, Refusal

pytestmark = pytest.mark.timeout(4000)


def sentence(output: str) -> str:
    """The one line that deploy.sh ends with."""
    (line,) = re.findall(r"^deploy\.sh: (.*)$", output, re.MULTILINE)
    return str(line)


def ends_with(shell: Shell, *arguments: str) -> str:
    status, output = shell.run(*arguments)
    assert status == 1, output
    assert "Traceback" not in output
    assert shell.google.changes() == []
    return sentence(output)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--regoin", "x"], "'--regoin' is not an option: see ./deploy.sh --help."),
        (["--region"], "--region needs a value"),
        (["--region", "US Central"], "must be a region such as us-central1"),
        (["--project", "My Project"], "must be a project's id, not its name or number"),
        (["--database", "Main"], "must be 4 to 63 lower-case letters"),
        (["--prefix", "Staging_"], "must be 1 to 19 lower-case letters"),
        (
            ["--prefix", "inbound"],
            "would share accounts with the installation that has no prefix",
        ),
        (["--min-instances", "one"], "must be a whole number"),
        (["--max-instances", "0"], "must be a whole number from 1"),
        (["--alert-email", "ops"], "must be an e-mail address"),
        (["--alert-waiting", "5"], "needs --alert-email"),
        (
            ["--base-url", "example.com"],
            "must be an address such as https://example.com",
        ),
        (
            ["--only", "pre-events"],
            "There is no function 'pre-events': the names are pre-event post-event",
        ),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(
    shell: Shell, arguments: list[str], says: str
) -> None:
    assert says in ends_with(shell, *arguments)
    assert shell.google.requests == []


def test_without_gcloud_it_says_where_to_get_it(shell: Shell, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in map(Path, os.environ["PATH"].split(":")):
        for name in (
            "bash",
            "env",
            "dirname",
            "mktemp",
            "rm",
            "tr",
            "cut",
            "grep",
            "sed",
        ):
            if (folder / name).exists() and not (tools / name).exists():
                (tools / name).symlink_to(folder / name)
    shell.more["PATH"] = str(tools)
    assert "install it from https://cloud.google.com/sdk/docs/install" in ends_with(
        shell
    )


def test_a_person_who_is_not_signed_in_is_told_to_sign_in(shell: Shell) -> None:
    shell.more["CLOUDSDK_AUTH_ACCESS_TOKEN"] = ""
    assert "run 'gcloud auth login'" in ends_with(shell)


def test_a_project_without_billing_gets_the_page_that_links_one(
    shell: Shell, google: Google
) -> None:
    google.billing = False
    said = ends_with(shell)
    assert (
        f"https://console.cloud.google.com/billing/linkedaccount?project={google.project}"
        in said
    )


def test_a_missing_permission_is_named(shell: Shell, google: Google) -> None:
    google.refusals.append(
        Refusal(
            "GET cloudfunctions/.*/functions$",
            403,
            "Permission 'cloudfunctions.functions.list' denied on resource",
        )
    )
    said = ends_with(shell)
    assert said.startswith(f"You may not list the functions in {google.project}")
    assert "your account lacks cloudfunctions.functions.list" in said
    assert "docs/deploying.md" in said


def test_an_unknown_region_gets_the_list_of_regions(shell: Shell) -> None:
    said = ends_with(shell, "--region", "us-centrl1")
    assert said.startswith("There is no Cloud Functions region 'us-centrl1'")
    assert "europe-west1" in said


def test_a_database_in_another_location_gets_the_region_to_use(
    shell: Shell, google: Google
) -> None:
    (database,) = google.resources.values()
    database["locationId"] = "eur3"
    said = ends_with(shell)
    assert said.startswith("The database (default) is in eur3 and cannot be moved")
    assert "--region europe-west1" in said


def test_an_api_that_is_off_is_named(shell: Shell, google: Google) -> None:
    off = "Secret Manager API has not been used in project 1: enable it at console/secretmanager.googleapis.com"
    google.refusals.append(Refusal("GET secretmanager/.*/secrets$", 403, off))
    said = ends_with(shell)
    assert "run 'gcloud services enable secretmanager.googleapis.com" in said


def test_another_applications_rules_are_not_replaced_unasked(
    shell: Shell, google: Google
) -> None:
    project = f"projects/{google.project}"
    source = {
        "files": [
            {
                "name": "firestore.rules",
                "content": "match /a/{b} { allow read: if true; }",
            }
        ]
    }
    google.resources[f"{project}/rulesets/theirs"] = {"source": source}
    release = {"rulesetName": f"{project}/rulesets/theirs"}
    google.resources[f"{project}/releases/cloud.firestore"] = dict(release)
    said = ends_with(shell)
    assert "has another application's rules in force" in said
    assert "--database inbound" in said
    assert "--share-database" in said
    assert google.resources[f"{project}/releases/cloud.firestore"] == release
    documents = f"{project}/databases/(default)/documents"
    google.resources[f"{documents}/orders/1"] = {}
    del google.resources[f"{project}/releases/cloud.firestore"]
    assert "has somebody else's collections (orders)" in ends_with(shell)


def test_a_function_that_somebody_else_made_is_not_overwritten(
    shell: Shell, google: Google
) -> None:
    name = f"projects/{google.project}/locations/us-central1/functions/routing"
    google.resources[name] = {
        "name": name,
        "state": "ACTIVE",
        "labels": {"app": "shop"},
        "environment": "GEN_1",
    }
    assert (
        "There is a function routing in us-central1 that this script did not make"
        in ends_with(shell)
    )


def test_without_a_terminal_a_missing_token_is_named_before_anything_is_changed(
    shell: Shell,
) -> None:
    del shell.more["TWILIO_AUTH_TOKEN"]
    assert ends_with(shell).startswith(
        "TWILIO_AUTH_TOKEN is not set and there is no terminal to ask on"
    )
