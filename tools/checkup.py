"""What of a deployment can be seen from inside Google Cloud; tools/doctor.py asks all of it and prints it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from functions.table import FUNCTIONS
from tools import alerts, firestore_indexes
from tools.firestore_rules import RULES, RulesApi
from tools.google_api import Api

Json = dict[str, Any]
_LATE = timedelta(minutes=3)  # the sweep runs every minute
_SHOWN = 5
_PEOPLES = (
    "settings",
    "pools",
    "workers",
    "customers",
    "pending_conversations",
    "conversations",
)


@dataclass(frozen=True)
class Finding:
    """One sentence: `ok` True, or False with what to do, or None for advice that breaks nothing."""

    ok: bool | None
    sentence: str


@dataclass
class Place:
    """One installation, and the APIs through which it is looked at."""

    project: str
    prefix: str = ""
    region: str = ""
    documents: Api | None = None
    apis: dict[str, Api] = field(default_factory=dict)

    def api(self, name: str, version: str) -> Api:
        return self.apis.setdefault(name, Api(name, version, self.project))

    @property
    def app(self) -> str:
        return self.prefix or "inbound"

    def name(self, entry_point: str) -> str:
        return (
            f"{f'{self.prefix}-' if self.prefix else ''}{entry_point.replace('_', '-')}"
        )

    @cached_property
    def listed(self) -> list[Json]:
        """All functions of the project, in every region."""
        path = f"projects/{self.project}/locations/-/functions"
        return self.api("cloudfunctions", "v2").all(path, "functions")

    @cached_property
    def functions(self) -> dict[str, Json]:
        """Ours by their deployed name, in the region that was named, else in the one where they run."""
        ours = [
            function
            for function in self.listed
            if function.get("labels", {}).get("app") == self.app
        ]
        if not self.region and ours:
            self.region = ours[0]["name"].split("/")[3]
        return {
            one["name"].rsplit("/", 1)[1]: one
            for one in ours
            if one["name"].split("/")[3] == self.region
        }

    def environment(self, entry_point: str) -> dict[str, str]:
        function = self.functions.get(self.name(entry_point), {})
        found: dict[str, str] = function.get("serviceConfig", {}).get(
            "environmentVariables", {}
        )
        return found

    @property
    def database(self) -> str:
        return self.environment("post_event").get("FIRESTORE_DATABASE", "(default)")

    @property
    def records(self) -> str:
        return f"projects/{self.project}/databases/{self.database}/documents"

    @property
    def again(self) -> str:
        """The command that puts most things right."""
        return f"./deploy.sh --project {self.project}{f' --prefix {self.prefix}' if self.prefix else ''}"


def functions(place: Place) -> Iterator[Finding]:
    missing = [
        place.name(one.name)
        for one in FUNCTIONS
        if place.name(one.name) not in place.functions
    ]
    if missing:
        yield Finding(False, f"not deployed: {', '.join(missing)}; run {place.again}")
    broken = [
        f"{n} ({f.get('state')})"
        for n, f in place.functions.items()
        if f.get("state") != "ACTIVE"
    ]
    if broken:
        yield Finding(False, f"not serving: {', '.join(broken)}; run {place.again}")
    sources = {f.get("labels", {}).get("source") for f in place.functions.values()}
    if len(sources) > 1:
        yield Finding(False, f"not all functions are of one version; run {place.again}")
    if not missing and not broken and len(sources) == 1:
        yield Finding(
            True,
            f"{len(place.functions)} functions of one version{_version(place)} serve in {place.region}",
        )


def _version(place: Place) -> str:
    """Return the label `version` in brackets: the functions share one source, but may carry labels of several runs."""
    labels = [f.get("labels", {}).get("version") for f in place.functions.values()]
    versions = sorted({label for label in labels if label})
    return f" ({', '.join(versions)})" if versions else ""


def traffic(place: Place) -> Iterator[Finding]:
    services = place.api("run", "v2").all(
        f"projects/{place.project}/locations/{place.region}/services", "services"
    )
    for service in services:
        name = service["name"].rsplit("/", 1)[1]
        held = [
            part["revision"]
            for part in service.get("traffic", [])
            if part.get("revision")
        ]
        if name in place.functions and held:
            where = f"--region {place.region} --project {place.project}"
            leave = f"gcloud run services update-traffic {name} --to-latest {where}"
            yield Finding(
                None,
                f"{name} was rolled back to {held[0]} and stays so; to leave that: {leave}",
            )


def secrets(place: Place) -> Iterator[Finding]:
    named = {
        (one["secret"], one["version"])
        for function in place.functions.values()
        for one in function["serviceConfig"].get("secretEnvironmentVariables", [])
    }
    api, bad = place.api("secretmanager", "v1"), 0
    for secret, version in sorted(named):
        found = api.call(
            "GET", f"projects/{place.project}/secrets/{secret}/versions/{version}"
        )
        if not found or found.get("state", "ENABLED") != "ENABLED":
            bad += 1
            yield Finding(
                False,
                f"version {version} of the secret {secret} is gone or disabled, and new instances cannot start: "
                f"enable it, or run {place.again} with the value in the environment",
            )
    if named and not bad:
        yield Finding(True, f"{len(named)} secret versions are enabled")


def indexes(place: Place) -> Iterator[Finding]:
    api = place.api("firestore", "v1")
    base = f"projects/{place.project}/databases/{place.database}/collectionGroups/-"
    have = api.all(f"{base}/indexes", "indexes")
    fields = api.all(
        f"{base}/fields",
        "fields",
        filter="indexConfig.usesAncestorConfig:false OR ttlConfig:*",
    )
    wanted = json.loads(firestore_indexes.WANTED.read_text())
    missing = firestore_indexes.missing_indexes(wanted, have)
    for doing, _ in [*missing, *firestore_indexes.missing_fields(wanted, fields)]:
        yield Finding(False, f"Firestore: still to do: {doing}; run {place.again}")
    unbuilt = firestore_indexes.building(wanted, have) - len(missing)
    if unbuilt:
        yield Finding(
            False,
            f"{unbuilt} indexes are being built: wait, queries that need them fail",
        )
    elif not missing:
        yield Finding(True, "every index is built")


def rules(place: Place) -> Iterator[Finding]:
    api = RulesApi(place.project, place.database)
    name = api.ruleset()
    if name is None or api.text_of(name) != RULES.read_text():
        yield Finding(
            False,
            f"the database's rules are not those of firestore.rules; run {place.again}",
        )
    else:
        yield Finding(True, "firestore.rules are in force")


def database(place: Place) -> Iterator[Finding]:
    api, name = (
        place.api("firestore", "v1"),
        f"projects/{place.project}/databases/{place.database}",
    )
    found = api.call("GET", name)
    if found is None:
        yield Finding(
            False,
            f"there is no database {place.database}: restore a backup, see docs/deploying.md",
        )
        return
    if not api.all(f"{name}/backupSchedules", "backupSchedules"):
        make = "gcloud firestore backups schedules create --recurrence=daily --retention=7d"
        yield Finding(
            None,
            f"no backups are made: {make} --database='{place.database}' --project {place.project}",
        )
    if found.get("pointInTimeRecoveryEnablement") != "POINT_IN_TIME_RECOVERY_ENABLED":
        switch = f"gcloud firestore databases update --database='{place.database}' --enable-pitr"
        yield Finding(
            None,
            f"a deleted record is gone at once: {switch} --project {place.project}",
        )


def triggers(place: Place) -> Iterator[Finding]:
    wrong, watched = 0, [one for one in FUNCTIONS if one.caller == "firestore"]
    for one in watched:
        event = place.functions.get(place.name(one.name), {}).get("eventTrigger")
        if event is None:
            continue  # said by functions()
        filters = {f["attribute"]: f["value"] for f in event.get("eventFilters", [])}
        is_ours = (filters.get("database"), filters.get("document")) == (
            place.database,
            one.documents,
        )
        is_there = "trigger" not in event or place.api("eventarc", "v1").call(
            "GET", event["trigger"]
        )
        if not is_ours or not is_there:
            wrong += 1
            what = "has lost its trigger" if is_ours else "watches other documents"
            yield Finding(
                False,
                f"{place.name(one.name)} {what}: gcloud functions delete {place.name(one.name)} --gen2 "
                f"--region {place.region} --project {place.project}, then {place.again}",
            )
    if not wrong:
        yield Finding(True, f"{len(watched)} triggers watch {place.database}")


def scheduler(place: Place) -> Iterator[Finding]:
    name = (
        f"projects/{place.project}/locations/{place.region}/jobs/{place.name('sweep')}"
    )
    job = place.api("cloudscheduler", "v1").call("GET", name)
    if job is None:
        yield Finding(
            False, f"there is no scheduler job {place.name('sweep')}; run {place.again}"
        )
    elif job.get("state") != "ENABLED":
        yield Finding(
            False, f"the scheduler job is {job.get('state')}; run {place.again}"
        )
    elif job.get("status", {}).get("code"):
        why = f"code {job['status']['code']}"
        yield Finding(
            False,
            f"the scheduler's last call of the sweep failed ({why}): see the sweep's log",
        )
    else:
        yield Finding(True, "the scheduler calls the sweep every minute")


def last_sweep(place: Place) -> Iterator[Finding]:
    record = documents(place).call("GET", f"{place.records}/service/sweep")
    at = (record or {}).get("fields", {}).get("last_run_at", {}).get("timestampValue")
    if at is None:
        yield Finding(False, "no sweep has ever finished: see its log, severity>=ERROR")
        return
    age = datetime.now(UTC) - datetime.fromisoformat(at)
    said = f"the last sweep finished {age.total_seconds():.0f} s ago"
    yield Finding(
        age < _LATE, said if age < _LATE else f"{said}: see its log, severity>=ERROR"
    )


def problems(place: Place) -> Iterator[Finding]:
    found = 0
    for collection in _PEOPLES:
        query = {
            "from": [{"collectionId": collection}],
            "where": {
                "fieldFilter": {
                    "field": {"fieldPath": "problem"},
                    "op": "GREATER_THAN",
                    "value": {"stringValue": ""},
                }
            },
            "limit": _SHOWN + 1,
        }
        rows = (
            documents(place).call(
                "POST",
                f"{place.records}:runQuery",
                {"structuredQuery": query},
                or_none=True,
            )
            or []
        )
        records = [row["document"] for row in rows if "document" in row]
        found += len(records)
        for record in records[:_SHOWN]:
            path = record["name"].partition("/documents/")[2]
            yield Finding(
                None, f"{path}: {record['fields']['problem'].get('stringValue')}"
            )
        if len(records) > _SHOWN:
            yield Finding(None, f"{collection}: and more with a problem")
    if not found:
        yield Finding(True, "no record has a problem")


def alerting(place: Place) -> Iterator[Finding]:
    """Whether alerts exist and reach an address."""
    have = alerts.kept(place.api("monitoring", "v3"), place.project, place.app)
    renew = f"{place.again} --alert-email ADDRESS"
    if not have.policies:
        yield Finding(
            None, f"there are no alerts, so failures go unnoticed: run {renew}"
        )
        return
    faults = alerts.faults(have, place.app)
    for fault in faults:
        yield Finding(
            False, f"{fault}: look at {_channels_page(place)}, or run {renew}"
        )
    if not faults:
        yield Finding(
            True, f"{len(have.policies)} alerts write to {', '.join(have.emails)}"
        )


def _channels_page(place: Place) -> str:
    return f"https://console.cloud.google.com/monitoring/alerting/notifications?project={place.project}"


def documents(place: Place) -> Api:
    return place.documents or place.api("firestore", "v1")


INSIDE: dict[str, Callable[[Place], Iterator[Finding]]] = {
    "functions": functions,
    "traffic": traffic,
    "secrets": secrets,
    "indexes": indexes,
    "rules": rules,
    "database": database,
    "triggers": triggers,
    "scheduler": scheduler,
    "the last sweep": last_sweep,
    "records": problems,
    "alerts": alerting,
}
