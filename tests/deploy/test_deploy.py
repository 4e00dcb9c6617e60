"""One deployment with the real gcloud: what it sent, what it left, and whether the deployed source runs."""

from __future__ import annotations

import ast
import base64
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from functions.table import FUNCTIONS
from providers import customers
from tests.deploy.conftest import ROOT, Story
from tests.deploy.google import Json
from tools.alerts import SECTIONS
from tools.seed import default_records

pytestmark = pytest.mark.timeout(
    4000
)  # the first test waits for three runs of deploy.sh
WEBHOOKS = [
    "pre-event",
    "post-event",
    "routing",
    "crm",
    "outgoing-conversation",
    "templates",
]


def entry_points() -> list[str]:
    """The functions that main.py defines."""
    tree = ast.parse((ROOT / "main.py").read_text())
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    ]


def table() -> dict[str, list[str]]:
    """The lines of deploy.sh: entry point and its other columns."""
    lines = (
        (ROOT / "deploy.sh")
        .read_text()
        .split('FUNCTIONS="')[1]
        .split('"')[0]
        .split("\n")
    )
    return {words[0]: words[1:] for words in map(str.split, lines) if words}


def trigger(function: Json) -> Json:
    event: Json = function["eventTrigger"]
    return event


def secrets_of(function: Json) -> list[Json]:
    found: list[Json] = function["serviceConfig"].get("secretEnvironmentVariables", [])
    return found


def test_deploy_sh_has_one_line_for_each_function_of_main() -> None:
    assert sorted(table()) == sorted(entry_points())


def test_deploy_sh_calls_each_kind_of_function_what_main_decorates_it_as() -> None:
    tree = ast.parse((ROOT / "main.py").read_text())
    decorated = {
        node.name: ast.unparse(node.decorator_list[0]).removeprefix(
            "functions_framework."
        )
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }
    for entry, columns in table().items():
        assert (columns[0] == "firestore") == (decorated[entry] == "cloud_event"), entry


def test_deploy_sh_says_of_each_function_what_the_table_says() -> None:
    told = {
        entry: (caller, int(limit), more[-1] if caller == "firestore" else "")
        for entry, (caller, limit, *more) in table().items()
    }
    assert told == {
        one.name: (one.caller, one.limit, one.documents) for one in FUNCTIONS
    }


def test_ctrl_c_ends_every_child_and_says_how_to_go_on(story: Story) -> None:
    status, output = story.stopped
    assert status == 130, output
    assert "run the same command again and it continues" in output
    assert "Traceback" not in output
    assert story.left_running == ""


def test_running_it_again_finishes_what_was_stopped(story: Story) -> None:
    status, output = story.complete
    assert status == 0, output
    assert sorted(story.google.functions()) == sorted(
        name.replace("_", "-") for name in entry_points()
    )
    assert {f["state"] for f in story.google.functions().values()} == {"ACTIVE"}


def test_a_run_with_nothing_new_changes_nothing(story: Story) -> None:
    status, output = story.again
    assert status == 0, output
    assert story.changes_again == []
    assert "nothing was changed" in output


def test_what_a_new_project_answers_at_first_is_got_through(story: Story) -> None:
    assert (story.google.unknown_accounts, story.google.build_failures) == (0, [])
    called = {f"{request.api}.googleapis.com" for request in story.google.requests}
    assert {
        left for name, left in story.google.just_enabled.items() if name in called
    } == {0}


def test_no_function_is_deployed_before_the_indexes_that_it_needs_are_built(
    story: Story,
) -> None:
    assert story.google.without_index == []


def test_the_first_function_of_all_is_deployed_alone(story: Story) -> None:
    names = [
        r.query.get("functionId", r.path.rsplit("/", 1)[1])
        for r in story.google.requests
        if r.api == "cloudfunctions"
        and r.method in ("POST", "PATCH")
        and r.changes_something
    ]
    first = names.index("pre-event")
    last = len(names) - 1 - names[::-1].index("pre-event")
    assert set(names[first:last]) == {"pre-event"}
    assert last > first  # its build had failed


