"""Prints what the person who deploys may not do in the project, one `permission (role)` per line.

One question to Google, which answers for the project as a whole. A role on a single resource (one service account,
one secret) does not show in it, so a later run is only asked for what must be on the project.
https://docs.cloud.google.com/iam/docs/testing-permissions
"""

from __future__ import annotations

import argparse
import sys

import requests

from tools.google_api import Api, ApiError

# A permission that stands for its role, and the role that docs/deploying.md names.
FUNCTIONS = {
    "cloudfunctions.functions.create": "roles/cloudfunctions.admin",
    "cloudfunctions.functions.update": "roles/cloudfunctions.admin",
    "run.services.setIamPolicy": "roles/run.admin",
}
LATER = FUNCTIONS | {
    "cloudscheduler.jobs.update": "roles/cloudscheduler.admin",
    "datastore.entities.create": "roles/datastore.owner",
    "datastore.indexes.create": "roles/datastore.owner",
    "firebaserules.releases.update": "roles/firebaserules.admin",
    "firebaserules.rulesets.create": "roles/firebaserules.admin",
}
FIRST = LATER | {
    "cloudscheduler.jobs.create": "roles/cloudscheduler.admin",
    "datastore.databases.create": "roles/datastore.owner",
    "iam.serviceAccounts.actAs": "roles/iam.serviceAccountUser",
    "iam.serviceAccounts.create": "roles/iam.serviceAccountAdmin",
    "resourcemanager.projects.setIamPolicy": "roles/resourcemanager.projectIamAdmin",
    "secretmanager.secrets.create": "roles/secretmanager.admin",
    "secretmanager.secrets.setIamPolicy": "roles/secretmanager.admin",
}


def missing(api: Api, project: str, wanted: dict[str, str]) -> list[str]:
    """Return the permissions that Google does not confirm, each with its role."""
    asked = {"permissions": sorted(wanted)}
    path = f"projects/{project}:testIamPermissions"
    answer = api.call("POST", path, asked) or {}
    held = set(answer.get("permissions", []))
    return [f"{name} ({wanted[name]})" for name in sorted(wanted) if name not in held]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    run = parser.add_mutually_exclusive_group(required=True)
    run.add_argument("--first", dest="wanted", action="store_const", const=FIRST)
    run.add_argument("--later", dest="wanted", action="store_const", const=LATER)
    run.add_argument(
        "--functions", dest="wanted", action="store_const", const=FUNCTIONS
    )
    arguments = parser.parse_args()
    api = Api("cloudresourcemanager", "v1", arguments.project)
    try:
        lines = missing(api, arguments.project, arguments.wanted)
    except ApiError as error:
        sys.exit(f"{error.status}: {error.text}")
    except requests.RequestException as error:
        sys.exit(f"connection failed: {error}")
    for one in lines:
        print(one)


if __name__ == "__main__":
    main()
