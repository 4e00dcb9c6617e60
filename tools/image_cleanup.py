"""Which images Artifact Registry may delete: of each function all but the last five, once they are a month old.

https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy: what a Delete policy names goes unless a
Keep policy names it too. Both name our functions only, for the repository holds those of the whole project, and
policies of others stay (gcloud's own command would take them away: it sends its file alone).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import requests

from tools.google_api import Api, ApiError

KEPT = 5
_MONTH = 30 * 24 * 3600
Json = dict[str, Any]


def package(project: str, region: str, name: str) -> str:
    """What Cloud Functions calls a function's images: each part with its hyphens doubled."""
    return "__".join(
        part.replace("_", "__").replace("-", "--") for part in (project, region, name)
    )


def policies(app: str, packages: list[str]) -> dict[str, Json]:
    """By name, as the API tells them."""
    return {
        f"{app}-keep": {
            "action": "KEEP",
            "mostRecentVersions": {"packageNamePrefixes": packages, "keepCount": KEPT},
        },
        f"{app}-delete": {
            "action": "DELETE",
            "condition": {
                "tagState": "ANY",
                "olderThan": f"{_MONTH}s",
                "packageNamePrefixes": packages,
            },
        },
    }


def _same(have: Json | None, policy: Json) -> bool:
    return have is not None and {k: v for k, v in have.items() if k != "id"} == policy


def put_right(api: Api, repository: str, app: str, wanted: dict[str, Json]) -> bool:
    """Makes our policies these (none: takes them away); whether there was something to do."""
    found = api.call("GET", repository)
    if found is None:  # made with the first function
        return False
    have = found.get("cleanupPolicies", {})
    ours = {
        name: policy
        for name, policy in have.items()
        if name in (f"{app}-keep", f"{app}-delete")
    }
    if ours.keys() == wanted.keys() and all(
        _same(ours[name], policy) for name, policy in wanted.items()
    ):
        return False
    others = {name: policy for name, policy in have.items() if name not in ours}
    named = {name: {"id": name} | policy for name, policy in wanted.items()}
    body = {"name": repository, "cleanupPolicies": others | named}
    api.call("PATCH", repository, body, updateMask="cleanupPolicies")
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument(
        "--app", required=True, help="what the policies' names begin with"
    )
    parser.add_argument(
        "--changes", type=Path, help="a file that gets a line for each change"
    )
    parser.add_argument("functions", nargs="*", help="none: take our policies away")
    arguments = parser.parse_args()
    packages = sorted(
        package(arguments.project, arguments.region, one) for one in arguments.functions
    )
    wanted = policies(arguments.app, packages) if packages else {}
    repository = f"projects/{arguments.project}/locations/{arguments.region}/repositories/gcf-artifacts"
    try:
        has_changed = put_right(
            Api("artifactregistry", "v1", arguments.project),
            repository,
            arguments.app,
            wanted,
        )
    except ApiError as error:
        lacking = "have an owner give you roles/artifactregistry.admin"
        why = lacking if error.status in (401, 403) else str(error)
        sys.exit(
            f"\ndeploy.sh: Old images could not be marked for deletion: {why}; then run the same command again."
        )
    except requests.RequestException as error:
        sys.exit(
            f"\ndeploy.sh: Artifact Registry could not be reached ({type(error).__name__}): check the network."
        )
    if has_changed:
        print(f"  keep the last {KEPT} images of each function: done")
        if arguments.changes:
            with arguments.changes.open("a") as changes:
                changes.write("keep few images\n")


if __name__ == "__main__":
    main()