def test_a_database_that_it_makes_can_be_brought_back(story: Story) -> None:
    name = f"projects/{story.project}/databases/(default)"
    made = story.google.resources[name]
    assert made["pointInTimeRecoveryEnablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"
    assert (made["databaseEdition"], made["deleteProtectionState"]) == (
        "STANDARD",
        "DELETE_PROTECTION_ENABLED",
    )
    (schedule,) = [
        d
        for p, d in story.google.resources.items()
        if p.startswith(f"{name}/backupSchedules/")
    ]
    assert (schedule["dailyRecurrence"], schedule["retention"]) == ({}, "604800s")


def test_somebody_learns_when_it_breaks(story: Story) -> None:
    channels, made = alerts_of(story)
    assert [one["labels"]["email_address"] for one in channels] == ["ops@example.com"]
    assert {one["userLabels"]["alert"] for one in made} == set(SECTIONS)
    headings = re.findall(
        "^## (.*)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE
    )
    for policy in made:
        assert policy["notificationChannels"] == [channels[0]["name"]]
        section = SECTIONS[policy["userLabels"]["alert"]]
        assert section in headings
        assert section in policy["documentation"]["content"]


def alerts_of(story: Story) -> tuple[list[Json], list[Json]]:
    """The channels and the policies."""
    kinds = ("notificationChannels", "alertPolicies")
    channels, policies = (
        [d for p, d in story.google.resources.items() if f"/{kind}/" in p]
        for kind in kinds
    )
    return channels, policies


def test_old_images_of_ours_and_of_nobody_else_may_be_deleted(story: Story) -> None:
    (repository,) = [
        d for p, d in story.google.resources.items() if p.endswith("/gcf-artifacts")
    ]
    policies = repository["cleanupPolicies"]
    assert policies["inbound-keep"]["mostRecentVersions"]["keepCount"] == 5
    for rule in (
        policies["inbound-keep"]["mostRecentVersions"],
        policies["inbound-delete"]["condition"],
    ):
        assert len(rule["packageNamePrefixes"]) == len(story.google.functions())
        assert all(
            name.endswith(tuple(map(doubled, story.google.functions())))
            for name in rule["packageNamePrefixes"]
        )


def doubled(name: str) -> str:
    return "__" + name.replace("-", "--")


def test_signing_in_is_tried_as_far_as_the_issuers_own_page(story: Story) -> None:
    _, output = story.complete
    assert "the page is there and signing in begins" in output


def test_each_webhook_has_a_whole_cpu_and_as_many_threads_as_requests(
    story: Story,
) -> None:
    for name, function in story.google.functions().items():
        service = function["serviceConfig"]
        assert float(service["availableCpu"]) >= 1, name
        threads = int(service["environmentVariables"]["THREADS"])
        assert service["maxInstanceRequestConcurrency"] == threads > 1, name
        assert service["maxInstanceCount"] <= 10, name  # what a new project is allowed


def test_the_webhooks_that_customers_wait_for_are_kept_warm_if_asked(
    story: Story,
) -> None:
    warm = {
        n: f["serviceConfig"].get("minInstanceCount", 0)
        for n, f in story.google.functions().items()
    }
    assert {n for n, count in warm.items() if count == 1} == {
        "pre-event",
        "post-event",
        "routing",
    }


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("worker-available", "workers/{identity}"),
        ("customer-written", "customers/{customer_id}"),
        ("pool-written", "pools/{pool_id}"),
        ("conversation-written", "conversations/{sid}"),
    ],
)
def test_a_trigger_watches_its_documents_and_tries_again(
    story: Story, name: str, document: str
) -> None:
    event = trigger(story.google.functions()[name])
    assert event["eventType"] == "google.cloud.firestore.document.v1.written"
    assert {f["attribute"]: f["value"] for f in event["eventFilters"]} == {
        "database": "(default)",
        "document": document,
    }
    assert {f["attribute"]: f.get("operator") for f in event["eventFilters"]}[
        "document"
    ] == "match-path-pattern"
    assert event["retryPolicy"] == "RETRY_POLICY_RETRY"
    assert event["triggerRegion"] == "us-central1"
    assert event["serviceAccountEmail"].startswith("inbound-trigger@")


