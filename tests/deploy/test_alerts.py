"""Alerts, rules and cleanup policies against a Google that refuses, forgets and does not deliver; without gcloud."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.deploy.conftest import ROOT, prepared
from tests.deploy.google import Google, Json, Refusal
from tools.alert_policies import SECTIONS, Watched, conditions
from tools.checkup import Place, alerting

EMAIL = ("--email", "ops@example.com")
UNKNOWN = "The metric referenced by the provided filter is unknown. Check the metric name and labels."


@pytest.fixture
def world() -> Iterator[Google]:
    """A project with the APIs on; nothing was deployed."""
    google = prepared(Google("demo-alerts"))
    google.enabled |= {"monitoring.googleapis.com"}
    yield google
    google.close()


def tool(world: Google, name: str, *words: str) -> tuple[int, str]:
    """Exit status and everything printed by one of the tools."""
    done = subprocess.run(
        [sys.executable, "-m", f"tools.{name}", "--project", world.project, *words],
        cwd=ROOT,
        env=world.environment("") | {"GOOGLE_ACCESS_TOKEN": "made-up"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def kept(world: Google, kind: str) -> list[Json]:
    return [d for p, d in world.resources.items() if f"/{kind}/" in p]


def alert(world: Google, name: str) -> Json:
    (policy,) = [
        p for p in kept(world, "alertPolicies") if p["userLabels"]["alert"] == name
    ]
    return policy


def addresses(world: Google) -> list[str]:
    channels = kept(world, "notificationChannels")
    return sorted(channel["labels"]["email_address"] for channel in channels)


@pytest.mark.parametrize(
    "refused", ["POST monitoring/.*alertPolicies", "POST .*notificationChannels"]
)
def test_a_404_to_a_write_is_tried_again_and_then_one_sentence(
    world: Google, refused: str
) -> None:
    world.refusals.append(Refusal(refused, 404, UNKNOWN, "NOT_FOUND"))
    status, said = tool(world, "alerts", *EMAIL)
    assert status == 1
    assert f"The alerts could not be made: Google answered 404: {UNKNOWN}" in said
    assert not kept(world, "alertPolicies")
    assert sum(bool(re.search(refused, _line(r))) for r in world.requests) >= 3


def _line(request: object) -> str:
    return f"{request.method} {request.api}/{request.path}"  # type: ignore[attr-defined]  # a Request


def test_a_metric_that_google_learns_meanwhile_gets_its_alerts(world: Google) -> None:
    world.refused_once.append(Refusal("POST .*alertPolicies", 404, UNKNOWN))
    status, said = tool(world, "alerts", *EMAIL, "--patience", "10")
    assert status == 0, said
    assert {p["userLabels"]["alert"] for p in kept(world, "alertPolicies")} == {
        *SECTIONS
    }


def test_rules_that_google_does_not_put_in_force_are_not_said_to_be(
    world: Google,
) -> None:
    world.refusals.append(Refusal("POST .*/releases", 404, "no such ruleset"))
    status, said = tool(world, "firestore_rules")
    assert status == 1
    assert "in force: done" not in said


def test_a_sweep_that_stays_dead_keeps_its_incident_open(world: Google) -> None:
    assert tool(world, "alerts", *EMAIL)[0] == 0
    assert alert(world, "sweep")["alertStrategy"]["autoClose"] == "604800s"
    assert alert(world, "errors")["alertStrategy"]["autoClose"] == "1800s"


def test_a_sweep_that_never_ran_rings(world: Google) -> None:
    """`absent` of a series that was never written is 1; conditionAbsent needs a point first."""
    assert tool(world, "alerts", *EMAIL)[0] == 0
    (condition,) = alert(world, "never_swept")["conditions"]
    promql = condition["conditionPrometheusQueryLanguage"]
    assert promql["query"].startswith("absent(sum(increase(run_googleapis_com:request_")
    assert 'service_name=~"sweep"' in promql["query"]
    assert promql["disableMetricValidation"] is True


def test_one_refused_webhook_without_an_accepted_one_rings() -> None:
    watched = Watched("staging", "europe-west1", "staging")
    made = conditions(watched, 30)
    query = made["refused"][0]["conditionPrometheusQueryLanguage"]["query"]
    refused, accepted = query.split(" unless ")
    assert 'response_code="403"' in refused
    assert refused.endswith("[1h])) > 0")
    assert 'response_code_class="2xx"' in accepted
    assert 'service_name=~"staging-pre-event|staging-post-event"' in query
    # What Google refuses itself is not in request_count.
    logged = made["turned_away"][0]["conditionMatchedLog"]["filter"]
    assert '"staging-routing"' in logged
    assert "httpRequest.status=429" in logged
    assert 'textPayload:"not authenticated"' in logged


def test_several_addresses_get_the_alerts_and_the_last_list_counts(
    world: Google,
) -> None:
    assert tool(world, "alerts", *EMAIL, "--email", "ann@example.com")[0] == 0
    assert addresses(world) == ["ann@example.com", "ops@example.com"]
    assert len(alert(world, "sweep")["notificationChannels"]) == 2
    before = len(world.changes())
    assert tool(world, "alerts")[0] == 0
    assert len(world.changes()) == before, "a second run changes nothing"
    assert tool(world, "alerts", "--email", "bob@example.com")[0] == 0
    assert addresses(world) == ["bob@example.com"]


def test_a_channel_that_a_person_added_to_an_alert_stays(world: Google) -> None:
    assert tool(world, "alerts", *EMAIL)[0] == 0
    slack = f"projects/{world.project}/notificationChannels/slack"
    world.resources[slack] = {"name": slack, "type": "slack"}
    alert(world, "sweep")["notificationChannels"].append(slack)
    status, said = tool(world, "alerts", "--email", "bob@example.com")
    assert status == 0, said
    assert slack in alert(world, "sweep")["notificationChannels"]


def _points(world: Google, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name, value in world.environment("").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOOGLE_ACCESS_TOKEN", "made-up")
    return Place(world.project)


def test_the_doctor_notices_alerts_that_reach_nobody(
    world: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tool(world, "alerts", *EMAIL)[0] == 0
    place = _points(world, monkeypatch)
    (well,) = alerting(place)
    assert well.ok, well
    (channel,) = kept(world, "notificationChannels")
    channel |= {"enabled": False, "verificationStatus": "UNVERIFIED"}
    alert(world, "sweep")["enabled"] = False
    alert(world, "errors")["notificationChannels"] = []
    del world.resources[alert(world, "refused")["name"]]
    findings = list(alerting(place))
    said = "\n".join(finding.sentence for finding in findings)
    assert all(finding.ok is False for finding in findings)
    for words in (
        "the notification channel of ops@example.com is disabled",
        "the notification channel of ops@example.com is not verified",
        "the alert 'inbound: no sweep for five minutes' is disabled",
        "the alert 'inbound: an error in the log' is sent to none of the addresses",
        "there is no alert 'inbound: every webhook is refused'",
    ):
        assert words in said, words


def test_old_images_are_deleted_and_not_only_said_to_be(world: Google) -> None:
    name = f"projects/{world.project}/locations/us-central1/repositories/gcf-artifacts"
    world.resources[name] = {"name": name, "cleanupPolicyDryRun": True}
    words = ("--region", "us-central1", "--app", "inbound", "sweep")
    assert tool(world, "image_cleanup", *words)[0] == 0
    assert world.resources[name]["cleanupPolicyDryRun"] is False
    before = len(world.changes())
    assert tool(world, "image_cleanup", *words) == (0, "")
    assert len(world.changes()) == before


def test_a_dry_run_of_a_repository_with_policies_of_others_is_said(
    world: Google,
) -> None:
    name = f"projects/{world.project}/locations/us-central1/repositories/gcf-artifacts"
    theirs = {"theirs": {"id": "theirs", "action": "DELETE"}}
    world.resources[name] = {
        "name": name,
        "cleanupPolicyDryRun": True,
        "cleanupPolicies": theirs,
    }
    words = ("--region", "us-central1", "--app", "inbound", "sweep")
    status, said = tool(world, "image_cleanup", *words)
    assert status == 0
    assert "others have policies there (theirs)" in said
    assert "--no-cleanup-policy-dry-run --location us-central1" in said
    assert world.resources[name]["cleanupPolicyDryRun"] is True
    assert "theirs" in world.resources[name]["cleanupPolicies"]


def test_a_budget_is_set_once_and_renewed_for_another_amount(world: Google) -> None:
    world.enabled |= {f"{n}.googleapis.com" for n in ("cloudbilling", "billingbudgets")}
    assert tool(world, "alerts", *EMAIL)[0] == 0
    assert tool(world, "budget", "--amount", "50", "--dry-run")[1].startswith("  would")
    assert not kept(world, "budgets")
    for amount in ("50", "50", "80"):
        status, said = tool(world, "budget", "--amount", amount)
        assert status == 0, said
        (budget,) = kept(world, "budgets")
        assert budget["amount"]["specifiedAmount"]["units"] == amount
        assert budget["budgetFilter"]["projects"] == [f"projects/{world.project}"]
        rule = budget["notificationsRule"]
        assert len(rule["monitoringNotificationChannels"]) == 1
    posted = [r for r in world.changes() if r.api == "billingbudgets"]
    assert [r.method for r in posted] == ["POST", "PATCH"]


def test_a_budget_that_a_person_may_not_set_is_one_sentence(world: Google) -> None:
    world.refusals.append(Refusal(".*billingAccounts", 403, "no permission"))
    world.enabled |= {f"{n}.googleapis.com" for n in ("cloudbilling", "billingbudgets")}
    status, said = tool(world, "budget", "--amount", "50")
    assert status == 1
    assert "roles/billing.costsManager on the billing account" in said


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            Refusal(".*", 403, "Caller lacks serviceusage.services.use"),
            "roles/serviceusage.serviceUsageConsumer",
        ),
        (Refusal(".*", 401, "expired", "UNAUTHENTICATED"), "gcloud auth login"),
        (Refusal(".*", 403, "The caller does not have permission"), "roles/"),
    ],
)
@pytest.mark.parametrize("name", ["alerts", "image_cleanup", "firestore_rules"])
def test_each_refusal_says_what_to_do(
    world: Google, name: str, refusal: Refusal, words: str
) -> None:
    world.refusals.append(refusal)
    more = ("--region", "us-central1", "--app", "x", "sweep")
    arguments = {"alerts": EMAIL, "image_cleanup": more}.get(name, ())
    status, said = tool(world, name, *arguments)
    assert status == 1
    assert words in said
    assert len(said.strip().splitlines()) == 1
