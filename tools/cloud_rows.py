"""Turns one resource of Google's, as its API answers it, into a row: the values that deploy.sh needs, by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from functions.table import FUNCTIONS

Json = dict[str, Any]
Row = dict[str, str]

NAMES = {one.name.replace("_", "-") for one in FUNCTIONS}
_MARK = re.compile("[0-9a-f]{32}")
_ACCOUNTS = ".iam.gserviceaccount.com"


def short(resource: Json) -> str:
    """Return the last part of a resource's name."""
    return str(resource["name"]).rsplit("/", 1)[-1]


def owner(function: Json) -> str:
    """Return the label of the installation that made the function, or nothing.

    One label is not enough, for it is a usual word. A function is ours with our label, our mark and a name of the
    table. With a name that this version does not know it needs our source and a service account of that installation.
    """
    labels = function.get("labels", {})
    app = str(labels.get("app", ""))
    if not app or not _MARK.fullmatch(labels.get("mark", "")):
        return ""
    if entry_point(function, app) in NAMES:
        return app
    account = function.get("serviceConfig", {}).get("serviceAccountEmail", "")
    has_our_account = account.startswith(f"{app}-") and account.endswith(_ACCOUNTS)
    return app if has_our_account and _MARK.fullmatch(labels.get("source", "")) else ""


def entry_point(function: Json, app: str) -> str:
    """Return the name without the installation's prefix."""
    prefix = "" if app == "inbound" else f"{app}-"
    return short(function).removeprefix(prefix)


def function_row(function: Json) -> Row:
    """The function's plain settings are in the row by their own names; secrets are not among them."""
    service = function.get("serviceConfig", {})
    labels = function.get("labels", {})
    app = labels.get("app", "")
    row = {
        "name": short(function),
        "region": str(function["name"]).split("/")[3],
        "state": function.get("state", ""),
        "owner": owner(function),
        "known": "yes" if entry_point(function, app) in NAMES else "no",
        "mark": labels.get("mark", ""),
        "address": service.get("uri", ""),
        "least": str(service.get("minInstanceCount", "")),
        "most": str(service.get("maxInstanceCount", "")),
        "ingress": service.get("ingressSettings", ""),
        "trigger": function.get("eventTrigger", {}).get("trigger", ""),
    }
    variables: Row = service.get("environmentVariables", {})
    return row | variables


def database_row(database: Json) -> Row:
    return {
        "name": short(database),
        "location": database.get("locationId", ""),
        "type": database.get("type", ""),
        "edition": database.get("databaseEdition", ""),
        "recovery": database.get("pointInTimeRecoveryEnablement", ""),
    }


def account_row(account: Json) -> Row:
    return {
        "name": account["email"],
        "description": account.get("description", ""),
        "display": account.get("displayName", ""),
    }


def binding_rows(binding: Json) -> Iterator[Row]:
    """Yield one row for each member of a binding."""
    condition = binding.get("condition", {}).get("expression", "")
    for member in binding.get("members", []):
        yield {"name": member, "role": binding["role"], "condition": condition}


def secret_row(secret: Json, state: str) -> Row:
    return {
        "name": short(secret),
        "owner": secret.get("labels", {}).get("app", ""),
        "state": state,
    }


def job_row(job: Json) -> Row:
    target = job.get("httpTarget", {})
    token = target.get("oidcToken", {})
    return {
        "name": short(job),
        "schedule": job.get("schedule", ""),
        "address": target.get("uri", ""),
        "account": token.get("serviceAccountEmail", ""),
        "audience": token.get("audience", ""),
        "state": job.get("state", ""),
    }


def service_row(service: Json) -> Row:
    """`open`: whether Cloud Run lets every caller in; `held`: the revision that the service was rolled back to."""
    parts = service.get("traffic", [])
    held = [one["revision"] for one in parts if one.get("revision")]
    return {
        "name": short(service),
        "open": "yes" if service.get("invokerIamDisabled") else "no",
        "held": held[0] if held else "",
    }