def test_only_webhooks_may_be_called_by_anybody(story: Story) -> None:
    callers = {
        n: story.google.members(f"services/{n}", "roles/run.invoker")
        for n in story.google.functions()
    }
    account = f"serviceAccount:inbound-{{}}@{story.project}.iam.gserviceaccount.com"
    assert callers == {
        **{name: ["allUsers"] for name in WEBHOOKS},
        "worker-available": [account.format("trigger")],
        "customer-written": [account.format("trigger")],
        "pool-written": [account.format("trigger")],
        "conversation-written": [account.format("trigger")],
        "sweep": [account.format("scheduler")],
        "wallboard": [],
        "inbox": ["allUsers"],
        "desk": ["allUsers"],
    }


def test_each_service_account_has_only_what_it_needs(story: Story) -> None:
    policy = story.google.policies[f"cloudresourcemanager/projects/{story.project}"]
    given = {
        (b["role"], *b["members"], b.get("condition", {}).get("expression"))
        for b in policy["bindings"]
    }
    account = f"serviceAccount:inbound-{{}}@{story.project}.iam.gserviceaccount.com"
    only_this = f'resource.name=="projects/{story.project}/databases/(default)"'
    assert given == {
        ("roles/datastore.user", account.format("runtime"), only_this),
        ("roles/datastore.user", account.format("records"), only_this),
        ("roles/datastore.viewer", account.format("wallboard"), only_this),
        ("roles/datastore.user", account.format("inbox"), only_this),
        ("roles/eventarc.eventReceiver", account.format("trigger"), None),
        ("roles/run.builder", account.format("build"), None),
    }
    readers = story.google.members(
        "secrets/twilio-auth-token", "roles/secretmanager.secretAccessor"
    )
    assert readers == [account.format("inbox"), account.format("runtime")]
    for secret, wanted in {
        "inbox-secret": ["inbox"],
        "oidc-client-secret": ["inbox"],
        "vapid-private-key": ["inbox", "runtime"],
    }.items():
        readers = story.google.members(
            f"secrets/{secret}", "roles/secretmanager.secretAccessor"
        )
        assert readers == [account.format(one) for one in wanted], secret


def test_functions_run_and_are_built_as_their_own_accounts(story: Story) -> None:
    for name, function in story.google.functions().items():
        own = {
            "wallboard": "wallboard",
            "inbox": "inbox",
            "desk": "inbox",
            "customer-written": "records",
        }.get(name, "runtime")
        assert function["serviceConfig"]["serviceAccountEmail"].startswith(
            f"inbound-{own}@"
        ), name
        assert (
            "/serviceAccounts/inbound-build@"
            in function["buildConfig"]["serviceAccount"]
        ), name


def test_the_token_travels_only_to_secret_manager_and_is_named_by_number(
    story: Story,
) -> None:
    token = story.twilio.auth_token
    encoded = base64.b64encode(token.encode()).decode()
    carrying = [
        r for r in story.google.requests if token in str(r) or encoded in str(r)
    ]
    assert {(r.api, r.path.rsplit("/", 1)[1]) for r in carrying} == {
        ("secretmanager", "twilio-auth-token:addVersion")
    }
    for name, function in story.google.functions().items():
        given = {s["key"]: (s["secret"], s["version"]) for s in secrets_of(function)}
        if name not in ("customer-written", "wallboard"):
            assert given["TWILIO_AUTH_TOKEN"] == ("twilio-auth-token", "1"), name


def test_who_neither_calls_twilio_nor_checks_its_signature_has_no_secret_of_twilios(
    story: Story,
) -> None:
    for name in ("customer-written", "wallboard"):
        assert secrets_of(story.google.functions()[name]) == [], name


def test_the_token_is_on_no_command_line_and_in_no_output(story: Story) -> None:
    """gcloud keeps a log of its command lines in its configuration folder."""
    logs = [p for p in (story.shell.folder / "gcloud").rglob("*") if p.is_file()]
    assert logs
    token = story.twilio.auth_token.encode()
    for form in (token, base64.b64encode(token), b"made-up-access-token"):
        assert not [p.name for p in logs if form in p.read_bytes()]
    for _, output in (story.stopped, story.complete, story.again):
        assert story.twilio.auth_token not in output


