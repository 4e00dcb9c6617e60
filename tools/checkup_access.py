"""Compares permissions with those that deploy.sh gives: roles, callers, readers of secrets, images, the database.

Policies of a project are lost when another tool writes them whole, such as Terraform's google_project_iam_binding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from functions.table import FUNCTIONS
from tools import image_cleanup
from tools.checkup import Finding, Place

Json = dict[str, Any]
# Account, role, and whether the role is limited to the one database; deploy/accounts.sh gives these.
ROLES = (
    ("runtime", "roles/datastore.user", True),
    ("records", "roles/datastore.user", True),
    ("wallboard", "roles/datastore.viewer", True),
    ("inbox", "roles/datastore.user", True),
    ("trigger", "roles/eventarc.eventReceiver", False),
    ("build", "roles/run.builder", False),
)
# The account that calls a function, by the table's column; "allUsers" for what Twilio and browsers call.
CALLERS = {
    "twilio": "allUsers",
    "worker": "allUsers",
    "firestore": "trigger",
    "scheduler": "scheduler",
}
_OPEN = ("allUsers", "allAuthenticatedUsers")
_INVOKER = "roles/run.invoker"
_ACCESSOR = "roles/secretmanager.secretAccessor"


def member(place: Place, kind: str) -> str:
    """Return an account of ours as policies name it."""
    if kind in _OPEN:
        return kind
    return f"serviceAccount:{place.app}-{kind}@{place.project}.iam.gserviceaccount.com"


def members(policy: Json | None, role: str, condition: str | None = None) -> set[str]:
    """Return the members that have a role: without a condition, or with exactly this one."""
    return {
        name
        for binding in (policy or {}).get("bindings", [])
        if binding["role"] == role
        and binding.get("condition", {}).get("expression") in (None, condition)
        for name in binding.get("members", [])
    }


def roles(place: Place) -> Iterator[Finding]:
    """The project's policy; version 3 shows conditions."""
    options = {"options": {"requestedPolicyVersion": 3}}
    path = f"projects/{place.project}:getIamPolicy"
    policy = place.api("cloudresourcemanager", "v1").call("POST", path, options)
    database = f"projects/{place.project}/databases/{place.database}"
    only_this = f'resource.name=="{database}"'
    missing = 0
    for kind, role, is_limited in ROLES:
        if not _is_used(place, kind):
            continue
        holders = members(policy, role, only_this if is_limited else None)
        if member(place, kind) not in holders:
            missing += 1
            yield Finding(
                False, f"{place.app}-{kind} lacks the role {role}; run {place.again}"
            )
    if not missing:
        yield Finding(True, "the service accounts have their roles")


def _is_used(place: Place, kind: str) -> bool:
    """Whether functions of this deployment need the account; the build's runs none of them."""
    if kind in ("build", "trigger"):
        return True
    email = member(place, kind).removeprefix("serviceAccount:")
    return any(
        function["serviceConfig"].get("serviceAccountEmail") == email
        for function in place.functions.values()
    )


def callers(place: Place) -> Iterator[Finding]:
    """The invokers of each Cloud Run service."""
    api = place.api("run", "v2")
    wrong = 0
    for function in FUNCTIONS:
        name = place.name(function.name)
        if name not in place.functions:
            continue
        path = f"projects/{place.project}/locations/{place.region}/services/{name}"
        holders = members(api.call("GET", f"{path}:getIamPolicy"), _INVOKER)
        wanted = _caller(place, function.name, function.caller)
        is_unchecked = bool((api.call("GET", path) or {}).get("invokerIamDisabled"))
        for sentence in _wrong_callers(place, name, wanted, holders, is_unchecked):
            wrong += 1
            yield Finding(False, f"{sentence}; run {place.again}")
    if not wrong:
        yield Finding(True, "each function can be called by its own callers only")


def _caller(place: Place, entry_point: str, caller: str) -> str | None:
    kind = CALLERS.get(caller)
    if place.environment(entry_point).get("INBOX_SIGN_IN") == "iap":
        return None  # Google's proxy lets people in
    return member(place, kind) if kind else None


def _wrong_callers(
    place: Place, name: str, wanted: str | None, holders: set[str], is_unchecked: bool
) -> Iterator[str]:
    is_public = wanted == "allUsers"
    if is_public and not is_unchecked and wanted not in holders:
        yield f"Google refuses every request to {name}, because allUsers lacks {_INVOKER}"
    if wanted and not is_public and wanted not in holders:
        yield f"{wanted.removeprefix('serviceAccount:')} may not call {name}"
    if not is_public and (is_unchecked or holders.intersection(_OPEN)):
        yield f"everyone may call {name}"


def readers(place: Place) -> Iterator[Finding]:
    """The accounts of functions that are given a secret must be able to read it at the next cold start."""
    api = place.api("secretmanager", "v1")
    wanted = {
        (one["secret"], function["serviceConfig"].get("serviceAccountEmail", ""))
        for function in place.functions.values()
        for one in function["serviceConfig"].get("secretEnvironmentVariables", [])
    }
    wrong = 0
    for secret in sorted({secret for secret, _ in wanted}):
        policy = api.call(
            "GET", f"projects/{place.project}/secrets/{secret}:getIamPolicy"
        )
        emails = {email for name, email in wanted if name == secret}
        holders = members(policy, _ACCESSOR)
        for email in sorted(emails):
            if f"serviceAccount:{email}" not in holders:
                wrong += 1
                yield Finding(
                    False,
                    f"{email} may not read the secret {secret}, so new instances cannot start; run {place.again}",
                )
    if wanted and not wrong:
        yield Finding(
            True, "each secret can be read by the functions that are given it"
        )


def images(place: Place) -> Iterator[Finding]:
    """The cleanup policies of the repository that Cloud Functions builds into."""
    path = (
        f"projects/{place.project}/locations/{place.region}/repositories/gcf-artifacts"
    )
    repository = place.api("artifactregistry", "v1").call("GET", path)
    if repository is None:
        return
    others = image_cleanup.others_in(repository, place.app)
    if len(repository.get("cleanupPolicies", {})) == len(others):
        yield Finding(None, f"old images are never deleted; run {place.again}")
    elif image_cleanup.only_tries(repository):
        how = image_cleanup.switch_on(path) if others else f"run {place.again}"
        yield Finding(None, f"the policies that delete old images are a dry run: {how}")
    else:
        yield Finding(True, "old images are deleted")


def database_users(place: Place) -> Iterator[Finding]:
    """Functions that are not this installation's and use the same database."""
    users = sorted(
        {
            function["name"].rsplit("/", 1)[1]
            for function in place.listed
            if function["name"].rsplit("/", 1)[1] not in place.functions
            and place.database in _databases(function)
        }
    )
    if users:
        yield Finding(
            None,
            f"other functions use the database {place.database}, too: {', '.join(users)}; two installations of "
            "this service must not share one",
        )


def _databases(function: Json) -> set[str]:
    """Return the databases that a function names; (default) only if its trigger says so."""
    variables = function.get("serviceConfig", {}).get("environmentVariables", {})
    filters = function.get("eventTrigger", {}).get("eventFilters", [])
    watched = {f["value"] for f in filters if f.get("attribute") == "database"}
    return watched | {variables.get("FIRESTORE_DATABASE", "")}


ACCESS: dict[str, Callable[[Place], Iterator[Finding]]] = {
    "roles": roles,
    "callers": callers,
    "readers of secrets": readers,
    "images": images,
    "the database's users": database_users,
}