def test_only_what_runs_in_the_cloud_is_uploaded(story: Story) -> None:
    names = {
        Path(name).parts[0]
        for upload in story.google.uploads.values()
        for name in zipfile.ZipFile(io.BytesIO(upload)).namelist()
    }
    assert names == {
        "main.py",
        "requirements.txt",
        "functions",
        "assignment",
        "domain",
        "providers",
    }


def paths(described: Json) -> list[str]:
    return [field["fieldPath"] for field in described["fields"]]


def test_every_index_of_the_file_is_made_once(story: Story) -> None:
    made = [r.body for r in story.google.changes() if r.path.endswith("/indexes")]
    wanted = json.loads((story.shell.checkout / "firestore.indexes.json").read_text())[
        "indexes"
    ]
    assert sorted(map(paths, made)) == sorted(map(paths, wanted))


def test_fields_get_their_time_to_live_and_their_exemption_from_indexing(
    story: Story,
) -> None:
    for override in json.loads(
        (story.shell.checkout / "firestore.indexes.json").read_text()
    )["fieldOverrides"]:
        group = f"projects/{story.project}/databases/(default)/collectionGroups/{override['collectionGroup']}"
        field = story.google.resources[f"{group}/fields/{override['fieldPath']}"]
        assert ("ttlConfig" in field) == bool(override.get("ttl"))
        assert (field.get("indexConfig", {}).get("indexes", []) == []) == (
            override["indexes"] == []
        )


def test_the_rules_of_the_file_are_in_force(story: Story) -> None:
    release = story.google.resources[
        f"projects/{story.project}/releases/cloud.firestore"
    ]
    ruleset = story.google.resources[release["rulesetName"]]
    assert (
        ruleset["source"]["files"][0]["content"]
        == (story.shell.checkout / "firestore.rules").read_text()
    )


def test_the_scheduler_calls_the_sweep_every_minute_as_its_own_account(
    story: Story,
) -> None:
    job = story.google.resources[
        f"projects/{story.project}/locations/us-central1/jobs/sweep"
    ]
    address = story.google.functions()["sweep"]["serviceConfig"]["uri"]
    assert job["schedule"] == "* * * * *"
    assert job["httpTarget"]["uri"] == f"{address}/"
    token = job["httpTarget"]["oidcToken"]
    assert token["audience"] == address
    assert token["serviceAccountEmail"].startswith("inbound-scheduler@")


def test_the_records_that_the_service_starts_from_are_written(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", story.emulator.host)
    db = firestore.Client(project=story.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # untyped
    for path, fields in default_records().items():
        there = db.document(path).get().to_dict() or {}
        assert there == fields or (
            path == customers.THE_KEY and there.keys() == fields.keys()
        ), path


def test_the_probe_asked_every_webhook_signed_and_unsigned(story: Story) -> None:
    _, output = story.complete
    accepted = re.findall(
        rf"{story.deployed.url}/(\S+): accepts Twilio, refuses others", output
    )
    assert accepted == WEBHOOKS


def test_twilio_is_pointed_at_the_deployed_webhooks(story: Story) -> None:
    _, output = story.complete
    assert f"wanted  {story.deployed.url}/pre-event" in output
    assert f"wanted  {story.deployed.url}/post-event" in output


@pytest.mark.parametrize("entry_point", entry_points())
def test_the_uploaded_source_serves(story: Story, entry_point: str) -> None:
    name = entry_point.replace("_", "-")
    address = f"http://127.0.0.1:{story.deployed.port(name)}/"
    wrong_method = (
        requests.get(address, timeout=10)
        if name != "wallboard"
        else requests.post(address, timeout=10)
    )
    if name in ("inbox", "desk"):
        assert requests.get(address, timeout=10).status_code == 200
    elif "eventTrigger" in story.google.functions()[name]:
        assert requests.post(address, json={}, timeout=10).status_code in (
            400,
            415,
        )  # not an event
    else:
        assert wrong_method.status_code == 405
    if name in WEBHOOKS:
        assert (
            requests.post(
                f"{story.deployed.url}/{name}", {"EventType": "x"}, timeout=10
            ).status_code
            == 403
        )
